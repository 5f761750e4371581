/**
 * Records as they are written into a zone file (RFC 1035 §5.1).
 */

export interface ZoneRecord {
  /** Absolute, without the dot at its end. */
  name: string;
  type: 'TXT' | 'MX' | 'A' | 'AAAA' | 'PTR' | 'CNAME';
  /** Data; of TXT: the text as one string, of MX: preference and exchange. */
  value: string;
  /** Values of the records of this type and name that it replaces, to be deleted. */
  replaces: string[];
}

/** Time to live, seconds: short enough to correct a mistake within an hour. */
export const RECORD_TTL = 3_600;

/** RFC 1035 §3.3: a string has at most 255 octets; a longer text is several strings. */
const STRING_LIMIT = 255;

/** Name, TTL, class, type and data in one line, ready to be pasted. */
export function zoneLine({ name, type, value }: ZoneRecord): string {
  const data = type === 'TXT' ? quotedStrings(value) : `${value}.`.replace(ADDRESS, '$1');
  return `${name}. ${RECORD_TTL} IN ${type} ${data}`;
}

/** An address ends without the dot that ends a name. */
const ADDRESS = /^([0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*)\.$/i;

/** A text as quoted strings of at most 255 octets each; quotes, backslashes and what is not ASCII are escaped. */
export function quotedStrings(text: string): string {
  const octets = Buffer.from(text);
  const strings: string[] = [];
  for (let start = 0; start === 0 || start < octets.length; start += STRING_LIMIT) {
    strings.push(`"${[...octets.subarray(start, start + STRING_LIMIT)].map(escapeOctet).join('')}"`);
  }
  return strings.join(' ');
}

function escapeOctet(octet: number): string {
  if (octet < 0x20 || octet > 0x7e) return `\\${octet.toString().padStart(3, '0')}`;
  const character = String.fromCharCode(octet);
  return character === '"' || character === '\\' ? `\\${character}` : character;
}
