/** The links of an edition, each with the story that it belongs to. */
import { Parser } from 'htmlparser2';
import type { EditionView } from '../rendering/edition-view.ts';
import { isUrlKey, type ProblemPlace, shownStories, stringsIn } from './edition-problem.ts';

interface EditionLink {
  /** Without fragment. */
  url: string;
  /** The first story that has it; null for the note, the sponsor and the template's own links. */
  place: ProblemPlace | null;
}

/** No edition of stories has as many; a body full of links must not occupy the network. */
const MAX_LINKS = 500;

/**
 * Lists the http and https links of an edition, each once, in order: not those to the newsletter's own pages, which
 * every edition has.
 * @param hrefs the targets of the links in the HTML
 */
export function listLinks(view: EditionView, hrefs: readonly string[]): EditionLink[] {
  const standing = new Set(Object.values(view.links).map((url: string) => withoutFragment(url)));
  const places = placesOf(view);
  const links = new Map<string, EditionLink>();
  for (const href of hrefs) {
    const url = withoutFragment(href);
    if (url === null || standing.has(url) || links.size >= MAX_LINKS) continue;
    if (!links.has(url)) links.set(url, { url, place: places.get(url) ?? null });
  }
  return [...links.values()];
}

function placesOf(view: EditionView): Map<string, ProblemPlace> {
  const places = new Map<string, ProblemPlace>();
  for (const { place, story } of shownStories(view)) {
    for (const { keys, value } of stringsIn(story)) {
      const key = keys.at(-1) ?? '';
      const hrefs = key === 'html' ? readHtml(value).links : isUrlKey(key) ? [value] : [];
      for (const href of hrefs) {
        const url = withoutFragment(href);
        if (url !== null && !places.has(url)) places.set(url, place);
      }
    }
  }
  return places;
}

/** Null for what is not an address of the web, such as a mailto: link or a placeholder. */
function withoutFragment(href: string): string | null {
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  url.hash = '';
  return url.href;
}

export interface HtmlFacts {
  /** Targets of the links, entities decoded, in order, with repetitions. */
  links: string[];
  /** Addresses of pictures without an `alt` attribute. An empty one marks a decorative picture. */
  withoutAlt: string[];
  /** The visible text. */
  text: string;
}

export function readHtml(html: string): HtmlFacts {
  const facts: HtmlFacts = { links: [], withoutAlt: [], text: '' };
  const texts: string[] = [];
  let hidden = 0;
  const parser = new Parser({
    onopentag(name, { href, src, alt }) {
      if (name === 'a' && href !== undefined) facts.links.push(href);
      if (name === 'img' && alt === undefined) facts.withoutAlt.push(src ?? '');
      if (HIDDEN.has(name)) hidden += 1;
      texts.push(' ');
    },
    onclosetag(name) {
      if (HIDDEN.has(name)) hidden -= 1;
      texts.push(' ');
    },
    ontext(text) {
      if (hidden === 0) texts.push(text);
    },
  });
  parser.write(html);
  parser.end();
  facts.text = texts.join('');
  return facts;
}

const HIDDEN = new Set(['head', 'style', 'script']);
