/** Steps of the tests of drafts: an app with a few stories, and what an editor does to its draft. */

import { jobsOf } from '../../../src/app/capabilities.ts';
import type { NewsletterConfig } from '../../../src/core/config/config.ts';
import { registerSchedules } from '../../../src/core/schedule/register.ts';
import { runDue } from '../../../src/core/schedule/run-due.ts';
import type { Run } from '../../../src/core/schedule/run-ledger.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { composeEdition } from '../../../src/editions/compose.ts';
import { approvalHash } from '../../../src/editions/draft/approval.ts';
import type { DraftState } from '../../../src/editions/draft/decisions.ts';
import { changeStoredDraft, readDraft } from '../../../src/editions/draft/draft-store.ts';
import { type DraftTarget, findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { changeDraft, fieldRevision } from '../../../src/editions/draft/history.ts';
import { type EditionSlot, editionSlot } from '../../../src/editions/slot.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { article, articleFactory, saveAll, saveAsPublished } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

export const STORIES = ['one', 'two', 'three', 'four'];

export interface DraftApp extends TestApp {
  newsletter: NewsletterConfig;
  slot: EditionSlot;
}

/** Opens an app an hour before a slot, with four stories of the hours before it. */
export async function openDraftApp(
  store: Store,
  slotAt: number,
  {
    approval = 'auto',
    cron = '30 7 * * *',
    zone = 'Asia/Shanghai',
  }: {
    approval?: NewsletterConfig['approval'];
    cron?: string;
    zone?: string;
  } = {},
): Promise<DraftApp> {
  const app = openTestApp(store, {
    feeds: ['latest'],
    edit: (yaml) =>
      yaml
        .replace('zone: Asia/Shanghai', `zone: ${zone}`)
        .replace('cron: "30 7 * * *"', `cron: "${cron}"`)
        .replace('minimumStories: 3', `minimumStories: 3\n    approval: ${approval}`),
  });
  app.now = slotAt - HOUR;
  await app.keys.signingSecrets();
  await registerSchedules(store.db, jobsOf(app), app.now);
  const story = storyFactory(slotAt);
  await saveAsPublished(
    store,
    STORIES.map((id, n) => story(id, { pinned: n === 0, publishedAt: slotAt - (2 + n) * HOUR })),
  );
  const newsletter = app.config.newsletters[0] as NewsletterConfig;
  return Object.assign(app, { newsletter, slot: editionSlot(slotAt, zone, false) });
}

/** In the order of their publication, the newest first. */
const FIVE = ['first', 'second', 'third', 'fourth', 'fifth'];

/** Stores five stories of the last hours, of which `first` leads, and one that is too old. @returns the next draft */
export async function openFiveStories(app: TestApp): Promise<DraftTarget> {
  const stories = FIVE.map((id, index) => article(id, { publishedAt: NOW - (index + 1) * HOUR }));
  await saveAll(app.store, [...stories, article('old', { publishedAt: NOW - 90 * HOUR })]);
  return findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
}

/** Makes a story, published half an hour before the slot. */
export function storyFactory(slotAt: number): ReturnType<typeof articleFactory> {
  return articleFactory({ publishedAt: slotAt - 30 * MINUTE });
}

/** Retracts stories. */
export async function retract({ store, slot, now }: DraftApp, ...ids: string[]): Promise<void> {
  const story = storyFactory(slot.slotAt);
  const status = { state: 'retracted', note: 'Wrong.', at: now } as const;
  await saveAsPublished(
    store,
    ids.map((id) => story(id, { status, publishedAt: slot.slotAt - 3 * HOUR, updatedAt: now })),
  );
}

/** Changes the state of the app's draft. */
export async function setState({ store, newsletter, slot, now }: DraftApp, state: DraftState): Promise<void> {
  await changeStoredDraft(store, newsletter.id, slot, (draft) =>
    changeDraft(draft, [{ field: 'state', value: state, base: fieldRevision(draft, 'state') }], {
      ...{ at: now, editor: 'Ada' },
      command: state.kind === 'held' ? { kind: 'hold', reason: state.reason } : { kind: 'unhold' },
    }),
  );
}

export function hold(app: DraftApp): Promise<void> {
  return setState(app, { kind: 'held', by: 'Ada', at: app.now, reason: null });
}

/** Approves the edition as it would be at its slot, with the stories known now. */
export async function approve(app: DraftApp): Promise<void> {
  const { store, config, templates, newsletter, slot } = app;
  const at = Math.max(app.now, slot.slotAt);
  const options = { slot, cutoffAt: at, now: at, nonce: '0123456789abcdef0123' };
  const composed = await composeEdition(store, config, templates, newsletter, options);
  if (composed.kind !== 'composed') throw new Error(`nothing to approve: ${composed.kind}`);
  const stories = composed.articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
  const { decisions } = await readDraft(store.db, newsletter.id, slot);
  const hash = approvalHash(decisions, stories);
  await setState(app, { kind: 'approved', by: 'Ada', at: app.now, hash, stories });
}

/** Runs what is due of the newsletter at an instant. @returns the runs recorded by this check */
export function check(app: DraftApp, now: number): Promise<Run[]> {
  app.now = now;
  const jobs = jobsOf(app).filter(({ id }) => id.startsWith('newsletter:'));
  return runDue(app.store, jobs, app);
}

/** The ids of the closed edition's stories in order of their names; null if none is closed. */
export async function closedStories({ store, newsletter, slot }: DraftApp): Promise<string[] | null> {
  const editions = await store.db
    .selectFrom('editions')
    .select('id')
    .where('newsletter', '=', newsletter.id)
    .where('slot', '=', slot.label)
    .execute();
  if (editions.length === 0) return null;
  const rows = await store.db
    .selectFrom('edition_articles')
    .select('article_id')
    .where(
      'edition_id',
      'in',
      editions.map(({ id }) => id),
    )
    .orderBy('article_id')
    .execute();
  return rows.map((row) => row.article_id);
}
