/**
 * Imports of subscribers from a CSV file: upload, check, confirm, progress, rejected rows. What the check found is
 * shown before anything is stored.
 */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { html } from 'hono/html';
import { inTransaction } from '../../../core/store/store.ts';
import { formatCount } from '../../../lib/text/count.ts';
import { DAY } from '../../../lib/time.ts';
import type { DeskRequest, Html, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondAfter, respondMissing, respondPage } from '../../../web/desk/page.ts';
import { type Figure, figures } from '../../../web/desk/parts/figure.ts';
import {
  choiceField,
  errorSummary,
  postButton,
  selectField,
  submitButton,
  textField,
} from '../../../web/desk/parts/form.ts';
import { rowTable, type TableRow } from '../../../web/desk/parts/row-table.ts';
import { type StatusKind, statusMark } from '../../../web/desk/parts/status-mark.ts';
import { when } from '../../../web/desk/parts/when.ts';
import type { SubscriberImportResult } from '../../csv/import.ts';
import { LIST_FORMATS } from '../../csv/list-formats.ts';
import { findUpload, listUploads, type UploadedImport } from '../../csv/upload-ledger.ts';
import {
  beginCheck,
  confirmImport,
  discardUpload,
  MAX_UPLOAD,
  REJECTS_KEPT,
  rejectsFileOf,
  SILENT_AFTER,
} from '../../csv/uploaded-imports.ts';
import { newsletterName } from '../subscriber-of.ts';
import { type ReadUpload, readUpload } from './read-upload.ts';

const LISTED = 10;
/** Seconds until the page of a running import loads itself again without JavaScript. */
const REFRESH = 5;

const ASKED = 'Only if the check asks for it';
const ASKED_HEADERS = `${ASKED}: their headers, with commas.`;

export async function respondImportForm(
  request: SignedInRequest,
  refused?: Extract<ReadUpload, { kind: 'refused' }>,
): Promise<Response> {
  const { desk, account } = request;
  const uploads = await listUploads(desk.app.store.db, account.id, LISTED);
  const formats = LIST_FORMATS.map(({ name, title }) => ({ value: name, label: title }));
  const newsletters = desk.app.config.newsletters.map(({ id, title }) => ({ value: id, label: title }));
  const { errors = {}, typed } = refused ?? {};
  const text = (name: string, label: string, hint: string): Html =>
    textField({ name, label, hint, maxLength: 500, value: typed?.get(name) ?? '', error: errors[name] });
  const body = html`<p>Import only people who have agreed to get these newsletters. The file is checked first: you see
what would be done before anything is stored. Unsubscribed people stay unsubscribed, and suppressed
addresses stay suppressed.</p>
<form class="narrow" method="post" action="${desk.base}/audience/import" enctype="multipart/form-data" data-plain
novalidate>${errorSummary(errors)}
${textField({
  ...{ name: 'file', label: 'CSV file', type: 'file', accept: '.csv,.txt,.tsv,text/csv', required: true },
  ...{ hint: `Its first line names the columns; at most ${MAX_UPLOAD / 1024 / 1024} MB.`, error: errors.file },
})}
${refused === undefined || errors.file !== undefined ? '' : html`<p class="hint">Choose the file again, too.</p>`}
${choiceField({
  ...{ type: 'checkbox', name: 'newsletter', legend: 'Newsletters', options: newsletters, error: errors.newsletter },
  chosen: typed?.has('format') ? typed.getAll('newsletter') : newsletters.map(({ value }) => value),
  hint: 'For a file without a column of newsletters.',
})}
<details id="words"${refused === undefined ? '' : html` open`}><summary>For exports of other programs</summary>
${selectField({
  ...{ name: 'format', label: 'Export of', value: typed?.get('format') ?? '', error: errors.format },
  options: [{ value: '', label: 'the header tells' }, { value: 'plain', label: 'none: a plain file' }, ...formats],
})}
${text('statusColumns', 'Columns that say the status', ASKED_HEADERS)}
${text('status', 'What the values of the status say', `${ASKED}: such as active=subscribed,gone=unsubscribed.`)}
${text('ignore', 'Columns that say nothing about consent', ASKED_HEADERS)}
<p class="hint">Chosen sections and topics of other programs: import the file with the command line.</p>
</details>
${submitButton('Upload and check', { primary: true, id: 'upload' })}</form>
${
  uploads.length === 0
    ? ''
    : html`<section id="imports" data-region><h2>Your last imports</h2>
${rowTable(
  'Your last imports',
  ['File', 'State', 'Uploaded'],
  uploads.map((upload) => uploadRow(request, upload)),
)}</section>`
}`;
  return respondPage(request, {
    ...{ title: 'Import subscribers', section: 'audience', body, status: refused?.status ?? 200 },
  });
}

