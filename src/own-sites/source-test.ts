/** Tries a source: what is found there, and what its newest posts would become. Nothing is stored. */
import { parseInThread, parseRules } from '../articles/import/parse-in-thread.ts';
import type { AppContext } from '../core/app-context.ts';
import type { ArticleSource } from '../core/config/config.ts';
import { openConfiguredClient } from '../core/config/fetching.ts';
import { sourceKey } from '../core/config/source-keys.ts';
import { openGhost } from '../sources/cms/ghost.ts';
import { openWordPress } from '../sources/cms/wordpress.ts';
import { discoverApi, type FoundApi } from '../sources/discover.ts';
import { problemOfDatesAhead } from '../sources/feed/dates-ahead.ts';
import type { SourceTest } from '../sources/polling/source-kind.ts';
import { askForOk, type Requester } from '../sources/request.ts';
import { apiName } from '../sources/source-state.ts';
import { readPageInThread } from './poll-steps.ts';
import { entriesOf, type ItemEntry, type PageEntry } from './read-page.ts';

const PAGE_SIZE = 20;
const SHOWN = 5;

/** @throws PollError that says what was tried */
export async function testSite(
  app: Pick<AppContext, 'config' | 'clock'>,
  source: ArticleSource,
  signal: AbortSignal,
): Promise<SourceTest> {
  const { clock } = app;
  // As if it were configured: its own addresses are not foreign.
  const config = { ...app.config, sources: [source] };
  const requester: Requester = { client: openConfiguredClient(app.config), clock, signal };
  const { id, url, api } = source;
  const found = await discoverApi(requester, { url, api, key: sourceKey(config, id) });
  const answer = await askForOk(requester, ...newestOf(found, sourceKey(config, id)));
  const page = await readPageInThread(answer, found.api, { config, source, clock, signal });
  const entries: PageEntry[] = [];
  for await (const part of entriesOf(page, PAGE_SIZE)) entries.push(...part);
  // Without those that the configuration leaves out.
  const items = entries.filter((entry) => entry.kind === 'item' && entry.record !== null) as ItemEntry[];
  const texts = items.map(({ key, record }) => {
    const name = `${id}/${key}`;
    return { name, format: 'jsonl' as const, line: null, text: JSON.stringify(record), defaultId: null };
  });
  const results = await parseInThread(parseRules(config), texts, signal);
  const dates = found.api === 'feed' ? items.flatMap(({ publishedAt }) => publishedAt ?? []) : [];
  const ahead = problemOfDatesAhead(dates, clock(), config.publication.zone);
  const unmapped = Object.entries(unmappedCategories(items)).map(([name, number]) => `${name} (${number})`);
  return {
    ...{ what: apiName(found.api), endpoint: found.endpoint, title: null, items: entries.length },
    newest: results.slice(0, SHOWN).map((result, index) => {
      const { headline = '', url = null, record } = items[index] ?? {};
      const published = typeof record?.published === 'string' ? record.published : null;
      const candidate = result.kind === 'valid' ? result.candidate : null;
      const detail = `${candidate?.section ?? 'no section'}, ${candidate?.bodyHtml.length ?? 0} characters`;
      return { headline, url, published, detail };
    }),
    notes: [
      ...found.notes,
      ...(page.pages !== null && page.pages > 1 ? [`this is the first of ${page.pages} pages`] : []),
      ...(unmapped.length > 0 ? [`categories without a section (map them by "sections"): ${unmapped.join(', ')}`] : []),
      ...(ahead === null ? page.problems : [...page.problems, ahead]).map((problem) => `${id}: ${problem}`),
      ...entries.flatMap((entry) => (entry.kind === 'unreadable' ? `${id}/${entry.key}: ${entry.rule}` : [])),
      ...results.flatMap((result) => (result.kind === 'valid' ? result.warnings : result.problems)),
    ],
  };
}

/** Categories of articles that get no section, by the number of those articles. */
function unmappedCategories(items: ItemEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { record, categories } of items) {
    if (record === null || record.section !== null) continue;
    for (const name of categories) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function newestOf(
  { api, endpoint }: FoundApi,
  key: string | undefined,
): [url: string, headers: Record<string, string>] {
  if (api === 'feed') return [endpoint, {}];
  const cms = api === 'ghost' ? openGhost(endpoint, key ?? '') : openWordPress(endpoint);
  return [cms.newestUrl(PAGE_SIZE), cms.headers];
}
