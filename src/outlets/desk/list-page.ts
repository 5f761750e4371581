/** The story groups of a window: what other outlets report, strongest first. */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../web/desk/desk-request.ts';
import type { Html } from '../../web/desk/html.ts';
import { respondPage } from '../../web/desk/page.ts';
import { hiddenFields, postButton, selectField, submitButton } from '../../web/desk/parts/form.ts';
import { queryText } from '../../web/desk/parts/pager.ts';
import { fromNow, when } from '../../web/desk/parts/when.ts';
import {
  type BrowsedGroup,
  type BrowseOptions,
  browseGroups,
  GROUP_FILTERS,
  type GroupFilter,
  type GroupingState,
  type GroupPage,
  readGroupingState,
} from '../story-groups/browse-groups.ts';
import { MAX_WAITING, readGroups } from '../story-groups/group-rows.ts';
import { outletsOf, type StoryGroup } from '../story-groups/story-group.ts';
import { groupPath, itemsText, LIMITS, listParameters, listPath, parseListQuery, rankKey } from './group-address.ts';
import { isEdit } from './group-page.ts';
import {
  countWithNoun,
  groupStateMark,
  headlineLanguage,
  headlineOf,
  newReportsBadge,
  outletNames,
  sharedLine,
} from './group-parts.ts';

export async function showList(request: SignedInRequest): Promise<Response> {
  const query = parseListQuery(new URL(request.c.req.url).searchParams);
  const { app } = request.desk;
  const page = await browseGroups(app, query);
  const grouping = await readGroupingState(app);
  const similar = await readGroups(app.store.db, [...new Set(page.groups.flatMap((group) => group.similar))]);
  const view: ListView = { request, query, page, similar, mayEdit: request.may('drafts.edit') };
  const add = html`<p class="buttons"><a class="button" id="add" data-key="n"
href="${request.desk.base}/roundup/add">Add a report by its address</a></p>`;
  const body = html`${view.mayEdit ? add : ''}
${freshness(view, grouping)}
${filters(view)}
${view.mayEdit && page.groups.length > 0 ? mergeForm(view) : ''}
<section id="groups" data-region aria-label="Story groups">${
    page.groups.length === 0
      ? nothing(view)
      : html`<ol class="rows">${page.groups.map((group) => row(view, group))}</ol>`
  }${morePages(view)}</section>`;
  return respondPage(request, { title: 'Roundup', section: 'roundup', topics: ['roundup'], body });
}

interface ListView {
  request: SignedInRequest;
  query: BrowseOptions;
  page: GroupPage;
  /** Groups that rows name as perhaps the same. */
  similar: Map<number, StoryGroup>;
  mayEdit: boolean;
}

/** When reports were grouped, what waits, and whose reports are missing. */
function freshness({ request, page }: ListView, { groupedAt, waiting }: GroupingState): Html {
  const { withheld, unpolled, sources, windowHours } = page;
  const sourcesLink = html`<a href="${request.desk.base}/sources">Sources</a>`;
  const count =
    waiting.count === MAX_WAITING ? `${MAX_WAITING} or more reports` : countWithNoun(waiting.count, 'report');
  const named = withheld.slice(0, 3).map(({ source, state }) => `${source} ${state}`);
  const others = withheld.length > 3 ? ` and ${withheld.length - 3} more` : '';
  const notRead = `${countWithNoun(withheld.length, 'source')} not read: ${named.join(', ')}${others}`;
  const problems = [
    ...(withheld.length === 0 ? [] : [html`${notRead}. See ${sourcesLink}.`]),
    ...(unpolled === 0 ? [] : [html`${countWithNoun(unpolled, 'source')} not polled yet. See ${sourcesLink}.`]),
  ];
  return html`<section id="freshness" data-region aria-label="How current the list is">
<p class="hint">Reports of the last ${windowHours} hours from ${countWithNoun(sources, 'source')}.
${groupedAt === null ? 'Nothing was grouped yet.' : html`Grouped ${fromNow(request, groupedAt)}.`}
${
  waiting.since === null
    ? 'All reports are sorted into events.'
    : html`${count} ${waiting.count === 1 ? 'waits' : 'wait'} to be grouped, since ${when(request, waiting.since)}.`
}</p>
${problems.length === 0 ? '' : html`<ul class="problems">${problems.map((problem) => html`<li>${problem}</li>`)}</ul>`}
</section>`;
}

const FILTER_NAMES: Record<GroupFilter, string> = {
  ...{ current: 'all but dropped', open: 'new', picked: 'picked', 'by-rule': 'let in by a rule' },
  ...{ updated: 'picked, with new reports', dropped: 'dropped', all: 'all, with dropped' },
};

