/**
 * The alerts of a newsletter: each is a draft, and the instant at which it was made is its slot. An alert is open until
 * the run of its slot has ended. Retention deletes old runs, so a missing run shows an open alert only for some days.
 */
import { sql } from 'kysely';
import { type Db, inTransaction, lockName, type Tx } from '../../core/store/store.ts';
import { DAY } from '../../lib/time.ts';
import type { Draft } from '../draft/decisions.ts';
import { changeStoredDraft, findDraftSlots } from '../draft/draft-store.ts';
import { changeDraft } from '../draft/history.ts';
import { isInEditionOf } from '../selection/candidates.ts';
import { type EditionSlot, editionSlot } from '../slot.ts';
import { countAlertEditionsOn } from './alert-limits.ts';

export interface OpenAlertDraft {
  slot: EditionSlot;
  state: Draft['state']['kind'];
  /** When an editor lets it close, epoch milliseconds; null: nobody has sent it. */
  closeAt: number | null;
}

/** No run that is younger is deleted. */
const RUNS_KEPT_FOR = 7 * DAY;

/** Lists the open alerts, oldest first. */
export async function listOpenAlertDrafts(db: Db, newsletter: string, now: number): Promise<OpenAlertDraft[]> {
  const isOpen = sql<boolean>`((runs.state is null and drafts.slot_at > ${now - RUNS_KEPT_FOR})
    or runs.state in ('waiting', 'running') or (runs.state = 'failed' and runs.lease_until is not null))`;
  const rows = await db
    .selectFrom('drafts')
    .leftJoin('runs', (join) =>
      join.onRef('runs.slot_at', '=', 'drafts.slot_at').on('runs.schedule', '=', `newsletter:${newsletter}`),
    )
    .select(['drafts.slot', 'drafts.slot_at as slotAt', 'drafts.state', 'drafts.close_at as closeAt'])
    .where('drafts.newsletter', '=', newsletter)
    .where(isOpen)
    .orderBy('drafts.slot_at')
    .execute();
  return rows.map(({ slot: label, slotAt, ...rest }) => ({ slot: { label, slotAt }, ...rest }));
}

/** The alert cannot be made: what is wrong, and what would be right. */
export class AlertEditionError extends Error {
  override name = 'AlertEditionError';
}

export interface NewAlertDraft {
  newsletter: string;
  articleId: string;
  /** Epoch milliseconds. */
  publishedAt: number;
  editor: string;
  maxPerDay: number;
  /** IANA zone of the publication. */
  zone: string;
  now: number;
}

/**
 * Makes the draft of an alert, with the article as its lead. Open alerts count as if they were sent: two processes
 * cannot make more together than one may.
 * @returns its slot
 * @throws AlertEditionError if an alert of the newsletter has the article already, or the limit of that day is reached
 */
export function createAlertDraft(db: Db, alert: NewAlertDraft): Promise<EditionSlot> {
  const { newsletter, articleId, editor, now } = alert;
  return inTransaction(db, async (tx) => {
    await lockName(tx, `alerts ${newsletter}`);
    const open = await listOpenAlertDrafts(tx, newsletter, now);
    await assertAllowed(tx, alert, open);
    const slot = await freeSlot(tx, alert);
    await changeStoredDraft({ db: tx }, newsletter, slot, (draft) =>
      changeDraft(
        draft,
        [
          { field: 'block:lead', value: [articleId], base: 0 },
          { field: `story:${articleId}`, value: { kind: 'placed', block: 'lead' }, base: 0 },
        ],
        { editor, at: now, command: { kind: 'move', story: articleId, block: 'lead', place: { kind: 'first' } } },
      ),
    );
    return slot;
  });
}

async function assertAllowed(tx: Tx, alert: NewAlertDraft, open: readonly OpenAlertDraft[]): Promise<void> {
  const { newsletter, articleId, maxPerDay, now, zone } = alert;
  const used = await tx
    .selectFrom('articles')
    .select('id')
    .where('id', '=', articleId)
    .where(isInEditionOf(newsletter))
    .executeTakeFirst();
  if (used !== undefined) throw new AlertEditionError(`${newsletter} has sent ${articleId} already`);
  const waiting = open.filter(({ state }) => state !== 'closed');
  for (const { slot } of waiting) {
    const { document } = await tx
      .selectFrom('drafts')
      .select('document')
      .where('newsletter', '=', newsletter)
      .where('slot', '=', slot.label)
      .executeTakeFirstOrThrow();
    const { decisions } = JSON.parse(document) as Pick<Draft, 'decisions'>;
    if (!(decisions.blocks.lead ?? []).includes(articleId)) continue;
    throw new AlertEditionError(`an alert of ${articleId} is open: ${newsletter}/${slot.label}`);
  }
  const count = (await countAlertEditionsOn(tx, newsletter, now, zone)) + waiting.length;
  if (count >= maxPerDay) {
    const parts = waiting.length === 0 ? '' : `, ${waiting.length} of them open`;
    throw new AlertEditionError(
      `${newsletter} has ${count} alerts today${parts}, and may have ${maxPerDay} (maxPerDay)`,
    );
  }
}

/** A slot after all others, whose label is the wall clock with a number where several alerts share a minute. */
async function freeSlot(tx: Tx, { newsletter, publishedAt, zone, now }: NewAlertDraft): Promise<EditionSlot> {
  const { last } = await tx
    .selectFrom('drafts')
    .select(({ fn }) => fn.max('slot_at').as('last'))
    .where('newsletter', '=', newsletter)
    .executeTakeFirstOrThrow();
  // An edition has articles that were published before its slot.
  const slotAt = Math.max(now, publishedAt + 1, last === null ? 0 : Number(last) + 1);
  const { label } = editionSlot(slotAt, zone, true);
  const taken = new Set((await findDraftSlots(tx, newsletter, label)).map((slot) => slot.label));
  for (let n = 1; ; n++) {
    const free = n === 1 ? label : `${label}-${n}`;
    if (!taken.has(free)) return { label: free, slotAt };
  }
}
