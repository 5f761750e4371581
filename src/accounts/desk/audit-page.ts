/** The audit log and the security log. */
import { html } from 'hono/html';
import { localDateTime, rfc3339 } from '../../lib/time.ts';
import type { DeskRequest, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import type { DeskRoute, DeskSection } from '../../web/desk/desk-route.ts';
import { respondPage } from '../../web/desk/page.ts';
import { selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { pager } from '../../web/desk/parts/pager.ts';
import { rowTable, type TableRow } from '../../web/desk/parts/row-table.ts';
import { type Account, listAccounts } from '../account.ts';
import { type AuditLogEntry, type LogTable, listActs, readAuditLog } from '../audit.ts';
import { actWords, detailLines, readSubjectNames, type SubjectNames, subjectLink } from './log-words.ts';

const PAGE_SIZE = 50;
/** Characters of a subject in an address. */
const SUBJECT_LIMIT = 200;

export const auditSection: DeskSection = {
  navigation: { id: 'audit', label: 'Audit log', path: '/audit', needs: 'audit' },
  routes: [logRoute('audit_log', '/audit', 'Audit log'), logRoute('security_log', '/audit/security', 'Security log')],
};

function logRoute(table: LogTable, path: string, title: string): DeskRoute {
  const handle = async (request: SignedInRequest): Promise<Response> => {
    const { db } = request.desk.app.store;
    const filter = filterOf(request);
    const before = numberOf(request.c.req.query('after'));
    const page = { before: before ?? null, limit: PAGE_SIZE + 1, table };
    const [entries, accounts, acts] = [
      await readAuditLog(db, filter, page),
      await listAccounts(db),
      await listActs(db, table),
    ];
    const shown = entries.slice(0, PAGE_SIZE);
    const names = await readSubjectNames(request, shown, accounts);
    const last = entries.length > PAGE_SIZE ? shown.at(-1) : undefined;
    const { accountId, act, subject } = filter;
    const links = {
      ...{ path, query: { account: accountId?.toString(), act, subject } },
      ...{ older: last?.id.toString() ?? null, isFirst: before === undefined },
    };
    const { base } = request.desk;
    const other =
      table === 'audit_log'
        ? html`Sign-ins and failures, with addresses, are in the <a href="${base}/audit/security">security log</a>.`
        : html`What accounts did at the desk is in the <a href="${base}/audit">audit log</a>.`;
    const body = html`<p class="hint">${other}</p>
${filterForm(request, filter, { path, accounts, acts })}
<section id="log" data-region>${
      shown.length > 0
        ? logTable(request, shown, names)
        : acts.length > 0
          ? html`<p class="empty">No entry matches. <a href="${base}${path}">Show all entries</a></p>`
          : html`<p class="empty">There is no entry yet. What accounts do at the desk is listed here.</p>`
    }
${pager(request, links)}</section>`;
    return respondPage(request, { title, section: 'audit', body });
  };
  return { method: 'GET', path, needs: 'audit', handle };
}

interface Filter {
  accountId: number | undefined;
  act: string | undefined;
  subject: string | undefined;
}

function filterOf({ c }: DeskRequest): Filter {
  const text = (name: string): string | undefined => c.req.query(name)?.trim().slice(0, SUBJECT_LIMIT) || undefined;
  return { accountId: numberOf(c.req.query('account')), act: text('act'), subject: text('subject') };
}

/** A row's number, or undefined. */
function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

function filterForm(
  { desk }: DeskRequest,
  { accountId, act, subject }: Filter,
  { path, accounts, acts }: { path: string; accounts: readonly Account[]; acts: readonly string[] },
): Html {
  const any = (label: string) => ({ value: '', label });
  const accountOptions = accounts.map(({ id, name }) => ({ value: String(id), label: name }));
  // An act that an address names is shown, also if there is none.
  const shownActs = act === undefined || acts.includes(act) ? acts : [act, ...acts];
  return html`<form class="filters" method="get" action="${desk.base}${path}">
${selectField({
  ...{ name: 'account', label: 'Account', value: accountId?.toString() ?? '' },
  options: [any('all accounts'), ...accountOptions],
})}
${selectField({
  ...{ name: 'act', label: 'Act', value: act ?? '' },
  options: [any('all acts'), ...shownActs.map((one) => ({ value: one, label: actWords(one) }))],
})}
${textField({ name: 'subject', label: 'Subject', value: subject, placeholder: 'daily-roundup/2026-11-24' })}
${submitButton('Filter', { id: 'filter' })}
</form>`;
}

function logTable(request: DeskRequest, entries: readonly AuditLogEntry[], names: SubjectNames): Html {
  const from = entries[0]?.client === undefined ? [] : ['Address'];
  const rows = entries.map((entry) => logRow(request, entry, names));
  return rowTable('Entries', ['Time', 'Who', 'Act', 'Subject', 'Detail', ...from], rows);
}

function logRow(request: DeskRequest, entry: AuditLogEntry, names: SubjectNames): TableRow {
  const { base, app } = request.desk;
  const { at, accountId, actor, act, detail, client } = entry;
  const { zone } = app.config.publication;
  const time = html`<time class="nowrap" datetime="${rfc3339(at)}">${localDateTime(at, zone)}</time>`;
  const who = accountId === null ? actor : html`<a href="${base}/accounts/${accountId}" dir="auto">${actor}</a>`;
  const words = [html`${detailLines(request, detail, names)}`, ...(client === undefined ? [] : [client ?? ''])];
  const what = html`<span class="nowrap">${actWords(act)}</span>`;
  return { cells: [time, who, what, subjectLink(request, entry, names), ...words] };
}
