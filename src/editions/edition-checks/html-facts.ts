/** What the checks read of an edition's HTML. */
import { Parser } from 'htmlparser2';

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
