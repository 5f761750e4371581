/**
 * The whole log of a draft, page by page.
 */
import { html } from 'hono/html';
import type { SignedInRequest } from '../../../web/desk/desk-request.ts';
import { respondMissing, respondPage } from '../../../web/desk/page.ts';
import { pager } from '../../../web/desk/parts/pager.ts';
import { draftPath, draftTopic, logPath } from '../../draft/draft-address.ts';
import { readDraft, readDraftLog } from '../../draft/draft-store.ts';
import { storiesOf } from '../../draft/history.ts';
import { findHeadlines } from '../../selection/candidates.ts';
import { logRows } from './draft-log.ts';
import { findTarget, isMissing } from './find-target.ts';

const ROWS = 50;

export async function showLog(request: SignedInRequest): Promise<Response> {
  const target = await findTarget(request);
  if (isMissing(target)) return respondMissing(request, target.message);
  const { newsletter, slot } = target;
  const { db } = request.desk.app.store;
  const draft = await readDraft(db, newsletter.id, slot);
  const log = await readDraftLog(db, newsletter.id, slot.label);
  const after = Number(/^\d{1,9}$/.exec(request.c.req.query('after') ?? '')?.[0] ?? Number.POSITIVE_INFINITY);
  const following = log.filter(({ number }) => number < after);
  const entries = following.slice(-ROWS).reverse();
  const older = following.length > ROWS ? String(entries.at(-1)?.number) : null;
  const headlines = await findHeadlines(request.desk.app.store.db, [...new Set(entries.flatMap(storiesOf))]);
  const view = { request, headlines, mayEdit: request.may('drafts.edit'), draft: { newsletter, slot, draft, log } };
  const body = html`<p><a href="${request.desk.base}${draftPath(target)}">The edition</a></p>
<section id="log" data-region aria-label="Entries">${
    entries.length === 0 ? html`<p class="soft">There is no such entry.</p>` : logRows(view, entries)
  }${pager(request, { path: logPath(target), older, isFirst: after === Number.POSITIVE_INFINITY })}</section>`;
  return respondPage(request, {
    title: `Log of ${newsletter.title}, ${slot.label}`,
    section: 'edition',
    topics: [draftTopic(target)],
    body,
  });
}
