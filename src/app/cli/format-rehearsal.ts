/**
 * The report of a rehearsed restore, as text, as one line, and as JSON.
 */
import { count, displayPath, table } from '../../core/cli/text.ts';
import { formatDuration, rfc3339 } from '../../lib/time.ts';
import type { Rehearsal } from '../rehearsal/rehearse.ts';

export function formatRehearsal(rehearsal: Rehearsal): string {
  const { restored, tables, editions, seconds } = rehearsal;
  if (restored === null) return formatRehearsalLine(rehearsal);
  const shown = tables.filter(({ rows, difference }) => rows > 0 || difference !== null);
  const lines = [
    formatRehearsalLine(rehearsal),
    `  restored   into a temporary ${restored.dialect === 'sqlite' ? 'SQLite file' : 'PostgreSQL database'} in ` +
      `${seconds.restore.toFixed(1)} s, compared in ${seconds.compare.toFixed(1)} s; it is deleted`,
    ...(restored.note === null ? [] : [`  note       ${restored.note}`]),
    ...editions.map(
      ({ newsletter, slot, problem }) => `  edition    ${newsletter}/${slot}: ${problem ?? 'a copy was made'}`,
    ),
    ...releaseLines(rehearsal),
    ...lostLines(rehearsal),
    '',
    ...table([
      ['table', 'rows', 'checksum'],
      ...shown.map(({ table: name, rows: number, difference }) => [name, `${number}`, difference ?? 'equal']),
    ]),
    `${count(tables.length - shown.length, 'other table is', 'other tables are')} empty, in the backup and restored`,
  ];
  return lines.join('\n');
}

/** For a timer: whether the backup is good, or what is wrong with it. */
export function formatRehearsalLine({
  file,
  problems,
  tables,
  rows,
  madeAt,
  bytes,
  startedAt,
  seconds,
}: Rehearsal): string {
  const name = displayPath(file);
  if (problems.length > 0) return `${name} is not a good backup: ${problems.join('; ')}`;
  const made = madeAt === null ? 'of an unknown time' : `made ${rfc3339(madeAt)}, ${age(startedAt - madeAt)} ago`;
  return (
    `${name} is a good backup: ${made}; ${count(rows, 'row')} of ${tables.length} tables, ` +
    `${(bytes / 1_000_000).toFixed(1)} MB, restored and equal; ${seconds.all.toFixed(1)} s`
  );
}

/** JSON: the report, with whether the backup is good. */
export function rehearsalJson(rehearsal: Rehearsal): object {
  const { madeAt, startedAt } = rehearsal;
  const ageSeconds = madeAt === null ? null : Math.round((startedAt - madeAt) / 1000);
  return { good: rehearsal.problems.length === 0, ageSeconds, ...rehearsal };
}

function releaseLines({ afterRelease }: Rehearsal): string[] {
  if (afterRelease === null) return [];
  const { editions, serviceMessages } = afterRelease;
  const lines = editions.map(({ newsletter, slot, revision, deliveries, submittedSince }) => {
    const name = `${newsletter}/${slot}${revision === 1 ? '' : `@${revision}`}`;
    const since =
      submittedSince === null || submittedSince === 0
        ? ''
        : `; the live store has submitted ${submittedSince} of it since the backup: cancel it before the release`;
    return `${count(deliveries, 'delivery', 'deliveries')} of ${name}${since}`;
  });
  if (serviceMessages > 0) lines.push(count(serviceMessages, 'service message'));
  if (lines.length === 0) lines.push('nothing');
  return lines.map((line, index) => `  ${index === 0 ? 'release    would submit' : '           and'} ${line}`);
}

function lostLines({ live }: Rehearsal): string[] {
  if (live.kind === 'not-compared') return [`  lost       not known: ${live.reason}`];
  const { articles, editedArticles, subscribers, consentEvents, suppressions, editions, submittedDeliveries } =
    live.lost;
  const lost = [
    [articles, 'article'],
    [editedArticles, 'edit of an article', 'edits of articles'],
    [subscribers, 'subscriber'],
    [consentEvents, 'change of consent', 'changes of consent'],
    [suppressions, 'suppression'],
    [editions, 'edition'],
    [submittedDeliveries, 'record of a submitted delivery', 'records of submitted deliveries'],
  ] as const;
  const parts = lost.filter(([number]) => number > 0).map(([number, one, many]) => count(number, one, many));
  return [`  lost       since the backup: ${parts.join(', ') || 'nothing'}`];
}

function age(milliseconds: number): string {
  return formatDuration(Math.max(milliseconds, 0));
}