export async function handleUpload(request: SignedInRequest): Promise<Response> {
  const upload = await readUpload(request);
  if (upload.kind === 'refused') return respondImportForm(request, upload);
  const { file, options } = upload;
  const { account, desk } = request;
  const detail = { sha256: file.fileHash, bytes: file.size, newsletters: options.newsletters.join(' ') };
  const audit = request.audit('audience.upload', `import/${file.id}`, detail);
  await beginCheck(desk.app, file, { accountId: account.id, options }, audit);
  return respondAfter(request, `/audience/imports/${file.id}`);
}

/** The state of an import, for the account that uploaded it. */
export function respondImport(request: SignedInRequest): Promise<Response> {
  return withUpload(request, async (upload) => {
    const { id, fileName, report, problem, options } = upload;
    const isRunning = isBusy(request, upload);
    const names = options.newsletters.map((one) => newsletterName(request, one)).join(', ');
    const body = html`<section id="state" data-region>
<p>${stateMark(request, upload)}, <span class="break">${fileName}</span>, uploaded
${when(request, upload.createdAt)}, for ${names}</p>
${isRunning ? progress(upload) : ''}
${problem === null ? '' : html`<p class="error">${problem}</p>`}
${upload.state === 'checked' ? confirmForms(request, upload) : ''}
${report === null ? '' : reportHtml(report, upload.state)}
${
  rejectsFileOf(request.desk.app, upload) === null
    ? ''
    : html`<form method="post" action="${request.desk.base}/audience/imports/${id}/rejects" data-plain>
${submitButton('Download the rejected rows', { id: 'rejects' })}
<p class="hint">To correct them and to import them again. They are kept for ${REJECTS_KEPT / DAY} days, and each
download is in the audit log.</p></form>`
}</section>
<p><a href="${request.desk.base}/audience/import">Import another file</a></p>`;
    const reload = isRunning ? REFRESH : undefined;
    return respondPage(request, { title: 'Import', section: 'audience', body, reload });
  });
}

export function handleRun(request: SignedInRequest): Promise<Response> {
  return withUpload(request, async (upload) => {
    const path = `/audience/imports/${upload.id}`;
    const audit = request.audit('audience.import', `import/${upload.id}`, {
      ...{ sha256: upload.fileHash, rows: upload.report?.rows ?? 0, newsletters: upload.options.newsletters.join(' ') },
    });
    const result = await confirmImport(request.desk.app, upload, request.form.get('hash') ?? '', audit);
    if (result.kind === 'begun') return respondAfter(request, path);
    const text =
      result.kind === 'no-file'
        ? 'The file is no longer here, or on another server: upload it again. Nothing was imported.'
        : 'Nothing was imported: the import has changed since this page was loaded.';
    return respondAfter(request, path, { kind: 'problem', text });
  });
}

export function handleDiscard(request: SignedInRequest): Promise<Response> {
  return withUpload(request, async (upload) => {
    const audit = request.audit('audience.discard-upload', `import/${upload.id}`);
    const isDone = await discardUpload(request.desk.app, upload, audit);
    const text = isDone ? 'The file is deleted; nothing was imported.' : 'This import is under way or over.';
    return respondAfter(request, '/audience/import', { kind: isDone ? 'done' : 'problem', text });
  });
}

/** POST, since it is recorded. The file is the answer. */
export function respondRejects(request: SignedInRequest): Promise<Response> {
  return withUpload(request, async (upload) => {
    const path = rejectsFileOf(request.desk.app, upload);
    if (path === null) return respondMissing(request, 'There are no rejected rows, or they are no longer kept.');
    await inTransaction(
      request.desk.app.store.db,
      request.audit('audience.download-rejects', `import/${upload.id}`, { rows: upload.report?.rejected ?? null }),
    );
    return request.c.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, {
      'Content-Type': 'text/csv; charset=utf-8',
      'Content-Disposition': `attachment; filename="rejects-${upload.id}.csv"`,
    });
  });
}

/** Calls `work` with the import of the path; responds with 404 unless the account has uploaded it. */
async function withUpload(
  request: SignedInRequest,
  work: (upload: UploadedImport) => Promise<Response>,
): Promise<Response> {
  const upload = await findUpload(request.desk.app.store.db, request.c.req.param('import') ?? '');
  if (upload === null || upload.accountId !== request.account.id) {
    return respondMissing(request, 'There is no such import of yours: it may be longer ago than is kept.');
  }
  return work(upload);
}

