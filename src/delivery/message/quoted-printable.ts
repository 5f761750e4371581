/**
 * Quoted-printable (RFC 2045 §6.7) for text in pieces. Each piece begins on a new line, so its encoding does not depend
 * on the piece before it. No line begins with a dot, which SMTP would double (RFC 5321 §4.5.2), or with `From `, before
 * which mailboxes insert a `>`: either would break a signature.
 */

// Octets in a line, including the `=` of a soft line break.
const LINE_LIMIT = 76;

/**
 * Encodes text of several lines.
 * @param end `open` if more follows on its last line: then it ends with a soft line break
 */
export function encodeText(text: string, end: 'open' | 'closed'): string {
  const lines = text.split(/\r\n?|\n/);
  const last = lines.pop() ?? '';
  return (
    lines.map((line) => `${encodeLine(line)}\r\n`).join('') + (end === 'open' ? encodeValue(last) : encodeLine(last))
  );
}

/** Encodes a value within a line, with its line breaks. Ends with a soft line break unless it is empty. */
export function encodeValue(value: string): string {
  if (value === '') return '';
  const { lines, rest } = fold(escapeOctets(value));
  return `${lines}${rest}=\r\n`;
}

function encodeLine(line: string): string {
  // White space at the end of a line may get lost in transport.
  const { lines, rest } = fold(escapeOctets(line).replace(/[\t ]$/, escapeOctet));
  return lines + rest;
}

/** Splits a line so that each part has space for the `=` of a soft line break. */
function fold(escaped: string): { lines: string; rest: string } {
  let lines = '';
  let rest = guardStart(escaped);
  while (rest.length >= LINE_LIMIT) {
    // Not within an escape such as `=C3`.
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

/** Escapes the first octet of a string of octets. */
function escapeOctet(octets: string): string {
  return ESCAPES[octets.charCodeAt(0)] as string;
}

const ESCAPES = Array.from({ length: 256 }, (_, octet) => `=${octet.toString(16).toUpperCase().padStart(2, '0')}`);
