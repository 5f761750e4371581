/** Parts of the roundup's pages: a group's state, its outlets, links to reports. */
import { html } from 'hono/html';
import { parseLanguageTag } from '../../lib/names/language-tag.ts';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { count } from '../../lib/text/count.ts';
import { shorten } from '../../lib/text/shorten.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import { bothVersions } from '../../web/desk/parts/differences.ts';
import { badge, statusMark } from '../../web/desk/parts/status-mark.ts';
import type { RoundupLogEntry } from '../story-groups/change-groups.ts';
import { sharedWords } from '../story-groups/shared-words.ts';
import {
  creditableOf,
  firstItemOf,
  firstOfEachOutlet,
  type GroupedItem,
  newItems,
  type StoryGroup,
} from '../story-groups/story-group.ts';

/** Names of outlets in a row. */
const NAMES = 8;

export function groupStateMark({ decision }: StoryGroup): Html {
  if (decision?.state === 'picked') return statusMark('good', decision.pickedBy === 'rule' ? 'by rule' : 'picked');
  return decision?.state === 'dropped' ? statusMark('off', 'dropped') : statusMark('waiting', 'new');
}

/** Marks what came after the editor's last look. */
export function newReportsBadge(group: StoryGroup): Html {
  const added = newItems(group).length;
  return added === 0 ? html`` : badge(count(added, 'new report'), 'new');
}

/** `3 outlets: The Example, Second Post, Third Wire`, the first-named one first. */
export function outletNames(group: StoryGroup): Html {
  const [first, ...others] = firstOfEachOutlet([firstItemOf(group), ...group.items]) as [GroupedItem, ...GroupedItem[]];
  const more = others.length + 1 - NAMES;
  return html`<strong><bdi>${first.outlet}</bdi></strong>${others
    .slice(0, NAMES - 1)
    .map(({ outlet }) => html`, <bdi>${outlet}</bdi>`)}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Why the reports are one group, and which of them perhaps are not. */
export function sharedLine(request: DeskRequest, group: StoryGroup): Html {
  const words = sharedWords(group.items);
  const doubtful = [...new Set(doubtfulItems(request, group).map(({ outlet }) => outlet))];
  if (words.length + doubtful.length === 0) return html``;
  const list = (names: string[]) => names.map((name, index) => html`${index === 0 ? '' : ', '}<bdi>${name}</bdi>`);
  return html`<p class="soft">${words.length === 0 ? '' : html`In common: ${list(words)}`}${
    doubtful.length === 0 ? '' : html` ${badge('not certain')} ${list(doubtful.slice(0, NAMES))}`
  }</p>`;
}

/** Reports that no rule counts or credits. None where no rule lets groups in, or an editor has decided. */
export function doubtfulItems({ desk }: DeskRequest, group: StoryGroup): GroupedItem[] {
  const { items, decision } = group;
  const hasRule = desk.app.config.newsletters.some(({ autoPick }) => autoPick !== undefined);
  if (!hasRule || items.length === 1 || decision?.state === 'dropped' || decision?.pickedBy === 'editor') return [];
  const certain = new Set(creditableOf(group).items);
  return items.filter((item) => !certain.has(item));
}

/** A link to a report, unless its address is none that a page may link to. */
export function reportLink({ url, title, language }: Pick<GroupedItem, 'url' | 'title' | 'language'>): Html {
  const address = cleanUrl(url);
  const lang = languageAttribute(language);
  if (address === null) return html`<bdi${lang}>${title}</bdi>`;
  return html`<a href="${address}" rel="noreferrer noopener" target="_blank" dir="auto"${lang}>${title}</a>`;
}

/** The language of another outlet's text, if its feed names one. */
export function languageAttribute(language: string | null): Html | '' {
  const tag = language === null ? null : parseLanguageTag(language);
  return tag === null ? '' : html` lang="${tag}"`;
}

/** Characters of a text that is quoted in a line. */
const QUOTED = 160;

/** The headline that the roundup shows, or would show. */
/** The sentence that is stored, beside one that was refused. @param isConflict another editor was first */
export function besideRefused({ decision }: StoryGroup, typed: string, isConflict: boolean): Html | '' {
  if (decision?.text == null) return '';
  if (isConflict) return bothVersions(html`<bdi>${decision.editor}</bdi>`, decision.text, typed);
  return html`<p class="hint">Stored now:</p>
<p class="own break" dir="auto">${decision.text}</p>`;
}

export function headlineOf(group: StoryGroup): string {
  return group.decision?.headline ?? firstItemOf(group).title;
}

/** Texts of editors are in the language of the desk. */
export function headlineLanguage(group: StoryGroup): Html | '' {
  return group.decision?.headline == null ? languageAttribute(firstItemOf(group).language) : '';
}

/**
 * Text about a command, to follow the name of its editor.
 * @param outletOf the outlet of a report, if it is known
 */
export function commandWords({ command, groups }: RoundupLogEntry, outletOf: (id: number) => string | null): string {
  const report = (id: number): string => outletOf(id) ?? `report ${id}`;
  switch (command.kind) {
    case 'pick':
      return `picked it: “${shorten(command.text, QUOTED)}”`;
    case 'edit':
      return command.text === undefined ? 'edited it' : `edited it: “${shorten(command.text, QUOTED)}”`;
    case 'first':
      return `named ${report(command.item)} first`;
    case 'drop':
      return 'dropped it';
    case 'restore':
      return 'restored it: neither picked nor dropped';
    case 'merge':
      return `merged ${groups.length} groups: ${groups.map((id) => `g${id}`).join(', ')}`;
    case 'split':
      return `made a group of ${command.items.map(report).join(', ')}`;
    case 'rule':
      return 'let it in, or credited new reports';
  }
}
