/** Sources as text, and as JSON with instants in RFC 3339, UTC. */
import { record } from '../../core/cli/text.ts';
import { count } from '../../lib/text/count.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { SourceTest } from '../polling/source-kind.ts';
import { apiName } from '../source-state.ts';
import { needsSomebody, type SourceStatus } from '../source-status.ts';

const time = (instant: number | null): string | null => (instant === null ? null : rfc3339(instant));

/** A source as `--json` prints it. */
export function sourceJson(source: SourceStatus): object {
  const { since, polledAt, succeededAt, nextAt, pausedAt, failingSince, isRepaired: repaired, ...rest } = source;
  return {
    ...{ ...rest, since: time(since), polled: time(polledAt), succeeded: time(succeededAt), next: time(nextAt) },
    ...{ paused: time(pausedAt), failingSince: time(failingSince), repaired },
  };
}

/** One line. */
export function formatSource(source: SourceStatus): string {
  const { id, url, outlet, api, items, polledAt, isRepaired } = source;
  const what = outlet ?? (api === null ? 'not found yet' : apiName(api));
  const parts = [
    `${id}: ${what}, ${url}, ${count(items, outlet === null ? 'post' : 'item')}`,
    polledAt === null ? null : `polled ${time(polledAt)}`,
    stateText(source),
    isRepaired ? 'its feed is not well-formed, and was repaired' : null,
    decision(source),
  ];
  return parts.filter((part) => part !== null).join('; ');
}

function stateText(source: SourceStatus): string {
  const { id, state, since, nextAt, pausedAt, reason } = source;
  if (state === 'new') return 'not polled yet';
  if (state === 'read') return `next ${time(nextAt)}`;
  if (state === 'paused') return `PAUSED since ${time(pausedAt)}`;
  const name = needsSomebody({ state, waiting: 0, held: 0 }) ? state.toUpperCase() : state;
  const why = reason === null ? '' : `: ${reason}`;
  const remedy = state === 'gone' ? `; "daywire sources resume ${id}" tries it again` : '';
  return `${name} since ${time(since)}${nextAt === null ? '' : `, next ${time(nextAt)}`}${why}${remedy}`;
}

/** The decisions that items wait for; null if none does. */
function decision({ id, waiting, held }: SourceStatus): string | null {
  const parts = [
    ...(waiting === 0 ? [] : [`${count(waiting, 'post')} gone: decide with "daywire sources withdraw ${id}"`]),
    ...(held === 0 ? [] : [`${held} held: decide with "daywire sources accept ${id}"`]),
  ];
  return parts.join('; ') || null;
}

/** All of it, a line for each. */
export function formatSourceDetails(source: SourceStatus): string {
  const { id, url, outlet, api, endpoint, movedTo, items, lastDay, failures, failingSince } = source;
  const repaired = source.isRepaired ? '; not well-formed, and repaired' : '';
  const found = api === null || endpoint === null ? 'not found yet' : `${apiName(api)} at ${endpoint}${repaired}`;
  return record([
    ['source', id],
    ['outlet', outlet],
    ['url', url],
    ['polls', found],
    ['state', stateText(source)],
    ['failing', failingSince === null ? null : `since ${time(failingSince)}, ${count(failures, 'poll')}`],
    ['redirects', movedTo],
    ['items', `${items}, ${lastDay} of them new in the last 24 hours`],
    ['decide', decision(source)],
    ['polled', time(source.polledAt)],
    ['succeeded', time(source.succeededAt)],
    ['next', time(source.nextAt)],
  ]).join('\n');
}

/** What a test of a source has found, with its newest items. */
export function formatSourceTest({ what, endpoint, title, items, newest, notes }: SourceTest): string {
  return [
    `${what} at ${endpoint}: ${title === null ? '' : `“${title}”, `}${count(items, 'item')}`,
    ...newest.map(({ headline, url, published, detail }) => {
      return `  ${headline}\n    ${published ?? 'no date'}, ${detail}, ${url ?? 'no address'}`;
    }),
    ...notes,
    'nothing was stored',
  ].join('\n');
}
