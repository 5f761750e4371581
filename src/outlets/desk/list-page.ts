/** The story groups of a window: what other outlets report, strongest first. */
import { html } from 'hono/html';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { lastEdition } from '../../editions/queries.ts';
import { count } from '../../lib/text/count.ts';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { roundupVersion } from '../../web/desk/live/snapshot.ts';
import { respondPage } from '../../web/desk/page.ts';
import { hiddenFields, postButton, submitButton, textField } from '../../web/desk/parts/form.ts';
import { queryText } from '../../web/desk/parts/pager.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import {
  type BrowsedGroup,
  browseGroups,
  type GroupingState,
  type GroupPage,
  readGroupingState,
} from '../story-groups/browse-groups.ts';
import { MAX_WAITING, readGroups } from '../story-groups/group-rows.ts';
import { outletsOf, type StoryGroup } from '../story-groups/story-group.ts';
import {
  groupPath,
  itemsText,
  listParameters,
  listPath,
  parseListQuery,
  type RoundupQuery,
  rankKey,
} from './group-address.ts';
import { isEdit } from './group-page.ts';
import {
  besideRefused,
  groupStateMark,
  headlineLanguage,
  headlineOf,
  newReportsBadge,
  outletNames,
  sharedLine,
} from './group-parts.ts';
import { foundLine, listFilters, nothingFound } from './list-filters.ts';

/** A sentence that was not stored. Its row shows it again. */
export interface RefusedSentence {
  group: number;
  text: string;
  message: string;
  status: ContentfulStatusCode;
}

export async function showList(request: SignedInRequest): Promise<Response> {
  const query = parseListQuery(new URL(request.c.req.url).searchParams);
  return respondList(request, query, await readPage(request, query));
}

/** @returns null if the page of the list does not have the group */
export async function respondInList(
  request: SignedInRequest,
  query: RoundupQuery,
  refused: RefusedSentence,
): Promise<Response | null> {
  const page = await readPage(request, query);
  const isShown = page.groups.some(({ group }) => group.id === refused.group && group.decision?.state !== 'dropped');
  return isShown ? respondList(request, query, page, refused) : null;
}

interface VersionedPage extends GroupPage {
  version: string;
}

async function readPage({ desk: { app } }: SignedInRequest, query: RoundupQuery): Promise<VersionedPage> {
  const version = await roundupVersion(app.store.db);
  const { newsletter, ...search } = query;
  const isKnown = app.config.newsletters.some(({ id }) => id === newsletter);
  const since = isKnown ? ((await lastEdition(app.store.db, newsletter))?.cutoffAt ?? null) : null;
  return { ...(await browseGroups(app, { ...query, search: { ...search, since } })), version };
}

async function respondList(
  request: SignedInRequest,
  query: RoundupQuery,
  page: VersionedPage,
  refused: RefusedSentence | null = null,
): Promise<Response> {
  const { app } = request.desk;
  const grouping = await readGroupingState(app);
  const similar = await readGroups(app.store.db, [...new Set(page.groups.flatMap((group) => group.similar))]);
  const view: ListView = { request, query, page, similar, mayEdit: request.may('drafts.edit'), refused };
  const add = html`<p class="buttons"><a class="button" id="add" data-key="n"
href="${request.desk.base}/roundup/add">Add a report by its address</a></p>`;
  const body = html`${view.mayEdit ? add : ''}
${freshness(view, grouping)}
${listFilters(request, query, page)}
<section id="groups" data-region aria-label="Story groups">${foundLine(request, query, page)}${
    page.groups.length === 0
      ? nothingFound(request, query, page)
      : html`<ol class="rows">${page.groups.map((_, index) => row(view, index))}</ol>`
  }${morePages(view)}</section>
${view.mayEdit && page.groups.length > 0 ? mergeForm(view) : ''}`;
  const options = { title: 'Roundup', section: 'roundup', topics: ['roundup'], version: page.version };
  return respondPage(request, { ...options, body, status: refused?.status ?? 200 });
}

