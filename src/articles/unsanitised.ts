/**
 * Checks the bodies in the store before a feed carries them: an earlier version may have sanitised them, or somebody
 * may have changed the store. HTML that this version has written is recognised without parsing it again.
 */
import { cleanUrl } from '../lib/text/clean-text.ts';
import { BodyError, ELEMENTS, MAX_DEPTH, sanitise, VOID } from './sanitise.ts';

/**
 * Checks that HTML is as the sanitiser leaves it, except for the way in which characters are escaped.
 * @returns the tags that the sanitiser would remove or change, one sentence each
 */
export function findUnsanitised(html: string): string[] {
  return isWrittenBySanitiser(html) ? [] : findProblems(html);
}

/** Parses the HTML again, which takes up to a second for a megabyte. */
function findProblems(html: string): string[] {
  const problems = new Set<string>();
  // The sanitiser escapes every `<` of a text or value, so this is a tag that has no end.
  if (/<[^>]*$/.test(html)) problems.add('the body ends inside a tag');
  try {
    sanitise(html, null, {
      onChanged: (what) => problems.add(`the body holds ${what.slice(0, 120)}, which no feed may carry`),
    });
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    problems.add(`the body ${error.message}`);
  }
  return [...problems];
}

const NUMBER = '(?:0|[1-9]\\d{0,4})';
/** A tag as `sanitise` writes it. */
const WRITTEN_TAG = new RegExp(
  `<(?:/([a-z0-9]+)|a href="([^"<>]*)"|img src="([^"<>]*)" alt="[^"<>]*"(?: width="${NUMBER}")?` +
    `(?: height="${NUMBER}")? /|([a-z0-9]+)((?: [a-z]+="${NUMBER}")*)( /)?)>`,
  'y',
);
const LIST_START = new RegExp(`^ start="${NUMBER}"$`);
const CELL_SPANS = new RegExp(`^(?: colspan="${NUMBER}")?(?: rowspan="${NUMBER}")?$`);

/**
 * Whether HTML has only tags that the sanitiser writes, each with its end: then `findProblems` finds none, but takes
 * ten times as long. False for some other HTML without problems.
 */
function isWrittenBySanitiser(html: string): boolean {
  const open: string[] = [];
  const origins = new Set<string>();
  for (let at = html.indexOf('<'); at !== -1; at = html.indexOf('<', WRITTEN_TAG.lastIndex)) {
    WRITTEN_TAG.lastIndex = at;
    const tag = WRITTEN_TAG.exec(html);
    if (tag === null) return false;
    const [, closed, href, src, name, numbers, slash] = tag;
    if (closed !== undefined) {
      if (open.pop() !== closed) return false;
      continue;
    }
    if (open.length >= MAX_DEPTH) return false;
    if (href !== undefined) {
      if (open.includes('a') || !isWrittenLink(href, origins)) return false;
      open.push('a');
    } else if (src !== undefined) {
      if (!isWrittenUrl(src, origins)) return false;
    } else {
      if (!isWrittenElement(name as string, numbers as string, slash !== undefined)) return false;
      if (slash === undefined) open.push(name as string);
    }
  }
  return open.length === 0;
}

function isWrittenElement(name: string, attributes: string, isVoid: boolean): boolean {
  if (!ELEMENTS.has(name) || isVoid !== VOID.has(name)) return false;
  switch (name) {
    // They have an address.
    case 'a':
    case 'img':
      return false;
    case 'ol':
      return attributes === '' || LIST_START.test(attributes);
    case 'td':
    case 'th':
      return CELL_SPANS.test(attributes);
    default:
      return attributes === '';
  }
}

function isWrittenLink(href: string, origins: Set<string>): boolean {
  if (!/^mailto:[!-~]*$/.test(href)) return isWrittenUrl(href, origins);
  const address = href.replaceAll('&amp;', '&');
  return !/&(?!amp;)/.test(href) && URL.canParse(address) && new URL(address).href === address;
}

/** Whether it is an absolute http or https URL. @param origins that have been checked; new ones are added */
function isWrittenUrl(url: string, origins: Set<string>): boolean {
  // After host and port, the parser of URLs rejects nothing (WHATWG URL §4.4).
  const [origin] = /^https?:\/\/[\w.:[\]-]+(?=[/?#]|$)/.exec(url) ?? [];
  if (origin === undefined) return false;
  if (!origins.has(origin) && cleanUrl(origin) === null) return false;
  origins.add(origin);
  return true;
}
