/** The blocks of an edition with their stories. Each row is one form, whose buttons move, pin or drop the story. */
import { html } from 'hono/html';
import type { Article } from '../../../articles/article.ts';
import { articleDeskPath } from '../../../articles/article-link.ts';
import { sectionTitle } from '../../../core/config/config.ts';
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import type { Html } from '../../../web/desk/html.ts';
import { hiddenFields, submitButton } from '../../../web/desk/parts/form.ts';
import { badge } from '../../../web/desk/parts/status-mark.ts';
import { when, whenText } from '../../../web/desk/parts/when.ts';
import type { ArrangedStory } from '../../draft/arranged-draft.ts';
import { DRAFT_BLOCKS, type DraftBlock } from '../../draft/decisions.ts';
import { groupReports } from '../../selection/selection.ts';
import { actPath, type DraftPageView, rowId } from './draft-view.ts';
import { problemsOf } from './problem-list.ts';

const BLOCK_TITLES: Record<DraftBlock, string> = {
  lead: 'Lead',
  news: 'News',
  analysis: 'Analysis',
  roundup: 'Roundup',
  latest: 'Latest',
};

/** All blocks, also those without stories. An alert has one story, which stays. */
export function storyBlockLists(view: DraftPageView): Html {
  const { draft, mayEdit, request } = view;
  const isAlert = draft.newsletter.kind === 'alert';
  const blocks = isAlert ? (['lead'] as const) : DRAFT_BLOCKS;
  const canMove = mayEdit && !isAlert;
  const action = request.desk.base + actPath(draft, 'move');
  const drag = html`<form id="drag" method="post" action="${action}" hidden>
${hiddenFields({ story: '', block: '', before: '', seen: draft.draft.revision })}</form>`;
  return html`<section id="stories" aria-label="Stories">${blocks.map(
    (block, index) =>
      html`<section id="stories-${block}" data-region>${index === 0 && canMove ? drag : ''}${blockList(
        view,
        block,
        canMove,
      )}</section>`,
  )}</section>`;
}

function blockList(view: DraftPageView, block: DraftBlock, canMove: boolean): Html {
  const { draft } = view;
  const groups = groupReports(draft.stories).filter(([first]) => first.block === block);
  const limit = block === 'lead' ? 1 : draft.newsletter.blocks[block];
  const isOrdered = draft.draft.decisions.blocks[block] !== undefined;
  const problems = view.problems.filter(({ place }) => place?.block === block && place.articleId === null);
  const rows = groups.map((group, index) => {
    const neighbours = { before: groups[index - 1]?.[0].id ?? null, after: groups[index + 1]?.[0].id ?? null };
    return storyRow(view, group, { block, canMove, ...neighbours });
  });
  const attributes = canMove ? html` data-drag-list="${block}"` : '';
  const none = html`<li class="none soft">No story.${canMove ? ' Drag one here, or use its menu.' : ''}</li>`;
  const count = `${groups.length} of ${limit}${isOrdered ? ', ordered by an editor' : ''}`;
  return html`<div class="titled"><h2 id="block-${block}">${BLOCK_TITLES[block]} <span class="soft">${count}</span></h2>
${block === 'roundup' ? roundupLinks(view) : ''}</div>
${problemsOf(problems)}<ol class="rows" aria-labelledby="block-${block}"${attributes}>${
    rows.length === 0 ? none : rows
  }</ol>`;
}

/** To what the block is made from. */
function roundupLinks({ request, mayEdit }: DraftPageView): Html {
  const { base } = request.desk;
  return html`<ul class="line"><li><a id="roundup-list" href="${base}/roundup">Story groups</a></li>${
    mayEdit ? html`<li><a id="roundup-add" data-key="n" href="${base}/roundup/add">Add a report</a></li>` : ''
  }</ul>`;
}

interface RowPlace {
  block: DraftBlock;
  canMove: boolean;
  /** The story above in the block, or null. */
  before: string | null;
  /** The story below in the block, or null. */
  after: string | null;
}

/** In one line where there is room: handle, headline with its marks, outlet and time, buttons. */
function storyRow(view: DraftPageView, [first, ...also]: [ArrangedStory, ...ArrangedStory[]], place: RowPlace): Html {
  const { request, draft, find } = view;
  const { id, article } = first;
  const problems = view.problems.filter(({ place: at }) => at?.articleId === id);
  const outlet = article.outlet === null ? '' : html` · <bdi>${article.outlet.name}</bdi>`;
  const content = html`<div class="story">${headlineLink(view, first, rowId(id))} ${marks(view, first)}</div>
<div class="hint facts">${when(request, article.publishedAt)}${outlet}</div>`;
  const beneath = html`${problemsOf(problems)}${also.length === 0 ? '' : alsoList(view, also, place.canMove)}`;
  const hidden = find.matches(article) ? '' : html` hidden`;
  if (!place.canMove) return html`<li data-row class="acts"${hidden}>${content}${beneath}</li>`;
  const action = request.desk.base + actPath(draft, 'move');
  return html`<li data-row class="acts" data-drag-item="${id}"${hidden}>${HANDLE}${content}
<form method="post" action="${action}" class="buttons tight">
${hiddenFields({ story: id, seen: draft.draft.revision, from: place.block, next: place.after ?? place.before ?? '' })}
${rowButtons(view, first, place)}</form>${beneath}</li>`;
}

