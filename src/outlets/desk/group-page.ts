/** One story group: its reports, the pick, what may belong to it, and what was done to it. */
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { findProblemsOfFile } from '../../articles/rejections.ts';
import type { Db } from '../../core/store/store.ts';
import { count } from '../../lib/text/count.ts';
import { DAY } from '../../lib/time.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondMissing, respondPage } from '../../web/desk/page.ts';
import {
  choiceField,
  errorSummary,
  type FormErrors,
  hiddenFields,
  postButton,
  refusalRegion,
  selectField,
  submitButton,
  textField,
} from '../../web/desk/parts/form.ts';
import { badge } from '../../web/desk/parts/status-mark.ts';
import { when } from '../../web/desk/parts/when.ts';
import { readSuggestions } from '../story-groups/browse-groups.ts';
import { entriesAbout, lastCommandNumber, type RoundupLogEntry } from '../story-groups/change-groups.ts';
import { MAX_OWN_HEADLINE, MAX_SENTENCE } from '../story-groups/commands.ts';
import { findGroupIds, readGroups } from '../story-groups/group-rows.ts';
import { pickPath } from '../story-groups/publish-picks.ts';
import {
  firstItemOf,
  type GroupedItem,
  newItems,
  outletsOf,
  reportedAt,
  type StoryGroup,
} from '../story-groups/story-group.ts';
import { groupPath, itemsText, parseBack } from './group-address.ts';
import {
  besideRefused,
  commandWords,
  doubtfulItems,
  groupStateMark,
  headlineLanguage,
  headlineOf,
  languageAttribute,
  newReportsBadge,
  outletNames,
  reportLink,
  sharedLine,
} from './group-parts.ts';

const LOG_SHOWN = 50;

export function showGroup(request: SignedInRequest): Promise<Response> {
  const back = new URL(request.c.req.url).searchParams.get('back');
  return respondGroup(request, groupParameter(request), { back: parseBack(back ?? '') });
}

/** The id in the address, of a group or of any of its reports. */
export function groupParameter(request: SignedInRequest): number {
  return Number(request.c.req.param('group')?.slice(1));
}

export interface GroupPageOptions {
  /** The list that a pick leads back to. */
  back: string;
  /** A pick that was refused. */
  refused?: RefusedPick | undefined;
  /** Another command that was refused. */
  problem?: string | undefined;
  status?: ContentfulStatusCode;
}

export interface ShownGroup {
  group: StoryGroup;
  /** The last command before the group was read. */
  seen: number;
}

/** Reads a group by any of its reports. @returns null if there is none */
export async function readShownGroup(db: Db, id: number): Promise<ShownGroup | null> {
  // First: what others do meanwhile is a conflict then.
  const seen = await lastCommandNumber(db);
  const groupId = (await findGroupIds(db, [id])).get(id);
  const group = groupId === undefined ? undefined : (await readGroups(db, [groupId])).get(groupId);
  return group === undefined ? null : { group, seen };
}

export async function respondGroup(
  request: SignedInRequest,
  id: number,
  { back, refused, problem, status }: GroupPageOptions,
): Promise<Response> {
  const { db } = request.desk.app.store;
  const view = await readShownGroup(db, id);
  if (view === null) {
    return respondMissing(request, `No group has report g${id}: it was never grouped, or was deleted since.`);
  }
  const { group } = view;
  const mayEdit = request.may('drafts.edit');
  const similar = await readSimilar(db, group.id);
  const log = await readGroupLog(db, group);
  const pick = html`<section id="pick" data-region aria-labelledby="pick-title"><h2 id="pick-title">${
    group.decision?.state === 'picked' ? 'In the roundup' : 'Pick it'
  }</h2>${pickForm(request, view, { back, refused, status })}
${otherActs(request, view)}</section>`;
  const body = html`<p><a href="${request.desk.base}${back}">Back to the list</a></p>
${await stateRegion(request, group, problem)}
<div class="split"><div>${reportsRegion(request, view, mayEdit)}
${similarRegion(request, view, similar, mayEdit)}</div>
<div>${mayEdit ? pick : ownText(group)}
${logRegion(request, group, log)}</div></div>`;
  const headline = headlineOf(group);
  return respondPage(request, {
    ...{ title: headline, heading: html`<h1 dir="auto"${headlineLanguage(group)}>${headline}</h1>` },
    ...{ section: 'roundup', topics: ['roundup'], body, ...(status === undefined ? {} : { status }) },
  });
}

