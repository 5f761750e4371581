/** Two versions of a text. */
import { html } from 'hono/html';
import { type TextPart, wordDifferences } from '../../../lib/text/word-differences.ts';
import type { Html } from '../html.ts';

/** Both versions of a text, with the words that the other one lacks marked. */
export function differences(theirs: string, mine: string): readonly [Html, Html] {
  const parts = wordDifferences(theirs, mine);
  const side = (own: TextPart['kind']): Html =>
    html`${parts.map(({ kind, text }) => (kind === 'same' ? text : kind === own ? html`<mark>${text}</mark>` : ''))}`;
  return [side('removed'), side('added')];
}
