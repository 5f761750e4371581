/**
 * A command that was refused because another editor, or the grouping, has changed the group since: both texts, and the
 * choice.
 */
import { html } from 'hono/html';
import type { Html, SignedInRequest } from '../../web/desk/desk-request.ts';
import { respondPage } from '../../web/desk/page.ts';
import { hiddenFields, submitButton } from '../../web/desk/parts/form.ts';
import { sentence } from '../../web/desk/parts/operator-text.ts';
import { when } from '../../web/desk/parts/when.ts';
import type { GroupConflictError } from '../story-groups/change-groups.ts';
import { firstItemOf, type StoryGroup } from '../story-groups/story-group.ts';
import { groupPath } from './group-address.ts';
import { commandWords, groupStateMark, headlineOf, outletNames } from './group-parts.ts';

export interface RefusedGroupCommand {
  error: GroupConflictError;
  /** The command in words, such as `drop it`. */
  wanted: string;
  /** The groups as they are now. */
  groups: StoryGroup[];
  /** The form that repeats the command, with what is seen now; null where the groups that it named are gone. */
  repeat: { action: string; fields: [string, string][] } | null;
  /** Where "Take theirs" leads, below the desk's path. */
  theirs: string;
}

export function respondConflict(request: SignedInRequest, refused: RefusedGroupCommand): Promise<Response> {
  const { error, groups, repeat, theirs } = refused;
  const outlets = new Map(groups.flatMap(({ items }) => items.map(({ id, outlet }) => [id, outlet])));
  const body = html`<p>${sentence(error)} Nothing was changed.</p>
${
  error.entries.length === 0
    ? ''
    : html`<h2>What was done since</h2><ol class="rows">${error.entries.map(
        (
          entry,
        ) => html`<li><span class="soft">${when(request, entry.at)}</span> <strong><bdi>${entry.editor}</bdi></strong>
<bdi>${commandWords(entry, (id) => outlets.get(id) ?? null)}</bdi></li>`,
      )}</ol>`
}
<h2>Theirs</h2>${groups.map((group) => theirsOf(request, group))}
<h2>Yours</h2>${yours(refused, request.form)}
<div class="buttons">${
    repeat === null
      ? ''
      : html`<form class="inline" method="post" action="${request.desk.base}${repeat.action}">${repeat.fields.map(
          ([name, value]) => hiddenFields({ [name]: value }),
        )}${submitButton('Keep mine', { id: 'keep-mine' })}</form>`
  }<a class="button" id="take-theirs" href="${request.desk.base}${theirs}">Take theirs</a></div>`;
  return respondPage(request, { title: 'Somebody was first', section: 'roundup', status: 409, body });
}

function theirsOf(request: SignedInRequest, group: StoryGroup): Html {
  const { decision } = group;
  const address = request.desk.base + groupPath(group.id);
  return html`<dl class="pairs"><dt>Group</dt><dd><a href="${address}" dir="auto">${headlineOf(group)}</a></dd>
<dt>State</dt><dd>${groupStateMark(group)}${decision === null ? '' : html` by <bdi>${decision.editor}</bdi>`}</dd>
<dt>Sentence</dt><dd class="break" dir="auto">${decision?.text ?? 'none'}</dd>
<dt>Outlets</dt><dd>${outletNames(group)}</dd></dl>`;
}

function yours({ wanted, groups }: RefusedGroupCommand, form: URLSearchParams): Html {
  const text = form.get('text');
  if (text === null) return html`<p>You wanted to ${wanted}.</p>`;
  const first = groups.flatMap(({ items }) => items).find(({ id }) => String(id) === form.get('first'));
  const [group] = groups;
  const named = first ?? (group === undefined ? undefined : firstItemOf(group));
  const headline = form.get('headline') || (named?.title ?? 'none');
  return html`<dl class="pairs"><dt>Headline</dt><dd class="break" dir="auto">${headline}</dd>
<dt>Sentence</dt><dd class="break" dir="auto">${text}</dd>
<dt>Named first</dt><dd><bdi>${named?.outlet ?? 'not known'}</bdi></dd></dl>`;
}
