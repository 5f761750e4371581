/** The text of HTML as a source has it, such as a title with entities and emphasis. */
import { Parser } from 'htmlparser2';
import { cleanLine } from '../lib/text/clean-text.ts';
import { flattenDeepHtml } from './flatten-html.ts';

const HIDDEN = new Set(['script', 'style', 'template', 'noscript']);
const BLOCKS = new Set(['br', 'p', 'div', 'li', 'tr', 'td', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'blockquote']);

/** On one line; blocks count as spaces, and scripts as nothing. */
export function textOfHtml(html: string): string {
  let text = '';
  let hidden = 0;
  const parser = new Parser({
    onopentag(name) {
      if (HIDDEN.has(name)) hidden += 1;
      if (BLOCKS.has(name)) text += ' ';
    },
    onclosetag(name) {
      if (HIDDEN.has(name)) hidden -= 1;
      if (BLOCKS.has(name)) text += ' ';
    },
    ontext(part) {
      if (hidden === 0) text += part;
    },
  });
  parser.write(flattenDeepHtml(html));
  parser.end();
  return cleanLine(text);
}