/** By which a pointer drags the row. The keyboard has the menu and its keys. */
export const HANDLE = html`<span class="handle needs-script" aria-hidden="true">⠿</span>`;

function rowButtons(view: DraftPageView, { id, article, decision }: ArrangedStory, place: RowPlace): Html {
  const { base } = view.request.desk;
  const act = (name: string): string => base + actPath(view.draft, name);
  const { block, before, after } = place;
  const isRoundupItem = article.kind === 'roundup-item';
  const targets = DRAFT_BLOCKS.filter((one) => one !== block && (!isRoundupItem || one === 'roundup'));
  const move = (label: string, key: string, name: string, value: string | null, isPossible = true): Html =>
    html`<button name="${name}" value="${value ?? ''}" data-key="${key}" id="${key}-${id}"${
      isPossible ? '' : html` disabled`
    }>${label}</button>`;
  const moves = [
    move('Up', 'u', 'before', before, before !== null),
    move('Down', 'd', 'after', after, after !== null),
    move('To top', 't', 'place', 'first', before !== null),
    move('To end', 'e', 'place', 'last', after !== null),
    ...targets.map((target) => {
      const key = String(DRAFT_BLOCKS.indexOf(target) + 1);
      return move(`To ${BLOCK_TITLES[target].toLowerCase()}`, key, 'block', target);
    }),
  ];
  const isPinned = decision === 'pinned' || decision === 'placed';
  const edit = `${base}${articleDeskPath(id)}/edit`;
  return html`${submitTo(act('drop'), 'Drop', { key: 'x', id: `x-${id}`, name: `Drop: ${article.headline}` })}
<details class="menu" id="more-${id}" name="row-menu"><summary id="b-${id}" data-key="b" data-key-name="Menu"
aria-label="Move: ${article.headline}">Move</summary>
<div role="group" aria-labelledby="b-${id}">${moves}${
    isPinned ? '' : submitTo(act('pin'), 'Pin', { key: 'p', id: `p-${id}` })
  }${decision === null ? '' : submitTo(act('restore'), 'Restore', { key: 'r', id: `r-${id}` })}${
    isRoundupItem ? '' : html`<a class="button" href="${edit}" data-key="i">Edit the article</a>`
  }</div></details>`;
}

interface SubmitTarget {
  key: string;
  id: string;
  /** What assistive technology reads instead of the label, which it must contain. */
  name?: string;
}

/** A button that sends the form of its row elsewhere. */
export function submitTo(action: string, label: string, { key, id, name }: SubmitTarget): Html {
  return html`<button formaction="${action}" data-key="${key}" id="${id}"${
    name === undefined ? '' : html` aria-label="${name}"`
  }>${label}</button>`;
}

/** The other reports of a roundup item's event, each with its own button. */
function alsoList(view: DraftPageView, also: readonly ArrangedStory[], canMove: boolean): Html {
  const { request, draft } = view;
  const action = request.desk.base + actPath(draft, 'drop');
  const items = also.map(({ id, article }) => {
    const drop = html`<form method="post" action="${action}" class="inline">
${hiddenFields({ story: id, seen: draft.draft.revision })}${submitButton('Drop', {
  ...{ quiet: true, id: `x-${id}`, name: `Drop: ${article.headline}` },
})}</form>`;
    return html`<li>Also ${headlineLink(view, { id, article }, rowId(id))} <span class="hint">${storyFacts(
      request,
      article,
    )}</span>${canMove ? drop : ''}</li>`;
  });
  return html`<ul class="also">${items}</ul>`;
}

function marks({ request, draft, reach }: DraftPageView, story: ArrangedStory): Html[] {
  const { article, decision, isNew, isChanged } = story;
  const { zone } = request.desk.app.config.publication;
  const isPublic = draft.edition !== null || article.publishedAt <= request.at;
  return [
    ...(isPublic ? [] : [badge(`public from ${whenText(article.publishedAt, request.at, zone)}`, 'warn')]),
    ...(isNew ? [badge('new', 'new')] : []),
    ...(isChanged ? [badge('changed since the approval', 'warn')] : []),
    ...(article.status.state === 'corrected' ? [badge('corrected', 'warn')] : []),
    ...(decision === 'pinned' || article.pinned ? [badge('pinned')] : []),
    ...(decision === 'placed' ? [badge('moved')] : []),
    ...(reach.unread.has(story.id) ? [badge('nobody gets it', 'warn')] : []),
  ];
}

/** Leads to the page of the article. @param domId keeps the focus on the story when the list changes */
export function headlineLink(
  { request }: Pick<DraftPageView, 'request'>,
  { id, article }: { id: string; article: Article | null },
  domId: string,
): Html {
  const kicker = article?.kicker ?? null;
  return html`<a id="${domId}" href="${request.desk.base}${articleDeskPath(id)}" dir="auto"${
    article === null ? '' : html` lang="${article.language}" title="${article.headline}"`
  }>${kicker === null ? '' : html`<span class="soft">${kicker}:</span> `}${article?.headline || id}</a>`;
}

/** Outlet, kind and time. */
export function storyFacts(request: DeskRequest, { kind, outlet, section, publishedAt }: Article): Html {
  const title = sectionTitle(request.desk.app.config, section) ?? section;
  const place = outlet === null ? (title ?? kind) : outlet.name;
  const own = outlet === null && section !== null ? `${kind} · ` : '';
  return html`<bdi>${place}</bdi> · ${own}${when(request, publishedAt)}`;
}
