/** HTML that no writer has written: elements that nest so deep that each reader of them takes quadratic time. */
import { Parser } from 'htmlparser2';

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
