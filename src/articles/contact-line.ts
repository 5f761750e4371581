/** The line with the addresses of an article's reporters and editors. */
import { mailto } from '../lib/address.ts';
import { type Locale, Markup } from '../lib/locale/locale.ts';
import { escapeHtml } from '../lib/text/html.ts';
import type { Byline } from './article.ts';

/** `Contact reporters A (a@…) and B (b@…), and editor C (c@…)`, as HTML; null if no byline has an address. */
export function contactLine(bylines: readonly Byline[], locale: Locale): string | null {
  const peopleOf = (role: Byline['role']): string[] =>
    bylines.flatMap(({ role: own, name, email }) => {
      if (own !== role || email === null) return [];
      const link = new Markup(`<a href="${escapeHtml(mailto(email))}">${escapeHtml(email)}</a>`);
      return locale.html('article.contactPerson', { name, email: link });
    });
  const [reporters, editors] = [peopleOf('reporter'), peopleOf('editor')];
  const count = reporters.length + editors.length;
  if (count === 0) return null;
  const lists = { reporters: locale.markupList(reporters), editors: locale.markupList(editors) };
  if (editors.length === 0) return locale.html('article.contactReporters', { count, people: lists.reporters });
  if (reporters.length === 0) return locale.html('article.contactEditors', { count, people: lists.editors });
  const counts = { total: count, reporterCount: reporters.length, editorCount: editors.length };
  return locale.html('article.contactBoth', { ...counts, ...lists });
}