const STATES: Record<UploadedImport['state'], [StatusKind, string]> = {
  checking: ['busy', 'being checked'],
  checked: ['waiting', 'checked: nothing is imported yet'],
  refused: ['bad', 'refused'],
  importing: ['busy', 'being imported'],
  done: ['good', 'imported'],
  failed: ['bad', 'stopped'],
  discarded: ['off', 'discarded'],
};

function isBusy({ at }: DeskRequest, { state, changedAt }: UploadedImport): boolean {
  return (state === 'checking' || state === 'importing') && at - changedAt < SILENT_AFTER;
}

function stateMark(request: DeskRequest, upload: UploadedImport): Html {
  const { state } = upload;
  if ((state === 'checking' || state === 'importing') && !isBusy(request, upload)) {
    return statusMark('bad', 'interrupted: its process has ended; upload the file again');
  }
  return statusMark(...STATES[state]);
}

function uploadRow(request: DeskRequest, upload: UploadedImport): TableRow {
  const address = `${request.desk.base}/audience/imports/${upload.id}`;
  const link = html`<a class="break" href="${address}">${upload.fileName}</a>`;
  return { cells: [link, stateMark(request, upload), when(request, upload.createdAt)] };
}

function progress({ rowsRead, rejected, bytesRead, size }: UploadedImport): Html {
  const part = Math.min(100, Math.floor((100 * bytesRead) / Math.max(1, size)));
  return html`<p data-pending><progress max="100" value="${part}" aria-label="Progress">${part} %</progress>
${formatCount(rowsRead)} rows read, ${formatCount(rejected)} rejected. This page follows it by itself.</p>`;
}

function confirmForms(request: DeskRequest, { id, fileHash, report }: UploadedImport): Html {
  const path = `/audience/imports/${id}`;
  const rows = report === null ? 0 : report.rows - report.rejected - report.notImported;
  const label = `Import ${formatCount(rows)} rows`;
  const run = postButton(request, `${path}/run`, label, { fields: { hash: fileHash }, primary: true, id: 'run' });
  return html`<div class="buttons">${rows === 0 ? '' : run}
${postButton(request, `${path}/discard`, 'Discard the file', { id: 'discard' })}</div>`;
}

/** Until the import is done, the report is that of the check. */
function reportHtml(report: SubscriberImportResult, state: UploadedImport['state']): Html {
  const title =
    { done: 'What was done', checked: 'What an import would do' }[state as string] ?? 'What the check found';
  const list: Figure[] = [
    { label: 'Rows', value: report.rows, meaning: 'Of the file, without its header.' },
    { label: 'New', value: report.added, meaning: 'Addresses that were not stored.' },
    { label: 'Changed', value: report.changed, meaning: 'Of known addresses, with something new.' },
    { label: 'Unchanged', value: report.unchanged, meaning: 'Nothing new.' },
    { label: 'Kept unsubscribed', value: report.keptUnsubscribed, meaning: 'Subscriptions that the person had ended.' },
    { label: 'Suppressed', value: report.suppressed, meaning: 'Skipped: the address is on the list of suppressions.' },
    { label: 'Left', value: report.left, meaning: 'Skipped: the person had left every newsletter.' },
    { label: 'Not confirmed', value: report.notImported, meaning: 'Skipped: not confirmed, or no longer mailed.' },
    { label: 'Rejected', value: report.rejected, meaning: 'Rows that cannot be used.' },
  ];
  const lines = [
    ...report.rejects.map(({ line, reason }) => html`<li>Line ${line}: rejected: ${reason}</li>`),
    ...report.skipped.map(({ line, reason }) => html`<li>Line ${line}: skipped: ${reason}</li>`),
  ];
  const ignored = report.ignoredColumns.join(', ');
  const unused = report.unusedChoices?.map(([value, count]) => `${value} (${count})`).join(', ') ?? '';
  return html`<h2>${title}</h2>${figures(list)}
${state !== 'done' ? html`<p class="hint">An address that is in the file twice, far apart, counts twice here.</p>` : ''}
${unused === '' ? '' : html`<p class="break">Values that choose nothing, with their numbers: ${unused}</p>`}
${ignored === '' ? '' : html`<p class="break">Columns that are not used: ${ignored}</p>`}
${lines.length === 0 ? '' : html`<h3>The first lines that are not imported</h3><ul class="break">${lines}</ul>`}`;
}
