/** The form that narrows the list of the roundup, how much it found, and what a list without groups says. */
import { html } from 'hono/html';
import { outletKey } from '../../articles/outlets.ts';
import { roundupSources } from '../../core/config/sources.ts';
import { count, formatCount } from '../../lib/text/count.ts';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { selectField, submitButton, textField } from '../../web/desk/parts/form.ts';
import { GROUP_FILTERS, type GroupFilter, type GroupPage } from '../story-groups/browse-groups.ts';
import { LEAST_OUTLETS, LIMITS, type RoundupQuery } from './group-address.ts';

const FILTER_NAMES: Record<GroupFilter, string> = {
  ...{ current: 'all but dropped', open: 'new', picked: 'picked', 'by-rule': 'let in by a rule' },
  ...{ updated: 'picked, with new reports', dropped: 'dropped', all: 'all, with dropped' },
};

export function listFilters(request: SignedInRequest, query: RoundupQuery, page: GroupPage): Html {
  const { config } = request.desk.app;
  const named = [...roundupSources(config).map(({ outlet }) => outlet), ...(query.outlet === '' ? [] : [query.outlet])];
  const outlets = [...new Map(named.map((name) => [outletKey(name), name])).values()].toSorted();
  const since = config.newsletters
    .filter(({ kind }) => kind === 'roundup')
    .map(({ id, title }) => ({ value: id, label: `the last edition of ${title}` }));
  const more = html`${selectField({
    ...{ name: 'outlet', label: 'Reported by', value: query.outlet },
    options: [{ value: '', label: 'any' }, ...outlets.map((name) => ({ value: name, label: name }))],
  })}${selectField({
    ...{ name: 'outlets', label: 'Outlets', value: String(query.leastOutlets) },
    options: LEAST_OUTLETS.map((n) => ({ value: String(n), label: n === 1 ? 'any number' : `${n} or more` })),
  })}${selectField({
    ...{ name: 'newsletter', label: 'Reported since', value: query.newsletter },
    options: [{ value: '', label: `${page.windowHours} hours ago` }, ...since],
  })}${selectField({
    ...{ name: 'limit', label: 'Events on a page', value: String(query.limit) },
    options: LIMITS.map((n) => ({ value: String(n), label: String(n) })),
  })}`;
  return html`<form class="filters" method="get" action="${request.desk.base}/roundup" role="search">
${textField({
  ...{ name: 'q', label: 'Words', type: 'search', value: query.words, maxLength: 100 },
  ...{ key: '/', keyName: 'Search' },
})}${selectField({
  ...{ name: 'show', label: 'Show', value: query.filter },
  options: GROUP_FILTERS.map((value) => ({ value, label: `${FILTER_NAMES[value]} (${page.counts[value]})` })),
})}
<details id="more-filters"${isSearch({ ...query, words: '' }) ? html` open` : ''}><summary>More filters</summary>
<div class="filters">${more}</div></details>
${submitButton('Filter', { id: 'apply-filter' })}</form>`;
}

/** Description of a filtered list; empty without a filter. */
export function foundLine(request: SignedInRequest, query: RoundupQuery, page: GroupPage): Html {
  if (!isSearch(query)) return html``;
  return html`<p class="hint" role="status">${formatCount(page.found)} of
${count(page.counts[query.filter], 'group')}. <a href="${request.desk.base}/roundup">Show all</a></p>`;
}

function isSearch({ words, outlet, leastOutlets, newsletter }: RoundupQuery): boolean {
  return words !== '' || outlet !== '' || leastOutlets > 1 || newsletter !== '';
}

/** Why a list has no groups, and what to do. */
export function nothingFound({ desk }: SignedInRequest, query: RoundupQuery, page: GroupPage): Html {
  if (page.sources === 0 && page.counts.all === 0) {
    return html`<p class="empty">No source has “use: roundup”. “daywire sources add” adds one, and editors can
<a href="${desk.base}/roundup/add">add a report by its address</a>.</p>`;
  }
  if (page.counts[query.filter] > 0) {
    return html`<p class="empty">No group matches. Fewer words or filters find more; a report that no feed has
<a href="${desk.base}/roundup/add">can be added by its address</a>.</p>`;
  }
  if (query.filter !== 'current') {
    return html`<p class="empty">No group of the last ${page.windowHours} hours is “${FILTER_NAMES[query.filter]}”.
<a href="${desk.base}/roundup">Show all groups</a></p>`;
  }
  return html`<p class="empty">${
    page.unpolled === page.sources
      ? 'Nothing yet: no source was polled.'
      : `Nothing was reported in the last ${page.windowHours} hours.`
  } <a href="${desk.base}/sources">Sources</a> says when each was read.</p>`;
}
