/** Feeds of other outlets as text. */

import { count } from '../../core/cli/text.ts';
import type { OutletStatus } from '../../outlets/outlet-status.ts';
import type { OutletTest } from '../../outlets/polling/try-outlet.ts';

/** One line. */
export function formatOutlet({ id, outlet, url, state, since, reason, ...source }: OutletStatus): string {
  const { items, held, polled, next, paused } = source;
  const parts = [`${id}: ${outlet}, ${url}, ${count(items, 'item')}`];
  if (polled !== null) parts.push(`polled ${polled}`);
  if (paused !== null) parts.push(`PAUSED since ${paused}`);
  else if (state === null) parts.push('not polled yet');
  else parts.push(stateOf({ state, since, reason, next }));
  if (state === 'gone') parts.push(`try it again with "daywire sources resume ${id}"`);
  if (held > 0) parts.push(`${held} held: decide with "daywire sources accept ${id}"`);
  return parts.join('; ');
}

const NEEDS_SOMEBODY = new Set<OutletStatus['state']>(['blocked', 'failing', 'gone', 'held']);

function stateOf({ state, since, reason, next }: Pick<OutletStatus, 'state' | 'since' | 'reason' | 'next'>): string {
  if (state === 'active') return `next ${next}`;
  const name = NEEDS_SOMEBODY.has(state) ? state?.toUpperCase() : state;
  const why = reason === null ? '' : `: ${reason}`;
  return `${name} since ${since}${next === null ? '' : `, next ${next}`}${why}`;
}

/** All of it, a line for each. */
export function formatOutletDetails(source: OutletStatus): string {
  const { id, outlet, url, endpoint, state, since, reason, movedTo, items, lastDay, held, repaired } = source;
  const lines: [string, string | null][] = [
    ['source', id],
    ['outlet', outlet],
    ['url', url],
    ['feed', endpoint === null ? 'not read yet' : `${endpoint}${repaired ? '; not well-formed, and repaired' : ''}`],
    ['state', state === null ? 'not polled yet' : `${state} since ${since}`],
    ['reason', reason],
    ['gone', state === 'gone' ? `try it again with "daywire sources resume ${id}"` : null],
    ['redirects', movedTo],
    ['items', `${items}, ${lastDay} of them new in the last 24 hours`],
    ['held', held === 0 ? null : `${held} wait for "daywire sources accept ${id}"`],
    ['polled', source.polled],
    ['succeeded', source.succeeded],
    ['next', source.next],
    ['paused', source.paused],
  ];
  return lines.flatMap(([name, text]) => (text === null ? [] : `${name.padEnd(9)} ${text}`)).join('\n');
}

/** What a test has found, with the newest reports. */
export function formatOutletTest({ endpoint, title, items, undated, reports, problems }: OutletTest): string {
  const dates = undated === 0 ? '' : `, ${undated} without a date`;
  return [
    `a feed at ${endpoint}: ${title === null ? 'no title' : `“${title}”`}, ${count(items, 'report')}${dates}`,
    ...reports.map(({ headline, url, published, knownBy }) => {
      return `  ${headline}\n    ${published ?? 'no date'}, known by its ${knownBy}, ${url}`;
    }),
    ...problems,
    problems.length > 0 ? `${count(problems.length, 'problem')}; nothing was stored` : 'nothing was stored',
  ].join('\n');
}
