/** Adding a report by its address: what the page says of it, and what the editor says instead. */
import { html } from 'hono/html';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { localDateTime, SECOND } from '../../lib/time.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondAfter, respondPage } from '../../web/desk/page.ts';
import { errorSummary, formStatus, selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { PRIVATE_HINT, type ReportPage, readReportPage } from '../page/read-report-page.ts';
import { type AddedReport, addReport, ReportInputError, UnreadPageError } from '../story-groups/add-report.ts';
import { GroupConflictError } from '../story-groups/change-groups.ts';
import { GroupCommandError, MAX_SENTENCE } from '../story-groups/commands.ts';
import { editGroups } from '../story-groups/edit-groups.ts';
import { groupPath } from './group-address.ts';
import { readShownGroup, respondGroup } from './group-page.ts';

/** For the page of a report, with its redirects. Somebody waits for it. */
const TIME_LIMIT = 15 * SECOND;

interface AddFormState {
  fields: AddFields;
  errors?: Partial<Record<keyof AddFields, string>>;
  /** The page cannot be read, so nothing is known of it. */
  isUnread?: boolean;
  /** What the page says, before the report is added. */
  read?: ReportPage | undefined;
}

interface AddFields {
  url: string;
  title: string;
  outlet: string;
  published: string;
  text: string;
  section: string;
}

export function showAdd(request: SignedInRequest): Promise<Response> {
  const query = new URL(request.c.req.url).searchParams;
  return respondForm(request, { fields: { ...fieldsOf(new URLSearchParams()), url: query.get('url') ?? '' } });
}

/** Shows a report that has not been added, because its editor had to sign in again. */
export function showAddAgain(request: SignedInRequest): Promise<Response> {
  return respondForm(request, { fields: fieldsOf(request.form) });
}

/** Reads the page and shows what it says, in fields that can be corrected. Stores nothing. */
export async function readPosted(request: SignedInRequest): Promise<Response> {
  const { config, clock } = request.desk.app;
  const fields = fieldsOf(request.form);
  if (cleanUrl(fields.url) === null) return respondForm(request, { fields, errors: NO_ADDRESS });
  const reading = await withTimeLimit((signal) => readReportPage(config, fields.url, { now: clock(), signal }));
  if (reading === 'late') return respondForm(request, { fields, errors: TOO_LATE, isUnread: true });
  if (reading.kind === 'unreadable') {
    return respondForm(request, { fields, errors: { url: pageProblem(request, reading.reason) }, isUnread: true });
  }
  const { page } = reading;
  const { zone } = config.publication;
  return respondForm(request, {
    read: page,
    fields: {
      ...fields,
      title: fields.title || (page.title ?? ''),
      outlet: fields.outlet || page.outlet,
      published: fields.published || (page.publishedAt === null ? '' : localDateTime(page.publishedAt, zone)),
    },
  });
}

/** Adds the report and, if the form has a sentence, picks its group. */
export async function addPosted(request: SignedInRequest): Promise<Response> {
  const fields = fieldsOf(request.form);
  const { title, outlet, published } = fields;
  if (cleanUrl(fields.url) === null) return respondForm(request, { fields, errors: NO_ADDRESS });
  const given = (text: string): string | undefined => (text.trim() === '' ? undefined : text);
  let added: AddedReport | 'late';
  try {
    added = await withTimeLimit((signal) =>
      addReport(
        request.desk.app,
        fields.url,
        { title: given(title), outlet: given(outlet), published: given(published) },
        { signal, onCommit: (tx, id) => request.audit('roundup.add', `g${id}`)(tx) },
      ),
    );
  } catch (error) {
    if (!(error instanceof GroupCommandError)) throw error;
    return respondForm(request, { fields, ...refusalOf(request, error) });
  }
  if (added === 'late') return respondForm(request, { fields, errors: TOO_LATE, isUnread: true });
  return fields.text.trim() === '' ? respondAdded(request, added) : pickAdded(request, added, fields);
}

const NO_ADDRESS = { url: 'Give the http or https address of a report, without user and password.' };
const TOO_LATE = { url: `The page cannot be read: it did not answer within ${TIME_LIMIT / SECOND} seconds.` };

/** @throws what `work` throws, except for the end of the time */
async function withTimeLimit<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | 'late'> {
  const signal = AbortSignal.timeout(TIME_LIMIT);
  try {
    return await work(signal);
  } catch (error) {
    if (error === signal.reason) return 'late';
    throw error;
  }
}

function fieldsOf(form: URLSearchParams): AddFields {
  const field = (name: keyof AddFields): string => form.get(name) ?? '';
  return {
    ...{ url: withScheme(field('url').trim()), title: field('title'), outlet: field('outlet') },
    ...{ published: field('published').trim(), text: field('text'), section: field('section') },
  };
}

/** An address as people write it: without a scheme, it is that of a page with https. In linear time. */
function withScheme(address: string): string {
  return /^[^\s/:?#@.]+\.[^\s/:?#@]+(?:[/:?#]|$)/.test(address) ? `https://${address}` : address;
}

/** Why a page cannot be read, for somebody who does not run daywire. */
function pageProblem(request: SignedInRequest, reason: string): string {
  const words = reason.replace(/\s*\(ENOTFOUND\)/, ': the name of its server is not known');
  if (request.may('deliveries.control')) return sentence(words);
  return sentence(words.replace(PRIVATE_HINT, '. daywire requests no addresses of private networks'));
}

const NOUNS = { title: 'The headline', outlet: 'The outlet', published: 'The time' };

function refusalOf(request: SignedInRequest, error: GroupCommandError): Pick<AddFormState, 'errors' | 'isUnread'> {
  if (error instanceof UnreadPageError) {
    const url = pageProblem(request, error.reason);
    return { errors: { url, title: 'Write the headline: the page cannot be read.' }, isUnread: true };
  }
  if (!(error instanceof ReportInputError)) return { errors: { url: sentence(error) } };
  const { field, rule } = error;
  return { errors: field === 'address' ? { url: sentence(rule) } : { [field]: `${NOUNS[field]} ${rule}.` } };
}

async function respondAdded(request: SignedInRequest, { id, isNew, notices, report }: AddedReport): Promise<Response> {
  const said = notices.map((notice) => ` ${sentence(notice)}`).join('');
  const text = `${isNew ? 'Added' : 'Known already:'} “${report.title}” of ${report.outlet}.${said}`;
  return respondAfter(request, groupPath(id), { kind: 'done', text });
}

/** The report is stored in any case: a pick that is refused is shown on the page of its group, to be corrected. */
async function pickAdded(
  request: SignedInRequest,
  added: AddedReport,
  { text, section }: AddFields,
): Promise<Response> {
  const { app } = request.desk;
  const view = await readShownGroup(app.store.db, added.id);
  if (view === null) return respondAdded(request, added);
  const { group, seen } = view;
  const reference = { items: group.items.map(({ id }) => id), seen };
  try {
    const audit = request.audit('roundup.pick', `g${group.id}`);
    const command = { kind: 'pick', text, section: section || null } as const;
    const { problems } = await editGroups(app, request.account.name, [reference], command, audit);
    const said = [...added.notices, ...problems].map((notice) => ` ${sentence(notice)}`).join('');
    const done = `Added and picked “${added.report.title}” of ${added.report.outlet}.${said}`;
    return respondAfter(request, groupPath(group.id), { kind: 'done', text: done });
  } catch (error) {
    if (!(error instanceof GroupCommandError || error instanceof GroupConflictError)) throw error;
    const message = `The report was added, but not picked: ${sentence(error)}`;
    const refused = { form: request.form, part: error instanceof GroupCommandError ? error.part : null, message };
    return respondGroup(request, group.id, { back: '/roundup', refused, status: 422 });
  }
}

function respondForm(
  request: SignedInRequest,
  { fields, errors = {}, isUnread = false, read }: AddFormState,
): Promise<Response> {
  const { config } = request.desk.app;
  const { base } = request.desk;
  const asksForMore = read !== undefined || formStatus(errors) !== 200 || fields.title !== '';
  const asPage = isUnread ? undefined : 'Empty: as the page says.';
  const more = html`${textField({
    ...{ name: 'title', label: 'Headline of the report', value: fields.title, error: errors.title },
    hint: asPage,
  })}
${textField({
  ...{ name: 'outlet', label: 'Outlet', value: fields.outlet, error: errors.outlet },
  hint: asPage,
})}
${textField({
  ...{ name: 'published', label: `Published, in ${config.publication.zone}`, value: fields.published },
  ...{ hint: ['Such as 2026-11-24 07:30.', asPage].filter(Boolean).join(' '), error: errors.published },
})}`;
  const body = html`<form id="add" class="narrow" method="post" action="${base}/roundup/add" data-keep novalidate>
${errorSummary(errors)}
${textField({
  ...{ name: 'url', label: 'Address of the report', required: true, value: fields.url, error: errors.url },
  hasFocus: formStatus(errors) === 200 && read === undefined,
  hint: 'Title, outlet and time are read there.',
})}
${isUnread ? html`<p class="hint">With your own headline and outlet, the report is added without its page.</p>` : ''}
${read === undefined ? '' : readRegion(read)}
${
  asksForMore
    ? more
    : html`<details id="add-more"><summary>Headline, outlet and time of your own</summary>${more}</details>`
}
${textField({
  ...{ name: 'text', label: 'Your sentence', rows: 4, counter: MAX_SENTENCE, value: fields.text, error: errors.text },
  hint: 'With a sentence, the report is picked at once. Without one, it is only added.',
})}
${selectField({
  ...{ name: 'section', label: 'Section of the pick', value: fields.section },
  options: [{ value: '', label: 'none' }, ...config.sections.map(({ id, title }) => ({ value: id, label: title }))],
})}
<div class="buttons">${submitButton('Add', { primary: true, id: 'add-report' })}
<button type="submit" id="read-page" formaction="${base}/roundup/add/read">Read the page first</button>
<a href="${base}/roundup">Back to the list</a></div></form>`;
  return respondPage(request, {
    ...{ title: 'Add a report', section: 'roundup', body, status: formStatus(errors) },
  });
}

function readRegion({ url, title, outlet, summary, imageUrl, originalUrl }: ReportPage): Html {
  const or = (text: string | null): string => text ?? 'not said';
  return html`<h2>What the page says</h2><dl class="pairs"><dt>Address</dt><dd class="break">${url}</dd>
<dt>Headline</dt><dd dir="auto">${or(title)}</dd><dt>Outlet</dt><dd dir="auto">${outlet}</dd>
<dt>Summary</dt><dd dir="auto">${or(summary)}</dd><dt>Picture</dt><dd class="break">${or(imageUrl)}</dd>${
    originalUrl === null ? '' : html`<dt>Original</dt><dd class="break">${originalUrl}: the page may be a copy</dd>`
  }</dl>`;
}
