/** Renders the editor's note of an edition. Pure. */
import { sanitiseMarkdown } from '../../articles/sanitise.ts';
import type { Config } from '../../core/config/config.ts';
import { ownSites } from '../../core/config/sources.ts';
import type { Paragraph } from './edition-view.ts';
import { buildExcerpt } from './excerpt.ts';

/** Characters of Markdown. A longer note is an article: write one, and pin it. */
export const MAX_NOTE_LENGTH = 2_000;

/** Bytes of HTML, and paragraphs. The longest note in Chinese, with links, fits. */
const LIMITS = { paragraphs: 20, bytes: 12_000 };

/**
 * Renders Markdown to paragraphs with links and emphasis. List items are paragraphs with a bullet, headings are bold
 * paragraphs; pictures, tables and listings are omitted. Relative addresses are below the publication's. Anything
 * beyond `MAX_NOTE_LENGTH` is cut off.
 */
export function renderNote(markdown: string, config: Pick<Config, 'publication' | 'sources'>): Paragraph[] {
  const { html } = sanitiseMarkdown(markdown.slice(0, MAX_NOTE_LENGTH), ownSites(config));
  // An excerpt never ends on a heading, but a note may be nothing else.
  const body = html.replace(/<(\/?)h[2-4]>/g, (_, slash: string) => (slash === '' ? '<p><strong>' : '</strong></p>'));
  return buildExcerpt(body, LIMITS).paragraphs;
}
