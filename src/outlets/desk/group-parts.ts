/**
 * Parts of the roundup's pages: a group's state, its outlets, links to reports.
 */
import { html } from 'hono/html';
import { parseLanguageTag } from '../../lib/names/language-tag.ts';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import type { Html } from '../../web/desk/desk-request.ts';
import { badge, statusMark } from '../../web/desk/parts/status-mark.ts';
import {
  firstItemOf,
  firstOfEachOutlet,
  type GroupedItem,
  newItems,
  type StoryGroup,
} from '../story-groups/story-group.ts';
import { countWithNoun } from './group-words.ts';

/** Names of outlets in a row. */
const NAMES = 8;

export function groupStateMark({ decision }: StoryGroup): Html {
  if (decision?.state === 'picked') return statusMark('good', decision.pickedBy === 'rule' ? 'by rule' : 'picked');
  return decision?.state === 'dropped' ? statusMark('off', 'dropped') : statusMark('waiting', 'new');
}

/** Marks what came after the editor's last look. */
export function newReportsBadge(group: StoryGroup): Html {
  const count = newItems(group).length;
  return count === 0 ? html`` : badge(countWithNoun(count, 'new report'), 'new');
}

/** `3 outlets: The Example, Second Post, Third Wire`, the first-named one first. */
export function outletNames(group: StoryGroup): Html {
  const [first, ...others] = firstOfEachOutlet([firstItemOf(group), ...group.items]) as [GroupedItem, ...GroupedItem[]];
  const more = others.length + 1 - NAMES;
  return html`<strong><bdi>${first.outlet}</bdi></strong>${others
    .slice(0, NAMES - 1)
    .map(({ outlet }) => html`, <bdi>${outlet}</bdi>`)}${more > 0 ? ` and ${more} more` : ''}`;
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
