/** Sources as text, and as JSON with instants in RFC 3339, UTC. */
import { count } from '../../core/cli/text.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { OutletTest } from '../../outlets/polling/try-outlet.ts';
import type { SourceTest } from '../../own-sites/source-test.ts';
import { apiName } from '../source-state.ts';
import { type OutletStatus, type SiteStatus, type SourceStatus, sourceState } from '../source-status.ts';

const time = (instant: number | null): string | null => (instant === null ? null : rfc3339(instant));

/** A source as `--json` prints it. */
export function sourceJson(source: SourceStatus): object {
  const { id, url, endpoint, items, lastDay, waiting, problem, isRepaired: repaired } = source;
  const polls = {
    ...{ polled: time(source.polledAt), succeeded: time(source.succeededAt) },
    ...{ next: time(source.nextAt), paused: time(source.pausedAt) },
  };
  if (source.use === 'articles') {
    const failingSince = time(source.failingSince);
    return { id, url, ...{ api: source.api, endpoint, items, waiting }, ...polls, failingSince, problem, repaired };
  }
  const { use, outlet, state, since, reason, movedTo } = source;
  return {
    ...{ use, id, outlet, url, endpoint, state, since: time(since), reason, movedTo },
    ...{ items, lastDay, held: waiting, ...polls, repaired },
  };
}

/** One line. */
export function formatSource(source: SourceStatus): string {
  const { polledAt, pausedAt } = source;
  const [name, problem, ...notes] = source.use === 'articles' ? siteParts(source) : outletParts(source);
  const polled = polledAt === null ? null : `polled ${time(polledAt)}`;
  const state = pausedAt === null ? problem : `PAUSED since ${time(pausedAt)}`;
  return [name, polled, state, ...notes].filter((part) => part !== null).join('; ');
}

type Parts = [name: string, state: string | null, ...notes: (string | null)[]];

function siteParts({ id, url, api, items, waiting, failingSince, nextAt, problem, isRepaired }: SiteStatus): Parts {
  return [
    `${id}: ${url}, ${api === null ? 'not found yet' : apiName(api)}, ${count(items, 'post')}`,
    failingSince === null ? null : `FAILING since ${time(failingSince)}, next at ${time(nextAt)}: ${problem}`,
    isRepaired ? 'its feed is not well-formed, and was repaired' : null,
    waiting === 0 ? null : `${count(waiting, 'post')} gone: decide with "daywire sources withdraw ${id}"`,
  ];
}

function outletParts(source: OutletStatus): Parts {
  const { id, outlet, url, items, waiting } = source;
  return [
    `${id}: ${outlet}, ${url}, ${count(items, 'item')}`,
    feedState(source),
    waiting === 0 ? null : `${waiting} held: decide with "daywire sources accept ${id}"`,
  ];
}

function feedState(source: OutletStatus): string {
  const { state, since, nextAt, reason } = source;
  if (state === null) return 'not polled yet';
  if (state === 'active') return `next ${time(nextAt)}`;
  const name = sourceState({ ...source, waiting: 0 }).needsSomebody ? state.toUpperCase() : state;
  const why = reason === null ? '' : `: ${reason}`;
  const remedy = state === 'gone' ? `; "daywire sources resume ${source.id}" tries it again` : '';
  return `${name} since ${time(since)}${nextAt === null ? '' : `, next ${time(nextAt)}`}${why}${remedy}`;
}

/** All of it, a line for each. */
export function formatSourceDetails(source: SourceStatus): string {
  const { polledAt, succeededAt, nextAt, pausedAt, failingSince, problem } = source;
  const isFailing = source.use === 'articles' && failingSince !== null;
  const lines: [string, string | null][] = [
    ['source', source.id],
    ...(source.use === 'articles' ? siteLines(source) : outletLines(source)),
    ['polled', time(polledAt)],
    ['succeeded', time(succeededAt)],
    ['next', time(nextAt)],
    ['paused', time(pausedAt)],
    ['failing', isFailing ? `since ${time(failingSince)}: ${problem}` : null],
  ];
  return lines.flatMap(([name, text]) => (text === null ? [] : `${name.padEnd(9)} ${text}`)).join('\n');
}

function siteLines({ id, url, api, endpoint, items, waiting, isRepaired }: SiteStatus): [string, string | null][] {
  return [
    ['url', url],
    ['polls', api === null ? 'not found yet' : `${apiName(api)} at ${endpoint}`],
    ['posts', `${items}${isRepaired ? '; the feed is not well-formed, and was repaired' : ''}`],
    ['gone', waiting === 0 ? null : `${waiting} wait for "daywire sources withdraw ${id}"`],
  ];
}

function outletLines(source: OutletStatus): [string, string | null][] {
  const { id, outlet, url, endpoint, state, since, reason, movedTo, items, lastDay, waiting, isRepaired } = source;
  return [
    ['outlet', outlet],
    ['url', url],
    ['feed', endpoint === null ? 'not read yet' : `${endpoint}${isRepaired ? '; not well-formed, and repaired' : ''}`],
    ['state', state === null ? 'not polled yet' : `${state} since ${time(since)}`],
    ['reason', reason],
    ['redirects', movedTo],
    ['items', `${items}, ${lastDay} of them new in the last 24 hours`],
    ['held', waiting === 0 ? null : `${waiting} wait for "daywire sources accept ${id}"`],
    ['gone', state === 'gone' ? `try it again with "daywire sources resume ${id}"` : null],
  ];
}

/** What a test of a site has found, with the first articles. */
export function formatSourceTest(test: SourceTest): string {
  const { api, endpoint, notes, items, pages, articles, unmapped, problems } = test;
  const without = Object.entries(unmapped).map(([name, number]) => `${name} (${number})`);
  const all = pages === null || pages <= 1 ? '' : ` on the first of ${pages} pages`;
  return [
    `${apiName(api)} at ${endpoint}: ${count(items, 'post')}${all}`,
    ...notes.map((note) => `note: ${note}`),
    ...articles.map(({ headline, published, section, url, characters }) => {
      const details = [
        published ?? 'no date',
        section ?? 'no section',
        `${characters} characters`,
        url ?? 'no address',
      ];
      return `  ${headline}\n    ${details.join(', ')}`;
    }),
    ...(without.length === 0 ? [] : [`categories without a section (map them by "sections"): ${without.join(', ')}`]),
    ...problems,
    nothingStored(problems),
  ].join('\n');
}

/** What a test of an outlet's feed has found, with the newest reports. */
export function formatOutletTest({ endpoint, title, items, undated, reports, problems }: OutletTest): string {
  const dates = undated === 0 ? '' : `, ${undated} without a date`;
  return [
    `a feed at ${endpoint}: ${title === null ? 'no title' : `“${title}”`}, ${count(items, 'report')}${dates}`,
    ...reports.map(({ headline, url, published, knownBy }) => {
      return `  ${headline}\n    ${published ?? 'no date'}, known by its ${knownBy}, ${url}`;
    }),
    ...problems,
    nothingStored(problems),
  ].join('\n');
}

function nothingStored(problems: readonly string[]): string {
  return problems.length > 0 ? `${count(problems.length, 'problem')}; nothing was stored` : 'nothing was stored';
}