interface ListView {
  request: SignedInRequest;
  query: RoundupQuery;
  page: GroupPage;
  /** Groups that rows name as perhaps the same. */
  similar: Map<number, StoryGroup>;
  mayEdit: boolean;
  refused: RefusedSentence | null;
}

/** When reports were grouped, what waits, and whose reports are missing. */
function freshness({ request, page }: ListView, { groupedAt, waiting }: GroupingState): Html {
  const { withheld, unpolled, sources, windowHours } = page;
  const sourcesLink = html`<a href="${request.desk.base}/sources">Sources</a>`;
  const reports = waiting.count === MAX_WAITING ? `${MAX_WAITING} or more reports` : count(waiting.count, 'report');
  const named = withheld.slice(0, 3).map(({ source, state }) => `${source} ${state}`);
  const others = withheld.length > 3 ? ` and ${withheld.length - 3} more` : '';
  const notRead = `${count(withheld.length, 'source')} not read: ${named.join(', ')}${others}`;
  const problems = [
    ...(withheld.length === 0 ? [] : [html`${notRead}. See ${sourcesLink}.`]),
    ...(unpolled === 0 ? [] : [html`${count(unpolled, 'source')} not polled yet. See ${sourcesLink}.`]),
  ];
  return html`<section id="freshness" data-region aria-label="How current the list is">
<p class="hint">Reports of the last ${windowHours} hours from ${count(sources, 'source')}.
${groupedAt === null ? 'Nothing was grouped yet.' : html`Grouped ${fromNow(request, groupedAt)}.`}
${
  waiting.since === null
    ? 'All reports are sorted into events.'
    : html`${reports} ${waiting.count === 1 ? 'waits' : 'wait'} to be grouped, since ${when(request, waiting.since)}.`
}</p>
${problems.length === 0 ? '' : html`<ul class="problems">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`}
</section>`;
}

/** Its checkboxes are in the rows. */
function mergeForm({ request, query, page }: ListView): Html {
  const button = submitButton('Merge the marked groups', { id: 'merge-groups', key: 'g' });
  return html`<section id="merge-marked" data-region aria-label="Merge">
<form id="merge" class="buttons" method="post" action="${request.desk.base}/roundup/merge">
${hiddenFields({ seen: page.seen, back: listPath(query), next: '' })}${button}
<span class="hint">For groups that report the same event.</span></form></section>`;
}

function row(view: ListView, index: number): Html {
  const {
    refused,
    page: { groups },
  } = view;
  const browsed = groups[index] as BrowsedGroup;
  const { group, newestAt } = browsed;
  const { id, decision } = group;
  const outlets = outletsOf(group.items).length;
  const sentence = decision?.state === 'picked' ? decision.text : null;
  const own = sentence === null ? '' : html`<p class="own" dir="auto">${sentence}</p>`;
  const next = groups[index + 1] ?? groups[index - 1];
  // What each act of the row names, and where the focus goes after it.
  const fields = {
    ...{ items: itemsText(group.items), seen: view.page.seen, back: listPath(view.query) },
    next: next === undefined ? '' : String(next.group.id),
  };
  return html`<li class="group" id="g${id}" data-row><div class="count"><b>${outlets}</b>
<span class="meaning">${outlets === 1 ? 'outlet' : 'outlets'}</span></div>
<div class="about"><p>${headlineLink(view, group)}</p>
<p class="soft">${groupStateMark(group)} ${newReportsBadge(group)}
${outletNames(group)}; newest ${fromNow(view.request, newestAt)}</p>
${sharedLine(view.request, group)}${similarLine(view, browsed, fields)}
${view.mayEdit && decision?.state !== 'dropped' ? sentenceForm(view, group, fields) : own}
${refused?.group === id ? besideRefused(group, refused.text, refused.status === 409) : ''}</div>
${view.mayEdit ? rowActs(view, group, fields) : ''}</li>`;
}

type RowFields = Record<'items' | 'back' | 'next', string> & { seen: number };

