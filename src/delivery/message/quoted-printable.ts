/**
 * Quoted-printable (RFC 2045 §6.7), for text that is cut in pieces: each begins on a line of its own, so that it is encoded alike
 * whatever stands before it. No line begins with a dot, which SMTP would double (RFC 5321 §4.5.2), nor with the `From ` that mailboxes
 * put a `>` before: a signature would break on either.
 */

// Octets in a line; one of them is the `=` where it goes on.
const LINE_LIMIT = 76;

/**
 * Text of many lines.
 * @param end `open` where more follows on its last line: it then ends in a soft line break, and what follows in a line of its own
 */
export function encodeText(text: string, end: 'open' | 'closed'): string {
  const lines = text.split(/\r\n?|\n/);
  const last = lines.pop() ?? '';
  return (
    lines.map((line) => `${encodeClosed(line)}\r\n`).join('') + (end === 'open' ? encodeOpen(last) : encodeClosed(last))
  );
}

/** A value within a line, whatever it holds: its line breaks are encoded too. Ends in a soft line break, where it holds anything. */
export function encodeValue(value: string): string {
  return encodeOpen(value);
}

function encodeOpen(line: string): string {
  if (line === '') return '';
  const { lines, rest } = fold(escapeOctets(line));
  return `${lines}${rest}=\r\n`;
}

function encodeClosed(line: string): string {
  // White space at the end of a line may be lost on the way.
  const { lines, rest } = fold(escapeOctets(line).replace(/[\t ]$/, escapeOctet));
  return lines + rest;
}

/** Cuts a line so that each part of it has room for the `=` of a soft line break. */
function fold(escaped: string): { lines: string; rest: string } {
  let lines = '';
  let rest = guardStart(escaped);
  while (rest.length >= LINE_LIMIT) {
    // Not within an escape, `=C3`.
    const start = rest.indexOf('=', LINE_LIMIT - 3);
    const cut = start >= 0 && start < LINE_LIMIT - 1 ? start : LINE_LIMIT - 1;
    lines += `${rest.slice(0, cut)}=\r\n`;
    rest = guardStart(rest.slice(cut));
  }
  return { lines, rest };
}

function guardStart(line: string): string {
  return line.startsWith('.') || line.startsWith('From ') ? escapeOctet(line) + line.slice(1) : line;
}

function escapeOctets(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[^\t\u0020-\u003c\u003e-\u007e]/g, escapeOctet);
}

/** The first octet of a string of octets, escaped. */
function escapeOctet(octets: string): string {
  return ESCAPES[octets.charCodeAt(0)] as string;
}

const ESCAPES = Array.from({ length: 256 }, (_, octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`);