function filters({ request, query, page }: ListView): Html {
  return html`<form class="filters" method="get" action="${request.desk.base}/roundup">
${selectField({
  ...{ name: 'show', label: 'Show', value: query.filter },
  options: GROUP_FILTERS.map((value) => ({ value, label: `${FILTER_NAMES[value]} (${page.counts[value]})` })),
})}${selectField({
  ...{ name: 'limit', label: 'Events on a page', value: String(query.limit) },
  options: LIMITS.map((limit) => ({ value: String(limit), label: String(limit) })),
})}
${submitButton('Show', { id: 'apply-filter' })}</form>`;
}

/** Its checkboxes are in the rows. */
function mergeForm({ request, query, page }: ListView): Html {
  const button = submitButton('Merge the marked groups', { id: 'merge-groups' });
  return html`<section id="merge-marked" data-region aria-label="Merge">
<form id="merge" class="buttons" method="post" action="${request.desk.base}/roundup/merge">
${hiddenFields({ seen: page.seen, back: listPath(query) })}${button}
<span class="hint">For groups that report the same event.</span></form></section>`;
}

function row(view: ListView, browsed: BrowsedGroup): Html {
  const { group, newestAt } = browsed;
  const { id, decision } = group;
  const outlets = outletsOf(group.items).length;
  const sentence = decision?.state === 'picked' ? decision.text : null;
  return html`<li class="group" id="g${id}" data-row><div class="count"><b>${outlets}</b>
<span class="meaning">${outlets === 1 ? 'outlet' : 'outlets'}</span></div>
<div class="about"><p>${headlineLink(view, group)}</p>
<p class="soft">${groupStateMark(group)} ${newReportsBadge(group)}
${outletNames(group)}; newest ${fromNow(view.request, newestAt)}</p>
${sharedLine(group)}${similarLine(view, browsed)}
${sentence === null ? '' : html`<p class="own" dir="auto">${sentence}</p>`}</div>
${view.mayEdit ? rowActs(view, group) : ''}</li>`;
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

function rowActs(view: ListView, group: StoryGroup): Html {
  const { request, query, page } = view;
  const { id, decision } = group;
  const headline = headlineOf(group);
  const fields = { items: itemsText(group.items), seen: page.seen, back: listPath(query) };
  const pick = isEdit(group) ? 'Edit' : 'Pick';
  const acts =
    decision?.state === 'dropped'
      ? postButton(request, `${groupPath(id)}/restore`, 'Restore', {
          ...{ fields, id: `restore-${id}`, name: `Restore: ${headline}` },
        })
      : html`<a class="button" id="pick-${id}" data-key="p" href="${addressOf(view, group)}#own-text"
aria-label="${pick}: ${headline}">${pick}</a>${postButton(request, `${groupPath(id)}/drop`, 'Drop', {
          ...{ fields, id: `drop-${id}`, key: 'x', name: `Drop: ${headline}` },
        })}`;
  return html`<div class="buttons tight">${acts}<label class="choice"><input type="checkbox" form="merge" name="group"
id="mark-${id}" value="${fields.items}" data-key="m" data-key-name="Mark for merging"
aria-label="Merge: ${headline}"> Merge</label></div>`;
}

function similarLine({ request, similar }: ListView, browsed: BrowsedGroup): Html {
  const groups = browsed.similar.flatMap((id) => similar.get(id) ?? []);
  if (groups.length === 0) return html``;
  return html`<p class="soft">Perhaps the same as ${groups.map(
    (group, index) =>
      html`${index === 0 ? '' : ', '}<a href="${request.desk.base}${groupPath(group.id)}"><bdi${headlineLanguage(
        group,
      )}>${headlineOf(group)}</bdi></a>`,
  )}</p>`;
}

function nothing({ request, query, page }: ListView): Html {
  if (page.sources === 0 && page.counts.all === 0) {
    return html`<p class="empty">No source has “use: roundup”. “daywire sources add” adds one, and editors can
<a href="${request.desk.base}/roundup/add">add a report by its address</a>.</p>`;
  }
  if (query.filter === 'current') {
    return html`<p class="empty">${
      page.unpolled === page.sources
        ? 'Nothing yet: no source was polled.'
        : `Nothing was reported in the last ${page.windowHours} hours.`
    }</p>`;
  }
  return html`<p class="empty">No group of the last ${page.windowHours} hours is “${FILTER_NAMES[query.filter]}”.</p>`;
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
      : html`<a rel="next" href="${address(rankKey(last.rank))}">${countWithNoun(page.more, 'more group')}</a>`
  }</nav>`;
}
