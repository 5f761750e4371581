/** Two versions of a text. */
import { html } from 'hono/html';
import { type TextPart, wordDifferences } from '../../../lib/text/word-differences.ts';
import type { Html } from '../html.ts';

/**
 * Both versions of a text side by side, with the words that the other one lacks marked. Takes the focus.
 * @param by who has written theirs
 * @param language BCP 47
 */
export function bothVersions(by: Html | string, theirs: string, mine: string, language?: string): Html {
  const parts = wordDifferences(theirs, mine);
  const lang = language === undefined ? '' : html` lang="${language}"`;
  const version = (title: Html, own: TextPart['kind']): Html =>
    html`<div><h3>${title}</h3><pre dir="auto"${lang}>${parts.map(({ kind, text }) =>
      kind === 'same' ? text : kind === own ? html`<mark>${text}</mark>` : '',
    )}</pre></div>`;
  return html`<div class="versions" role="group" aria-label="Both texts" tabindex="-1" autofocus>
${version(html`Theirs: ${by}`, 'removed')}
${version(html`Yours`, 'added')}</div>`;
}
