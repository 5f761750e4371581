/** Whom to write to about an article. */
import { mailto } from '../lib/address.ts';
import { type Locale, Markup } from '../lib/locale/locale.ts';
import { escapeHtml } from '../lib/text/html.ts';
import type { Byline } from './article.ts';

/** `Contact reporters A (a@…) and B (b@…), and editor C (c@…)`, as HTML; null if no byline has an address. */
export function contactLine(bylines: readonly Byline[], locale: Locale): string | null {
  const people = (role: Byline['role']): string[] =>
    bylines.flatMap(({ role: own, name, email }) =>
      own !== role || email === null
        ? []
        : `${locale.value(name)} (<a href="${escapeHtml(mailto(email))}">${escapeHtml(email)}</a>)`,
    );
  const [reporters, editors] = [people('reporter'), people('editor')];
  const list = (names: string[]): Markup => new Markup(locale.list(names));
  const count = reporters.length + editors.length;
  if (count === 0) return null;
  if (editors.length === 0) return locale.html('article.contactReporters', { count, people: list(reporters) });
  if (reporters.length === 0) return locale.html('article.contactEditors', { count, people: list(editors) });
  const counts = { total: count, reporterCount: reporters.length, editorCount: editors.length };
  return locale.html('article.contactBoth', { ...counts, reporters: list(reporters), editors: list(editors) });
}
