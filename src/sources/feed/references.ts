/** Character and entity references of XML, and those of HTML that feeds use without declaring them. */
import { Parser } from 'htmlparser2';

const REFERENCE = /&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{0,31}));|&/g;
const PREDEFINED = new Map(Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }));

const MAX_ENTITIES = 100;
/** References to declared entities in one document. */
const MAX_EXPANSIONS = 10_000;
/** Longer ones, and those that refer to others, are how bombs are built. */
const ENTITY = /<!ENTITY\s+([A-Za-z][A-Za-z0-9]{0,31})\s+(?:"([^"<]{0,256})"|'([^'<]{0,256})')\s*>/g;

/**
 * The entities that an internal document type subset declares as short plain text. Others stay undeclared: those that
 * refer to entities, hold markup, or are in another document.
 */
export function declaredEntities(subset: string): Map<string, string> {
  const entities = new Map<string, string>();
  for (const [, name = '', double, single] of subset.matchAll(ENTITY)) {
    const value = double ?? single ?? '';
    if (entities.size >= MAX_ENTITIES) break;
    // The first declaration binds (XML 1.0 §4.2).
    if (!/[&%](?!#)/.test(value) && !entities.has(name)) entities.set(name, value.replace(REFERENCE, decodeCharacter));
  }
  return entities;
}

/** Decodes the references of one document, each text once: what a reference stands for holds no other. */
export class ReferenceDecoder {
  readonly #entities: ReadonlyMap<string, string>;
  readonly #onError: () => void;
  #expansions = 0;

  /** @param onError called for each reference that XML does not know, and for each bare `&` */
  constructor(entities: ReadonlyMap<string, string>, onError: () => void) {
    this.#entities = entities;
    this.#onError = onError;
  }

  /** Undeclared names of HTML such as `&nbsp;` are decoded too; other names stay as written. */
  decode(text: string): string {
    if (!text.includes('&')) return text;
    return text.replace(REFERENCE, (whole, decimal?: string, hex?: string, name?: string) =>
      name === undefined ? this.#character(whole, decimal, hex) : this.#entity(whole, name),
    );
  }

  #character(whole: string, decimal?: string, hex?: string): string {
    if (whole === '&') this.#onError();
    return decodeCharacter(whole, decimal, hex);
  }

  #entity(whole: string, name: string): string {
    const predefined = PREDEFINED.get(name);
    if (predefined !== undefined) return predefined;
    const declared = this.#entities.get(name);
    if (declared !== undefined && ++this.#expansions <= MAX_EXPANSIONS) return declared;
    this.#onError();
    return htmlCharacter(whole);
  }
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