/** The sentence in the list: storing one picks the group. */
function sentenceForm({ request, refused }: ListView, group: StoryGroup, fields: RowFields): Html {
  const { id, decision } = group;
  const [act, label] = isEdit(group) ? ['edit', 'Save'] : ['pick', 'Pick'];
  const wrong = refused?.group === id ? refused : undefined;
  const headline = headlineOf(group);
  const path = request.desk.base + groupPath(id);
  return html`<form class="write" id="write-${id}" method="post" action="${path}/${act}"
data-keep="${path}">${hiddenFields(fields)}${textField({
    ...{ name: 'text', id: `text-${id}`, label: 'Your sentence', subject: headline, rows: 1, required: true },
    ...{ value: wrong?.text ?? decision?.text ?? '', placeholder: 'Write a sentence' },
    ...{ error: wrong?.message, key: 'p', keyName: 'Write its sentence; Ctrl+Enter stores it and goes on' },
  })}${submitButton(label as string, { id: `pick-${id}`, name: `${label}: ${headline}` })}</form>`;
}

function headlineLink(view: ListView, group: StoryGroup): Html {
  const lang = headlineLanguage(group);
  return html`<a id="open-${group.id}" href="${addressOf(view, group)}" dir="auto"${lang}>${headlineOf(group)}</a>`;
}

/** The page of a group, which leads back to this list. */
function addressOf({ request, query }: ListView, { id }: StoryGroup): string {
  const back = listPath(query);
  return request.desk.base + groupPath(id) + queryText({ back: back === '/roundup' ? undefined : back });
}

function rowActs({ request }: ListView, group: StoryGroup, fields: RowFields): Html {
  const { id, decision } = group;
  const headline = headlineOf(group);
  const act =
    decision?.state === 'dropped'
      ? postButton(request, `${groupPath(id)}/restore`, 'Restore', {
          ...{ fields, id: `restore-${id}`, name: `Restore: ${headline}` },
        })
      : postButton(request, `${groupPath(id)}/drop`, 'Drop', {
          ...{ fields, id: `drop-${id}`, key: 'x', name: `Drop: ${headline}` },
        });
  return html`<div class="buttons tight">${act}<label class="choice"><input type="checkbox" form="merge" name="group"
id="mark-${id}" value="${fields.items}" data-key="m" data-key-name="Mark for merging"
aria-label="Merge: ${headline}"> Merge</label></div>`;
}

function similarLine({ request, similar, mayEdit }: ListView, browsed: BrowsedGroup, fields: RowFields): Html {
  const groups = browsed.similar.flatMap((id) => similar.get(id) ?? []);
  if (groups.length === 0) return html``;
  const { group } = browsed;
  const merge = (other: StoryGroup): Html =>
    postButton(request, `${groupPath(group.id)}/merge`, 'Merge', {
      ...{ fields: { ...fields, with: itemsText(other.items) }, id: `merge-${group.id}-${other.id}`, quiet: true },
      name: `Merge: ${headlineOf(group)}, with: ${headlineOf(other)}`,
    });
  return html`<div class="soft">Perhaps the same as ${groups.map(
    (other, index) =>
      html`${index === 0 ? '' : ', '}<a id="like-${group.id}-${other.id}"
href="${request.desk.base}${groupPath(other.id)}"><bdi${headlineLanguage(other)}>${headlineOf(other)}</bdi></a>${
        mayEdit ? html` ${merge(other)}` : ''
      }`,
  )}</div>`;
}

function morePages({ request, query, page }: ListView): Html {
  const last = page.groups.at(-1);
  const address = (after: string | undefined): string =>
    `${request.desk.base}/roundup${queryText({ ...listParameters(query), after })}`;
  if (query.after === null && page.more === 0) return html``;
  return html`<nav class="pager" aria-label="Pages of this list">${
    query.after === null ? '' : html`<a href="${address(undefined)}">First page</a>`
  }${
    page.more === 0 || last === undefined
      ? ''
      : html`<a rel="next" href="${address(rankKey(last.rank))}">${count(page.more, 'more group')}</a>`
  }</nav>`;
}