/** State of the group's article, and the reasons if it could not be written. */
async function stateRegion(request: SignedInRequest, group: StoryGroup, problem: string | undefined): Promise<Html> {
  const { decision } = group;
  const articleId = decision?.articleId ?? null;
  const { db } = request.desk.app.store;
  const isUnwritten = decision !== null && decision.revision > decision.publishedRevision;
  const problems = isUnwritten && articleId !== null ? await findProblemsOfFile(db, pickPath(articleId)) : [];
  const outlets = count(outletsOf(group.items).length, 'outlet');
  const decided =
    decision === null
      ? ''
      : html`<span class="soft">; <bdi>${decision.editor}</bdi> decided ${when(request, decision.updatedAt)}</span>`;
  const article =
    articleId === null
      ? ''
      : html`<p>Article <a href="${request.desk.base}/articles/${articleId}">${articleId}</a>${
          decision?.state === 'picked' ? '' : ', retracted'
        }</p>`;
  const unwritten = html`<ul class="problems"><li class="bad">The article does not show the last change yet. It is tried
again with the next command or poll.</li>${problems.map((one) => html`<li class="bad" dir="auto">${one}</li>`)}</ul>`;
  return html`<section id="state" data-region aria-label="State">
<p>${groupStateMark(group)} ${newReportsBadge(group)} ${outlets}: ${outletNames(group)}${decided}</p>
${sharedLine(request, group)}${article}${isUnwritten && articleId !== null ? unwritten : ''}
</section>
${refusalRegion(problem)}`;
}

function reportsRegion(request: SignedInRequest, view: ShownGroup, mayEdit: boolean): Html {
  const { group, seen } = view;
  const canSplit = mayEdit && group.items.length > 1;
  const button = submitButton('Split off the marked reports', { id: 'split-reports' });
  const splitForm = html`<form id="split" class="buttons" method="post"
action="${request.desk.base}${groupPath(group.id)}/split">
${hiddenFields({ items: itemsText(group.items), seen })}${button}
<span class="hint">They become a group of their own.</span></form>`;
  return html`<section id="reports" data-region aria-labelledby="reports-title">
<h2 id="reports-title">${count(group.items.length, 'report')}</h2>
<ol class="rows">${group.items.map((item) => reportRow(request, view, item, canSplit))}</ol>
${canSplit ? splitForm : ''}</section>`;
}

function reportRow(request: SignedInRequest, { group, seen }: ShownGroup, item: GroupedItem, canSplit: boolean): Html {
  const isFirst = item === firstItemOf(group);
  const isNew = newItems(group).includes(item);
  const undated = item.publishedAt === null ? ' (when it was first seen: the outlet names no time)' : '';
  const language = languageAttribute(item.language);
  const fields = { items: itemsText(group.items), seen, item: item.id };
  const first = postButton(request, `${groupPath(group.id)}/first`, 'Name first', {
    ...{ fields, id: `first-${item.id}`, key: 'f', quiet: true, name: `Name first: ${item.outlet}` },
  });
  const acts = html`<div class="buttons tight">${isFirst ? '' : first}<label class="choice"><input type="checkbox"
form="split" name="report" value="${item.id}" id="leave-${item.id}" data-key="m" data-key-name="Mark to split off"
aria-label="Split off: ${item.outlet}: ${item.title}"> Split off</label></div>`;
  return html`<li class="report" id="r${item.id}" data-row><p>${reportLink(item)}</p>
<p class="soft"><strong><bdi>${item.outlet}</bdi></strong>, ${when(request, reportedAt(item))}${undated}
${isFirst ? badge('named first') : ''} ${isNew ? badge('new', 'new') : ''}
${doubtfulItems(request, group).includes(item) ? badge('not certain: no rule counts it') : ''}</p>
${item.summary === null ? '' : html`<p dir="auto"${language}>${item.summary}</p>`}
${canSplit ? acts : ''}</li>`;
}

