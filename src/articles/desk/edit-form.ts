/** The form of an edit: what it shows of an article, and what it sends. */
import { createHash } from 'node:crypto';
import { html } from 'hono/html';
import { wallClock } from '../../lib/time.ts';
import type { DeskContext, Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import {
  choiceField,
  errorSummary,
  type FormErrors,
  hiddenFields,
  selectField,
  submitButton,
  textField,
} from '../../web/desk/parts/form.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { type Article, isPublic } from '../article.ts';
import { articleDeskPath } from '../article-link.ts';
import { type ArticleEdit, plainLineEnds } from '../edits/edit-article.ts';
import type { ArticleProblem } from '../edits/read-written.ts';
import type { StoredArticle } from '../edits/stored-article.ts';
import { importWarning } from './article-parts.ts';

/** The fields of the form as text. */
export type EditFields = Record<(typeof FIELDS)[number], string>;

const FIELDS = [
  ...(['headline', 'kicker', 'dek', 'section', 'body', 'pinned', 'release', 'embargo', 'notice', 'note'] as const),
  // See `shownDigests`.
  'shown' as const,
];

/** The fields of an article that two editors may change at once. */
export const COMPARED_FIELDS = ['headline', 'kicker', 'dek', 'section', 'body', 'pinned'] as const;

export const PREVIEW_FRAME = 'preview';

/** The fields of a form that nobody has changed. */
export function fieldsOf({ app: { config } }: DeskContext, article: Article): EditFields {
  const { status } = article;
  const local = wallClock(article.publishedAt, config.publication.zone).toPlainDateTime();
  const fields = {
    headline: article.headline,
    kicker: article.kicker ?? '',
    dek: article.dek ?? '',
    section: article.section ?? '',
    body: article.body.source,
    pinned: article.pinned ? 'yes' : '',
    release: 'keep',
    embargo: status.state === 'draft' ? '' : local.toString({ smallestUnit: 'minute' }),
    notice: '',
    note: '',
  };
  return { ...fields, shown: [...shownDigests(fields), shownDigest(stateKey(article))].join(' ') };
}

/** Differs when somebody has published, corrected or moved an article. */
export function stateKey({ status, publishedAt }: Pick<Article, 'status' | 'publishedAt'>): string {
  return JSON.stringify([status.state, 'note' in status ? status.note : null, publishedAt]);
}

/** Travel with the form: they tell which fields have been changed since, by its editor and by others. */
function shownDigests(fields: Pick<EditFields, (typeof COMPARED_FIELDS)[number]>): string[] {
  return COMPARED_FIELDS.map((name) => shownDigest(fields[name]));
}

/** @param text of a field */
export function shownDigest(text: string): string {
  return createHash('sha256').update(plainLineEnds(text)).digest('base64url').slice(0, 16);
}

/** `state`: the publication, or the correction note. */
export type MergedField = (typeof COMPARED_FIELDS)[number] | 'state';

export interface MergedFields {
  /** What the editor has changed, and otherwise what is stored. */
  fields: EditFields;
  /** Fields that somebody else has changed since the form was shown. */
  others: MergedField[];
  /** Those of them that the editor has changed to something else. */
  conflicts: MergedField[];
}

/** @param theirs the fields as they are stored now */
export function mergeFields(mine: EditFields, theirs: EditFields): MergedFields {
  const [shown, own, stored] = [mine.shown.split(' '), shownDigests(mine), theirs.shown.split(' ')];
  const kept = COMPARED_FIELDS.filter((_, index) => own[index] !== shown[index]);
  const names = [...COMPARED_FIELDS, 'state' as const];
  const others = names.filter((_, index) => stored[index] !== shown[index]);
  const setsState = toEdit(mine).release !== undefined || mine.notice === 'correction';
  return {
    fields: { ...mine, ...pick(theirs, [...COMPARED_FIELDS, 'shown']), ...pick(mine, kept) },
    others,
    conflicts: others.filter((name) =>
      name === 'state' ? setsState : kept.includes(name) && shownDigest(mine[name]) !== shownDigest(theirs[name]),
    ),
  };
}

function pick(fields: EditFields, names: readonly (keyof EditFields)[]): Partial<EditFields> {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}

export function readEditFields(form: URLSearchParams): EditFields {
  return Object.fromEntries(FIELDS.map((name) => [name, form.get(name) ?? ''])) as EditFields;
}

export function toEdit(fields: EditFields): ArticleEdit {
  const { pinned, release, embargo, notice, note, shown: _, ...texts } = fields;
  return {
    ...texts,
    pinned: pinned === 'yes',
    release:
      release === 'now' || release === 'draft'
        ? { kind: release }
        : release === 'at'
          ? { kind: 'at', time: embargo }
          : undefined,
    notice:
      notice === 'correction' ? { kind: 'correction', note } : notice === 'silent' ? { kind: 'silent' } : undefined,
  };
}

/** @param seen the digest of the article that the fields belong to */
export function editForm(
  request: SignedInRequest,
  { article, origin }: StoredArticle,
  fields: EditFields,
  seen: string,
  problems: readonly ArticleProblem[],
): Html {
  const { desk } = request;
  const path = `${desk.base}${articleDeskPath(article.id)}`;
  const isOut = isPublic(article, request.at);
  const errors = articleErrors(problems, [
    ...COMPARED_FIELDS,
    ...(isOut ? ['notice', 'note'] : ['release', 'embargo']),
  ]);
  const { language } = article;
  const format = article.body.format === 'markdown' ? 'Markdown' : 'HTML';
  const statusFields = isOut ? noticeFields(fields, errors) : releaseFields(request, fields, errors);
  // Plain: the preview goes into a frame, which a script would not fill.
  return html`${importWarning(origin)}
<form method="post" action="${path}/edit" data-plain data-keep novalidate>${errorSummary(errors)}
${hiddenFields({ seen, shown: fields.shown })}
${textField({
  ...{ name: 'headline', label: 'Headline', value: fields.headline, error: errors.headline, counter: 100 },
  ...{ language },
})}
${textField({
  ...{ name: 'kicker', label: 'Kicker', value: fields.kicker, error: errors.kicker, language },
  hint: 'Before the headline, with a colon that daywire adds. Most articles have none.',
})}
${textField({
  ...{ name: 'dek', label: 'Dek', value: fields.dek, error: errors.dek, rows: 2, language },
})}
${sectionField(desk, fields.section, errors.section)}
${textField({
  ...{
    name: 'body',
    label: `Body (${format})`,
    value: fields.body,
    error: errors.body,
    rows: 20,
    language,
  },
})}
<label class="choice"><input type="checkbox" name="pinned" value="yes"${
    fields.pinned === 'yes' ? html` checked` : ''
  }> Pinned: leads the next edition</label>
${statusFields}
<div class="buttons">${submitButton('Save', { primary: true, id: 'save' })}
<button type="submit" id="show-preview" formaction="${path}/preview" formtarget="${PREVIEW_FRAME}">Preview</button>
<a href="${path}">Leave without saving</a></div></form>`;
}

/** @param fields of the form; other problems are of the form as a whole */
export function articleErrors(problems: readonly ArticleProblem[], fields: readonly string[]): FormErrors {
  const found = Map.groupBy(problems, ({ field }) => (field !== null && fields.includes(field) ? field : ''));
  const errors = ['', ...fields].map((field) => {
    const messages = found.get(field)?.map(({ message }) => sentence(message));
    return [field === 'notice' ? NOTICE_ID : field, messages?.join(' ')];
  });
  return Object.fromEntries(errors);
}

/** Every page has a region "notice". */
const NOTICE_ID = 'change-notice';

export function sectionField({ app: { config } }: DeskContext, value: string, error: string | undefined): Html {
  const known = config.sections.map(({ id, title }) => ({ value: id, label: title }));
  const isKnown = value === '' || known.some((one) => one.value === value);
  const options = [
    { value: '', label: 'none' },
    ...known,
    ...(isKnown ? [] : [{ value, label: `${value} (no longer a section)` }]),
  ];
  return selectField({ name: 'section', label: 'Section', value, options, error });
}

function noticeFields(fields: EditFields, errors: FormErrors): Html {
  const options = [
    { value: 'silent', label: 'A small fix, such as a typo: no note' },
    { value: 'correction', label: 'A correction: readers see the note' },
  ];
  return html`${choiceField({
    ...{ type: 'radio', name: 'notice', legend: 'Readers have seen this article. Your change is', options },
    ...{ id: NOTICE_ID, chosen: [fields.notice], error: errors[NOTICE_ID] },
  })}
${textField({
  ...{ name: 'note', label: 'Correction note', value: fields.note, rows: 2, error: errors.note },
  hint: 'What was wrong, and what is right. The next edition carries it, too.',
})}`;
}

function releaseFields(request: SignedInRequest, fields: EditFields, errors: FormErrors): Html {
  const options = [
    { value: 'keep', label: 'As it is' },
    { value: 'now', label: 'Publish now' },
    { value: 'at', label: 'Publish at the time below' },
    { value: 'draft', label: 'Keep it as a draft' },
  ];
  return html`${choiceField({
    ...{ type: 'radio', name: 'release', legend: 'Nobody has seen this article yet', options },
    ...{ chosen: [fields.release], error: errors.release },
  })}
${embargoField(request, fields.embargo, errors.embargo)}`;
}

export function embargoField({ desk }: SignedInRequest, value: string, error: string | undefined): Html {
  const { zone } = desk.app.config.publication;
  return textField({
    ...{ name: 'embargo', label: `Time of publication (${zone})`, type: 'datetime-local', value, error },
    hint: 'Of a time that the clock repeats in autumn, the first is meant; one that it skips in spring moves forward.',
  });
}
