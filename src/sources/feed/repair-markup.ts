/** Repairs of a document before its tags are read. */

export interface RepairedMarkup {
  /** Without a document type. */
  xml: string;
  problems: string[];
}

const CDATA = '<![CDATA[';
/** Elements whose text may be a CDATA section that is not closed. */
const WITH_CDATA = new RegExp(
  '<([A-Za-z][\\w.-]*:)?(title|link|guid|description|summary|content|encoded|category|creator|author|body)' +
    '\\b[^<>]*>\\s*$',
  'i',
);
/** Characters before a section among which its start tag is looked for. */
const START_TAG_LENGTH = 500;
/** A `<` that begins no tag, such as the one of `1 < 2` or `<3`. */
const BARE = /<(?![A-Za-z_:/!?])/;
const EVERY_BARE = new RegExp(BARE, 'g');

/**
 * Removes the document type, closes CDATA sections that are not closed, and escapes each
 * `<` that begins no tag.
 *
 * A section is not closed if the end tag of its own element is in it, and after that another section or the end of the
 * document. It ends before that end tag.
 */
export function repairMarkup(document: string): RepairedMarkup {
  const xml = withoutDocumentType(document);
  const parts: string[] = [];
  const problems = new Set<string>();
  const endTags = new NextPositions(xml);
  let at = 0;
  for (;;) {
    const section = xml.indexOf(CDATA, at);
    const before = section === -1 ? xml.slice(at) : xml.slice(at, section);
    parts.push(escapeBare(before, problems));
    if (section === -1) break;
    const end = endTags.after(']]>', section);
    const element = startTagBefore(xml, section);
    const cut = element === null ? null : unclosedAt(section, end, element, endTags);
    if (cut !== null) {
      problems.add('a CDATA section was not closed');
      parts.push(xml.slice(section, cut), ']]>');
      at = cut;
    } else {
      if (end === -1) problems.add('a CDATA section was not closed');
      at = end === -1 ? xml.length : end + 3;
      parts.push(xml.slice(section, at));
    }
  }
  return { xml: problems.size === 0 ? xml : parts.join(''), problems: [...problems] };
}

/** Escapes outside of comments. */
function escapeBare(markup: string, problems: Set<string>): string {
  if (!BARE.test(markup)) return markup;
  const parts: string[] = [];
  let at = 0;
  while (at < markup.length) {
    const comment = markup.indexOf('<!--', at);
    const text = comment === -1 ? markup.slice(at) : markup.slice(at, comment);
    if (BARE.test(text)) problems.add('a “<” was not escaped');
    parts.push(text.replace(EVERY_BARE, '&lt;'));
    if (comment === -1) break;
    const end = markup.indexOf('-->', comment);
    at = end === -1 ? markup.length : end;
    parts.push(markup.slice(comment, at));
  }
  return parts.join('');
}

/** The name of the element that a section begins, as written. */
function startTagBefore(xml: string, section: number): string | null {
  const found = WITH_CDATA.exec(xml.slice(Math.max(0, section - START_TAG_LENGTH), section));
  return found === null ? null : `${found[1] ?? ''}${found[2]}`;
}

/** Where an unclosed section should have ended, or null. @param end of the section by the rules of XML, or -1 */
function unclosedAt(section: number, end: number, element: string, positions: NextPositions): number | null {
  const endTag = positions.after(`</${element}>`, section);
  if (endTag === -1) return null;
  const next = positions.after(CDATA, section + CDATA.length);
  const hasNext = next !== -1 && (end === -1 || next < end);
  // Without another section within, one that is closed may be text about feeds.
  if (end !== -1 && !hasNext) return null;
  return hasNext && next < endTag ? null : endTag;
}

/** Removes `<!DOCTYPE … [ … ]>` before the first element. */
function withoutDocumentType(document: string): string {
  const start = /<!doctype\s|<[A-Za-z]/i.exec(document);
  if (start === null || start[0][1] !== '!') return document;
  const from = start.index;
  const bracket = document.indexOf('[', from);
  const firstEnd = document.indexOf('>', from);
  if (firstEnd === -1) return document.slice(0, from);
  if (bracket === -1 || bracket > firstEnd) return document.slice(0, from) + document.slice(firstEnd + 1);
  const end = END_OF_SUBSET.exec(document.slice(bracket));
  if (end === null) return document;
  return document.slice(0, from) + document.slice(bracket + end.index + end[0].length);
}

const END_OF_SUBSET = /\]\s*>/;

/** Finds the next position of a few parts of a text, asked for in ascending order, in linear time. */
class NextPositions {
  readonly #text: string;
  readonly #last = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** The first position at or after `from`, or -1. */
  after(part: string, from: number): number {
    const last = this.#last.get(part);
    if (last === -1 || (last !== undefined && last >= from)) return last;
    const position = this.#text.indexOf(part, from);
    this.#last.set(part, position);
    return position;
  }
}