/** The groups that perhaps report the same event. */
async function readSimilar(db: Db, id: number): Promise<StoryGroup[]> {
  const ids = (await readSuggestions(db, [id])).get(id) ?? [];
  const groups = await readGroups(db, ids);
  return ids.flatMap((one) => groups.get(one) ?? []);
}

function similarRegion(
  request: SignedInRequest,
  view: ShownGroup,
  similar: readonly StoryGroup[],
  mayEdit: boolean,
): Html {
  if (similar.length === 0) return html`<section id="similar" data-region></section>`;
  return html`<section id="similar" data-region aria-labelledby="similar-title">
<h2 id="similar-title">Perhaps the same event</h2>
<ul class="rows">${similar.map(
    (other) => html`<li data-row>
<p><a href="${request.desk.base}${groupPath(other.id)}" dir="auto">${headlineOf(other)}</a></p>
<p class="soft">${groupStateMark(other)} ${outletNames(other)}</p>${
      mayEdit ? mergeButton(request, view, other) : ''
    }</li>`,
  )}</ul></section>`;
}

function mergeButton(request: SignedInRequest, { group, seen }: ShownGroup, other: StoryGroup): Html {
  return postButton(request, `${groupPath(group.id)}/merge`, 'Merge', {
    fields: { items: itemsText(group.items), with: itemsText(other.items), seen },
    ...{ id: `merge-${other.id}`, key: 'm', name: `Merge: ${headlineOf(other)}` },
  });
}

/** Drop and restore, as the state allows. */
function otherActs(request: SignedInRequest, { group, seen }: ShownGroup): Html {
  const { decision } = group;
  const fields = { items: itemsText(group.items), seen };
  const restore =
    decision?.state === 'dropped' || isEdit(group)
      ? postButton(request, `${groupPath(group.id)}/restore`, isEdit(group) ? 'Take the pick back' : 'Restore', {
          ...{ fields, id: 'restore-group' },
        })
      : '';
  const drop =
    decision?.state === 'dropped'
      ? ''
      : postButton(request, `${groupPath(group.id)}/drop`, 'Drop', { fields, id: 'drop-group', key: 'x' });
  return html`<div class="buttons">${restore}${drop}</div>
${
  decision?.state === 'picked'
    ? html`<p class="hint">Taken back or dropped, its article is retracted, and leaves the coming edition.</p>`
    : ''
}`;
}

function ownText({ decision }: StoryGroup): Html {
  return html`<section id="pick" data-region>${
    decision?.text == null ? '' : html`<h2>The sentence</h2><p class="break" dir="auto">${decision.text}</p>`
  }</section>`;
}

async function readGroupLog(db: Db, { items }: StoryGroup): Promise<RoundupLogEntry[]> {
  const ids = items.map(({ id }) => id);
  // Nobody has decided about a report before it was seen, by clocks that may differ.
  const since = Math.min(...items.map(({ firstSeenAt }) => firstSeenAt)) - DAY;
  const entries: RoundupLogEntry[] = [];
  for await (const entry of entriesAbout(db, ids, { since })) {
    entries.push(entry);
    if (entries.length === LOG_SHOWN) break;
  }
  return entries;
}

function logRegion(request: SignedInRequest, { items }: StoryGroup, log: readonly RoundupLogEntry[]): Html {
  const outlets = new Map(items.map(({ id, outlet }) => [id, outlet]));
  return html`<section id="log" data-region aria-labelledby="log-title"><h2 id="log-title">Log</h2>${
    log.length === 0
      ? html`<p class="soft">Nobody has decided anything about it.</p>`
      : html`<ol class="rows">${log.map(
          (entry) => html`<li><span class="soft">${when(request, entry.at)}</span>
<strong><bdi>${entry.editor}</bdi></strong> <bdi>${commandWords(entry, (id) => outlets.get(id) ?? null)}</bdi></li>`,
        )}</ol>`
  }</section>`;
}

