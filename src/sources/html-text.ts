/** The text of HTML as a source has it, such as a title with entities and emphasis. */
import { Parser } from 'htmlparser2';
import { cleanLine } from '../lib/text/clean-text.ts';

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

/** The sanitiser refuses a body at this depth. */
const MAX_DEPTH = 1_000;

/** The HTML itself, or its text with spaces in place of tags if elements nest a thousand deep. Takes linear time. */
export function flattenDeepHtml(html: string): string {
  return isDeep(html) ? html.replace(/<[^<>]*>/g, ' ').replaceAll('<', '&lt;') : html;
}

function isDeep(html: string): boolean {
  if (!hasManyTags(html)) return false;
  let depth = 0;
  const parser = new Parser({
    onopentagname: () => {
      depth++;
      if (depth >= MAX_DEPTH) parser.pause();
    },
    onclosetag: () => {
      if (depth < MAX_DEPTH) depth--;
    },
  });
  parser.end(html);
  return depth >= MAX_DEPTH;
}

/** Without many tags there is no depth; nearly every text has few. */
function hasManyTags(html: string): boolean {
  let at = -1;
  for (let count = 0; count < MAX_DEPTH; count++) {
    at = html.indexOf('<', at + 1);
    if (at === -1) return false;
  }
  return true;
}
