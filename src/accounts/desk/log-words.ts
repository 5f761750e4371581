/** Entries of the audit log in words: names and links in place of ids. */
import { html } from 'hono/html';
import { articleDeskPath } from '../../articles/article-link.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { closedPath, draftPath } from '../../editions/draft/draft-target.ts';
import { findHeadlines } from '../../editions/selection/candidates.ts';
import { formatCount } from '../../lib/text/count.ts';
import { readGroups } from '../../outlets/story-groups/group-rows.ts';
import { firstItemOf } from '../../outlets/story-groups/story-group.ts';
import type { DeskRequest, Html } from '../../web/desk/desk-request.ts';
import type { Account } from '../account.ts';
import type { AuditLogEntry } from '../audit.ts';

/** Names of what entries are about, by subject. */
export type SubjectNames = ReadonlyMap<string, string>;

/** Looks up the names of articles, story groups and accounts, in one query each. */
export async function readSubjectNames(
  { desk }: DeskRequest,
  entries: readonly AuditLogEntry[],
  accounts: readonly Account[],
): Promise<SubjectNames> {
  const { db } = desk.app.store;
  const stories = entries.flatMap(({ detail }) => (typeof detail.story === 'string' ? [detail.story] : []));
  const subjects = [...new Set([...entries.map(({ subject }) => subject), ...stories])];
  const groups = subjects.flatMap((subject) => (/^g\d{1,15}$/.test(subject) ? [Number(subject.slice(1))] : []));
  const names = new Map(await findHeadlines(db, subjects));
  for (const [id, group] of await readGroups(db, groups)) names.set(`g${id}`, firstItemOf(group).title);
  for (const { id, name } of accounts) names.set(`account/${id}`, name);
  return names;
}

/** `edition.cancel-send` as `Edition: cancel send`. Pure. */
export function actWords(act: string): string {
  const words = act.replace('.', ': ').replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The subject by its name, as a link to its page where there is one. */
export function subjectLink({ desk }: DeskRequest, { act, subject }: AuditLogEntry, names: SubjectNames): Html {
  const [text, path] = placeOf(desk.app.config, act, subject);
  const name = names.get(subject) ?? text;
  return path === null ? html`<bdi>${name}</bdi>` : html`<a href="${desk.base}${path}" dir="auto">${name}</a>`;
}

type LogConfig = DeskRequest['desk']['app']['config'];

/** The words for a subject that has no name of its own, and the path of its page below the desk's, or null. */
function placeOf(config: LogConfig, act: string, subject: string): [words: string, path: string | null] {
  const [area] = act.split('.', 1);
  const [kind = '', id = ''] = subject.split('/');
  if (area === 'article') return [subject, articleDeskPath(subject)];
  if (area === 'roundup') return [`Story group ${subject}`, `/roundup/${subject}`];
  if (area === 'source') {
    const outlet = roundupSources(config).find((source) => source.id === subject)?.outlet;
    return [outlet ?? subject, `/sources#source-${subject}`];
  }
  if (subject === 'queue') return ['The queue', '/deliveries'];
  if (area === 'edition' || area === 'delivery') {
    const [label = '', revision] = id.split('@');
    const target = { newsletter: { id: kind }, slot: { label } };
    const name = `${newsletterTitle(config, kind)}, ${label}${revision === undefined ? '' : `, revision ${revision}`}`;
    return [name, area === 'edition' ? draftPath(target) : closedPath(target)];
  }
  switch (kind) {
    case 'account':
      return [`Account ${id}`, `/accounts/${id}`];
    case 'invitation':
      return [`Invitation ${id}`, '/accounts'];
    case 'subscriber':
      return [`Subscriber ${id}`, `/audience/${id}`];
    case 'import':
      return [`Import ${id}`, `/audience/imports/${id}`];
    case 'newsletter':
      return [id === 'all' ? 'All newsletters' : newsletterTitle(config, id), '/audience'];
    case 'suppression':
      return [`Suppression ${id}…`, '/audience/suppressions'];
    default:
      return [subject, null];
  }
}

function newsletterTitle({ newsletters }: LogConfig, id: string): string {
  return newsletters.find((one) => one.id === id)?.title ?? id;
}

/** Each value on a line, with its name in words. */
export function detailLines({ desk }: DeskRequest, detail: AuditLogEntry['detail'], names: SubjectNames): Html[] {
  return Object.entries(detail).map(([name, value]) => {
    const values = (Array.isArray(value) ? value : [value]).map((one) => valueWords(desk.app.config, name, one, names));
    return html`<div><span class="soft">${nameWords(name)}:</span> <bdi>${values.join(', ') || 'none'}</bdi></div>`;
  });
}

/** `isComplete` as `complete`, `asCorrection` as `as correction`. */
function nameWords(name: string): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('-', ' ');
  return words.replace(/^is /, '');
}

function valueWords(config: LogConfig, name: string, value: unknown, names: SubjectNames): string {
  if (value === null || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return formatCount(value);
  const text = String(value);
  return (name === 'newsletter' ? newsletterTitle(config, text) : names.get(text)) ?? text;
}