/** What was typed into the form, and is wrong. */
interface RefusedPick {
  form: URLSearchParams;
  part: 'text' | 'headline' | 'picture' | 'section' | null;
  message: string;
}

/** Whether the form edits a pick, and makes none. */
export function isEdit({ decision }: StoryGroup): boolean {
  return decision?.state === 'picked' && decision.pickedBy === 'editor';
}

function pickForm(
  request: SignedInRequest,
  { group, seen }: ShownGroup,
  { back, refused, status }: GroupPageOptions,
): Html {
  const { decision, items } = group;
  const edits = isEdit(group);
  // The ids of fields.
  const ids = { text: 'own-text', headline: 'headline', section: 'section', picture: 'picture' };
  const errors: FormErrors =
    refused === undefined ? {} : { [refused.part === null ? '' : ids[refused.part]]: refused.message };
  const typed = (name: string, stored: string): string => refused?.form.get(name) ?? stored;
  // After a conflict, the text goes over what is shown now.
  const reference =
    status === 409
      ? { items: itemsText(items), seen, back }
      : { items: typed('items', itemsText(items)), seen: typed('seen', String(seen)), back };
  // A pick that was taken back is picked as if for the first time, but nobody writes the sentence again.
  const kept = edits ? decision : null;
  const act = edits ? 'edit' : 'pick';
  const name = request.desk.base + groupPath(group.id);
  return html`<form id="pick-form" method="post" action="${name}/${act}" data-keep="${name}" novalidate>
${errorSummary(errors)}${hiddenFields(reference)}
${textField({
  ...{ name: 'text', id: 'own-text', label: 'Your sentence', rows: 4, counter: MAX_SENTENCE, required: true },
  ...{ hint: 'In Markdown, in your own words. Readers see it below the headline.' },
  ...{ value: typed('text', decision?.text ?? ''), error: errors['own-text'] },
})}
${refused === undefined ? '' : besideRefused(group, typed('text', ''), status === 409)}
${textField({
  ...{ name: 'headline', label: 'Headline', counter: MAX_OWN_HEADLINE, error: errors.headline },
  ...{ hint: 'Empty: the headline of the outlet that is named first.', value: typed('headline', kept?.headline ?? '') },
  placeholder: firstItemOf(group).title,
})}
${firstChoice(request, group, typed('first', String(firstItemOf(group).id)))}
${selectField({
  ...{ name: 'section', label: 'Section', value: typed('section', kept?.section ?? ''), error: errors.section },
  options: [
    { value: '', label: 'none' },
    ...request.desk.app.config.sections.map(({ id, title }) => ({ value: id, label: title })),
  ],
})}
${pictureChoice(
  group,
  refused?.form.has('headline') ? refused.form.get('picture') === '1' : (kept?.hasPicture ?? false),
)}
<div class="buttons">${submitButton(edits ? 'Save' : 'Pick', { primary: true, id: 'pick-group' })}
<span class="hint">${
    edits
      ? 'The article changes at once. New reports are credited.'
      : 'A picked group is an article at once, and in the coming edition.'
  }</span></div></form>`;
}

function firstChoice(request: SignedInRequest, { items }: StoryGroup, chosen: string): Html {
  if (items.length === 1) return html``;
  const options = items.map((item) => ({
    value: String(item.id),
    label: html`<bdi>${item.outlet}</bdi>, <span class="soft">${when(request, reportedAt(item))}</span>`,
  }));
  return choiceField({ type: 'radio', name: 'first', legend: 'Named first', options, chosen: [chosen] });
}

function pictureChoice({ items }: StoryGroup, isChosen: boolean): Html {
  const outlet = items.find(({ imageUrl }) => imageUrl !== null)?.outlet;
  if (outlet === undefined) return html`<p class="hint">No report has a picture.</p>`;
  return html`<label class="choice"><input type="checkbox" id="picture" name="picture" value="1"${
    isChosen ? html` checked` : ''
  }> With the outlet's picture, and the outlet as its credit</label>`;
}
