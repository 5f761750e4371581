/**
 * Writes the articles of story groups, through the import of articles. An article and the note that it reflects the
 * group are one transaction, so that a process that ends before leaves the group to the next pass.
 *
 * The record of an article has the keys of daywire's own front matter, which the import validates like a file of the
 * newsroom. It takes headline and link from the outlets. An item without a sentence of the editor quotes the beginning
 * of the summary, but only where the source configures an `excerpt`.
 */
import { MAX_ALSO } from '../../articles/article.ts';
import { importRecord } from '../../articles/import/batch.ts';
import { ROUNDUP_ORIGIN } from '../../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../../articles/import/result.ts';
import type { Config } from '../../core/config/config.ts';
import type { RoundupSource } from '../../core/config/schema.ts';
import { roundupSources } from '../../core/config/sources.ts';
import type { Store, Tx } from '../../core/store/store.ts';
import { parseLanguageTag } from '../../lib/names/language-tag.ts';
import { boundedLine, cleanLine } from '../../lib/text/clean-text.ts';
import { type Clock, rfc3339 } from '../../lib/time.ts';
import { markPublished, readUnpublishedGroups } from './group-rows.ts';
import {
  firstItemOf,
  firstOfEachOutlet,
  type GroupDecision,
  type GroupedItem,
  reportedAt,
  type StoryGroup,
} from './story-group.ts';

/** Another process has written the article, or an editor has changed the group meanwhile. */
class StaleGroup extends Error {
  override name = 'StaleGroup';
}

/**
 * Writes all articles that do not reflect their group. Doing it again changes nothing.
 * @returns what the import of articles reports: a rejected article is tried again with the next call
 */
export async function publishPicks(store: Store, config: Config, clock: Clock): Promise<ArticleImportResult> {
  const result = emptyResult();
  for (const group of await readUnpublishedGroups(store.db)) {
    if (!isPicked(group)) continue;
    try {
      addToResult(result, await publishPick(store, config, group, clock));
    } catch (error) {
      // The editor who changed the group publishes it.
      if (!(error instanceof StaleGroup)) throw error;
    }
  }
  return result;
}

function isPicked(group: StoryGroup): group is PickedGroup {
  return group.decision !== null && group.decision.articleId !== null && group.decision.pickedAt !== null;
}

function publishPick(store: Store, config: Config, group: PickedGroup, clock: Clock): Promise<ArticleImportResult> {
  const record = toRoundupRecord(group, roundupSources(config));
  const { articleId, revision } = group.decision;
  const withBatch = async (tx: Tx, { rejectedCount }: ArticleImportResult): Promise<void> => {
    if (rejectedCount === 0 && !(await markPublished(tx, articleId, revision))) throw new StaleGroup(articleId);
  };
  const rules = { ...config, sources: [...config.sources, ...addedSources(group)] };
  const input = { place: pickPath(articleId), origin: ROUNDUP_ORIGIN, record };
  return importRecord(store, rules, input, { clock, withBatch });
}

/** Sites of reports that editors named: as those of sources, they may be in a network that `fetch.allow` names. */
function addedSources({ items }: StoryGroup): RoundupSource[] {
  return items.flatMap(({ id, source, url, outlet }) =>
    source === null ? [{ id: `added-${id}`, url, use: 'roundup', outlet }] : [],
  );
}

/** The place that a rejection of the article names. */
export function pickPath(articleId: string): string {
  return `roundup/${articleId}`;
}

/** A group with an article. */
export type PickedGroup = StoryGroup & { decision: GroupDecision & { articleId: string; pickedAt: number } };

/** The limits of the import. */
const MAX_HEADLINE = 500;
const MAX_OUTLET = 200;

/** The note on the page of an article whose pick was taken back. */
const RETRACTED_NOTE = 'This item is no longer part of the roundup.';

/** Makes the record of a group whose article is public or has been. Pure. */
export function toRoundupRecord(group: PickedGroup, sources: readonly Pick<RoundupSource, 'id' | 'excerpt'>[]) {
  const { decision } = group;
  const first = firstItemOf(group);
  const isByRule = decision.pickedBy === 'rule';
  return {
    id: decision.articleId,
    kind: 'roundup-item',
    headline: boundedLine(decision.headline ?? first.title, MAX_HEADLINE),
    published: rfc3339(decision.pickedAt),
    section: decision.section,
    // A report without a date has no known time: the time when it was first seen is not given as the outlet's.
    outlet: { ...creditOf(first), published: first.publishedAt === null ? null : rfc3339(reportedAt(first)) },
    also: otherOutlets(group, first).slice(0, MAX_ALSO).map(creditOf),
    byRule: isByRule,
    // The editor writes in the language of the publication, which is the default.
    language: isByRule ? languageOf(first) : null,
    image: decision.hasPicture ? pictureOf(group, first) : null,
    ...(decision.state === 'picked' ? {} : { state: 'retracted', note: RETRACTED_NOTE }),
    format: 'markdown',
    body: decision.text ?? excerptOf(first, sources.find(({ id }) => id === first.source)?.excerpt),
  };
}

/** Feeds name languages as they like; one that is no tag would cost the article. */
function languageOf({ language }: GroupedItem): string | null {
  return language === null ? null : parseLanguageTag(language);
}

/** The first report of each other outlet that the article credits, earliest first. */
function otherOutlets({ items, decision }: PickedGroup, first: GroupedItem): GroupedItem[] {
  const credited = new Set(decision.creditedItems);
  const [, ...others] = firstOfEachOutlet([first, ...items.filter(({ id }) => credited.has(id))]);
  return others;
}

function creditOf({ outlet, url }: GroupedItem): { name: string; url: string } {
  return { name: boundedLine(outlet, MAX_OUTLET), url };
}

/** The picture of the first item, else of the earliest report that has one. Its outlet is the credit. */
function pictureOf({ items }: StoryGroup, first: GroupedItem): object | null {
  const item = [first, ...items].find(({ imageUrl }) => imageUrl !== null);
  return item === undefined ? null : { url: item.imageUrl, credit: item.outlet };
}

/**
 * As Markdown that shows exactly these characters, in quotation marks; empty where nothing may be quoted. The outlet is
 * named first: the quotation may be shown without the rest of the item, as in the summary of a feed, and cut.
 */
function excerptOf({ outlet, summary }: GroupedItem, limit: number | undefined): string {
  const text = cleanLine(summary ?? '');
  if (limit === undefined || text === '') return '';
  const shown = `${boundedLine(outlet, MAX_OUTLET)}: “${boundedLine(text, limit)}”`;
  return shown.replace(MARKDOWN, '\\$&');
}

/** ASCII punctuation: a backslash makes each of them a literal character (CommonMark §2.4). */
const MARKDOWN = /[!-/:-@[-`{-~]/g;
