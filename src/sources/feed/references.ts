/** Character and entity references of XML, and those of HTML that feeds use without declaring them. */
import { Parser } from 'htmlparser2';

const REFERENCE = /&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{0,31}));|&/g;
const PREDEFINED = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

/**
 * Decodes references, each text once: what a reference means holds no other. Undeclared names of HTML such as `&nbsp;`
 * are decoded too; other names stay as written. Entities that a document declares count as undeclared: those of bombs
 * are built so.
 * @param onError called for each reference that XML does not know, and for each bare `&`
 */
export function decodeReferences(text: string, onError: () => void): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, decimal?: string, hex?: string, name?: string) => {
    const predefined = PREDEFINED.get(name ?? '');
    if (predefined !== undefined) return predefined;
    if (name !== undefined || whole === '&') onError();
    return name === undefined ? decodeCharacter(whole, decimal, hex) : htmlCharacter(whole);
  });
}

function decodeCharacter(whole: string, decimal?: string, hex?: string): string {
  if (decimal !== undefined) return characterOf(Number(decimal)) ?? whole;
  return hex === undefined ? whole : (characterOf(Number.parseInt(hex, 16)) ?? whole);
}

function characterOf(point: number): string | null {
  // Programs mean windows-1252 when they write these, and browsers read them so.
  if (point >= 0x80 && point <= 0x9f) return windows1252.decode(Uint8Array.of(point));
  return point <= 0x10ffff ? String.fromCodePoint(point) : null;
}

const windows1252 = new TextDecoder('windows-1252');

function htmlCharacter(reference: string): string {
  let decoded = '';
  const parser = new Parser({
    ontext: (text) => {
      decoded += text;
    },
  });
  parser.end(reference);
  // HTML also reads `&notit;` as `¬it;`.
  return decoded.endsWith(';') ? reference : decoded;
}
