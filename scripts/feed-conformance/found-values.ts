/** What daywire finds in a feed, under the names of the parser whose test suite is read, and how the two compare. */
import { Parser } from 'htmlparser2';
import { parseWrittenDate } from '../../src/lib/written-date.ts';
import type { ParsedItem } from '../../src/sources/feed/parsed-feed.ts';
import { authorName } from '../../src/sources/feed/xml-item.ts';
import type { SourceEnclosure, SourceImage } from '../../src/sources/source-item.ts';
import type { PythonValue } from './python-expression.ts';

/** A value that daywire found, with what makes an expected one the same. */
export class FoundValue {
  readonly value: unknown;
  readonly equals: (expected: PythonValue) => boolean;

  constructor(value: unknown, equals: (expected: PythonValue) => boolean) {
    this.value = value;
    this.equals = equals;
  }
}

export type Found = FoundValue | Found[] | { [key: string]: Found } | undefined;

/** Keys that daywire does not keep are missing. */
export function foundItem(item: ParsedItem): Found {
  const published = item.publishedAt ?? item.updatedAt;
  const updated = item.updatedAt ?? item.publishedAt;
  const authors = item.authors.map((name) => ({ name: exact(name) }));
  const summary = markup(item.summary ?? item.content);
  return {
    title: markup(item.title, item.title),
    title_detail: { value: markup(item.title, item.title) },
    link: url(item.link),
    id: exact(item.id),
    guid: exact(item.id),
    published: date(published),
    published_parsed: dateTuple(published),
    created: date(published),
    created_parsed: dateTuple(published),
    updated: date(updated),
    updated_parsed: dateTuple(updated),
    author: new FoundValue(item.authors[0], (expected) => item.authors[0] === authorName(String(expected))),
    author_detail: authors[0],
    authors,
    summary,
    description: summary,
    summary_detail: { value: summary },
    content: [{ value: markup(item.content ?? item.summary) }],
    category: exact(item.categories[0]),
    tags: item.categories.map((category) => ({ term: exact(category), label: exact(category) })),
    enclosures: [...item.images, ...item.enclosures].map(foundFile),
  };
}

function foundFile({ url: address, type, length }: SourceEnclosure | SourceImage): Found {
  return { href: url(address), url: url(address), type: exact(type), length: exact(length) };
}

function exact(value: string | number | null | undefined): FoundValue {
  return new FoundValue(value, (expected) =>
    expected === null ? value == null : value != null && String(value) === String(expected),
  );
}

/** URLs are the same if the URL Standard writes them the same. */
function url(value: string | null): FoundValue {
  return new FoundValue(value, (expected) => {
    const text = String(expected);
    return value !== null && (value === text || (URL.canParse(text) && new URL(text).href === value));
  });
}

function date(instant: number | null): FoundValue {
  return new FoundValue(instant, (expected) => instant !== null && parseWrittenDate(String(expected)) === instant);
}

/** Python's `time.struct_time` in UTC: year, month, day, hour, minute, second … */
function dateTuple(instant: number | null): FoundValue {
  return new FoundValue(instant, (expected) => {
    if (!Array.isArray(expected) || instant === null) return false;
    const [year, month, day, hour, minute, second] = expected.map(Number);
    return Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second) === instant;
  });
}

/**
 * Markup is the same if it has the same tags and text in the same order, however it is written. A title of daywire is
 * plain text: then the expected text counts, as it is or without its markup.
 */
function markup(html: string | null, text?: string | null): FoundValue {
  return new FoundValue(html, (expected) => {
    if (html === null) return expected === '' || expected === null;
    const wanted = String(expected);
    if (text === undefined) return partsOf(html) === partsOf(wanted) || textOf(html) === wanted.trim();
    return text === wanted.trim() || text === textOf(wanted);
  });
}

/** Tags without those that only one of the two sanitisers keeps, attributes in order of their names. */
function partsOf(html: string): string {
  const parts: string[] = [];
  let text = '';
  const flush = (): void => {
    const line = text.replace(/\s+/g, ' ').trim();
    if (line !== '') parts.push(JSON.stringify(line));
    text = '';
  };
  const parser = new Parser({
    onopentag: (name, attributes) => {
      flush();
      const written = Object.entries(attributes)
        .sort()
        .map((attribute) => attribute.join('='));
      parts.push(`<${[name, ...written].join(' ')}>`);
    },
    ontext: (part) => {
      text += part;
    },
    onclosetag: (name) => {
      flush();
      parts.push(`</${name}>`);
    },
  });
  parser.end(html);
  flush();
  return parts.join('');
}

function textOf(html: string): string {
  let text = '';
  const parser = new Parser({
    ontext: (part) => {
      text += part;
    },
  });
  parser.end(html);
  return text.replace(/\s+/g, ' ').trim();
}
