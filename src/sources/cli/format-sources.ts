/** Sources as text. */

import { count } from '../../core/cli/text.ts';
import type { SourceStatus } from '../../own-sites/source-status.ts';
import type { SourceTest } from '../../own-sites/source-test.ts';
import { apiName } from '../source-state.ts';

/** One line. */
export function formatSource(source: SourceStatus): string {
  const { id, url, api, items, polled, next, paused, failingSince, problem, waiting, repaired } = source;
  const parts = [`${id}: ${url}, ${api === null ? 'not found yet' : apiName(api)}, ${count(items, 'post')}`];
  if (polled !== null) parts.push(`polled ${polled}`);
  if (paused !== null) parts.push(`PAUSED since ${paused}`);
  else if (failingSince !== null) parts.push(`FAILING since ${failingSince}, next at ${next}: ${problem}`);
  if (repaired) parts.push('its feed is not well-formed, and was repaired');
  if (waiting > 0) parts.push(`${count(waiting, 'post')} gone: decide with "daywire sources withdraw ${id}"`);
  return parts.join('; ');
}

/** All of it, a line for each. */
export function formatSourceDetails(source: SourceStatus): string {
  const { id, url, api, endpoint, items, waiting, polled, succeeded, next, paused, failingSince, problem } = source;
  const lines: [string, string | null][] = [
    ['source', id],
    ['url', url],
    ['polls', api === null ? 'not found yet' : `${apiName(api)} at ${endpoint}`],
    ['posts', `${items}${source.repaired ? '; the feed is not well-formed, and was repaired' : ''}`],
    ['gone', waiting === 0 ? null : `${waiting} wait for "daywire sources withdraw ${id}"`],
    ['polled', polled],
    ['succeeded', succeeded],
    ['next', next],
    ['paused', paused],
    ['failing', failingSince === null ? null : `since ${failingSince}: ${problem}`],
  ];
  return lines.flatMap(([name, text]) => (text === null ? [] : `${name.padEnd(9)} ${text}`)).join('\n');
}

/** What a test has found, with the first articles. */
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
    problems.length > 0 ? `${count(problems.length, 'problem')}; nothing was stored` : 'nothing was stored',
  ].join('\n');
}
