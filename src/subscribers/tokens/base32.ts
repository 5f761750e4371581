/**
 * Base32 (RFC 4648 §6) in lower case and without padding: survives whatever a mail server does to the case of a local part.
 */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The bytes as base32. */
export function encodeBase32(bytes: Buffer): string {
  let text = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >>> bits) & 31];
    }
    held &= (1 << bits) - 1;
  }
  return bits > 0 ? text + ALPHABET[(held << (5 - bits)) & 31] : text;
}

/** The bytes, or null where the text is not base32 as written above, in whatever case. */
export function decodeBase32(text: string): Buffer | null {
  // The letters outside ASCII that lower-case to one within, such as the Kelvin sign, are none.
  if (!/^[a-zA-Z2-7]*$/.test(text)) return null;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of text.toLowerCase()) {
    held = (held << 5) | ALPHABET.indexOf(character);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(held >>> bits);
      held &= (1 << bits) - 1;
    }
  }
  // What is left over must be the zero bits that encoding appends, or two spellings would be good.
  return held === 0 && bits < 5 ? Buffer.from(bytes) : null;
}
