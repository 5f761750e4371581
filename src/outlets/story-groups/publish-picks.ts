/**
 * Writes the articles of story groups, through the import of articles. An article and the note that it reflects the
 * group are one transaction, so that a process that ends before leaves the group to the next pass.
 */
import { MAX_ALSO } from '../../articles/article.ts';
import { importFiles } from '../../articles/import/import.ts';
import type { ImportFile } from '../../articles/import/import-files.ts';
import { ROUNDUP_ORIGIN } from '../../articles/import/origin.ts';
import { type ArticleImportResult, addToResult, emptyResult } from '../../articles/import/result.ts';
import type { SourceRecord } from '../../articles/import/source-record.ts';
import type { Config, RoundupSource } from '../../core/config/config.ts';
import { roundupSources } from '../../core/config/sources.ts';
import type { Store, Tx } from '../../core/store/store.ts';
import type { Clock } from '../../lib/time.ts';
import { markPublished, readUnpublishedGroups } from './group-rows.ts';
import { type PickedGroup, toRoundupRecord } from './roundup-record.ts';
import type { StoryGroup } from './story-group.ts';

/** Another process has written the article, or an editor has changed the group meanwhile. */
class StaleGroup extends Error {
  override name = 'StaleGroup';
}

/**
 * Writes all articles that do not reflect their group. Doing it again changes nothing.
 * @returns what the import of articles reports: a rejected article is tried again with the next call
 */
export async function publishPicks(store: Store, config: Config, clock: Clock): Promise<ArticleImportResult> {
  const report = emptyResult();
  for (const group of await readUnpublishedGroups(store.db)) {
    if (!isPicked(group)) continue;
    try {
      addToResult(report, await publishPick(store, config, group, clock));
    } catch (error) {
      // Whoever has changed it publishes that too.
      if (!(error instanceof StaleGroup)) throw error;
    }
  }
  return report;
}

function isPicked(group: StoryGroup): group is PickedGroup {
  return group.decision !== null && group.decision.articleId !== null && group.decision.pickedAt !== null;
}

function publishPick(store: Store, config: Config, group: PickedGroup, clock: Clock): Promise<ArticleImportResult> {
  const excerpts = roundupSources(config).flatMap(({ id, excerpt }): [string, number][] =>
    excerpt === undefined ? [] : [[id, excerpt]],
  );
  const record = toRoundupRecord(group, { excerpts: new Map(excerpts), maxAlso: MAX_ALSO });
  const { articleId, revision } = group.decision;
  const withBatch = async (tx: Tx, { rejectedCount }: ArticleImportResult): Promise<void> => {
    if (rejectedCount === 0 && !(await markPublished(tx, articleId, revision))) throw new StaleGroup(articleId);
  };
  // The names of keys that the configuration adds are for the newsroom's own files.
  const rules = {
    ...config,
    sources: [...config.sources, ...addedSources(group)],
    import: { ...config.import, keys: {} },
  };
  return importFiles(store, rules, [recordFile(articleId, JSON.stringify(record))], { clock, withBatch });
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

function recordFile(articleId: string, text: string): ImportFile {
  const path = pickPath(articleId);
  const records = async function* (): AsyncGenerator<SourceRecord> {
    yield { line: null, readTo: text.length, content: { kind: 'text', text } };
  };
  const place = { path, name: path, origin: ROUNDUP_ORIGIN };
  return { ...place, format: 'jsonl', bytes: text.length, fingerprint: '', modifiedAt: null, records };
}
