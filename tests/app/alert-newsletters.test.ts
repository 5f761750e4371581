import { describe, expect, it } from 'vitest';
import { runRetention } from '../../src/app/background-tasks.ts';
import { jobsOf } from '../../src/app/capabilities.ts';
import { countArticles, findPublicArticles } from '../../src/articles/queries.ts';
import type { NewsletterConfig } from '../../src/core/config/config.ts';
import { deleteOtherSchedules, registerSchedules } from '../../src/core/schedule/register.ts';
import { runDue } from '../../src/core/schedule/run-due.ts';
import { listLastRuns, listRuns } from '../../src/core/schedule/run-ledger.ts';
import type { Store } from '../../src/core/store/store.ts';
import { composeSlot } from '../../src/delivery/closing/close.ts';
import { makeAlertEdition } from '../../src/delivery/closing/newsletter-jobs.ts';
import { closeDueEditions, startSending } from '../../src/delivery/closing/send-now.ts';
import { createAlertDraft, listOpenAlertDrafts } from '../../src/editions/alert-newsletters/alert-drafts.ts';
import { readArrangedDraft } from '../../src/editions/draft/arranged-draft.ts';
import { findDraftTarget } from '../../src/editions/draft/draft-target.ts';
import { findEdition, listEditionArticles } from '../../src/editions/queries.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { openAlerts as openOperatorAlerts } from '../support/alerts.ts';
import { approveDraft } from '../support/approve.ts';
import { articleFactory, saveAsPublished } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { openTestSite } from './test-site.ts';

const article = articleFactory({ publishedAt: NOW - HOUR });

const BREAKING = `newsletters:
  - id: breaking
    kind: alert
    title: Breaking News
    kicker: Breaking
    description: One story, when it cannot wait.
    from: { name: The Meridian Wire, email: breaking@example.com }
    template: breaking-alert
    maxPerDay: 2
`;

async function openAlertApp(
  store: Store,
  keys = '',
  ids = ['a', 'b', 'c', 'd'],
): Promise<TestApp & { newsletter: NewsletterConfig }> {
  const app = openTestApp(store, {
    feeds: ['latest'],
    edit: (yaml) => yaml.replace('newsletters:\n', `${BREAKING}${keys}`),
  });
  await saveAsPublished(
    store,
    ids.map((id) => article(id)),
  );
  return Object.assign(app, { newsletter: app.config.newsletters[0] as NewsletterConfig });
}

/** What the schedule does for alerts at the present instant of the app. */
async function tick(app: TestApp): Promise<void> {
  const jobs = jobsOf(app).filter(({ id }) => id === 'newsletter:breaking');
  await runDue(app.store, jobs, app);
}

const runsOf = async (app: TestApp) =>
  (await listRuns(app.store.db, 10))
    .filter(({ schedule }) => schedule === 'newsletter:breaking')
    .map(({ state, reason }) => `${state}: ${reason}`);

async function approve(app: TestApp & { newsletter: NewsletterConfig }, editor = 'Ada'): Promise<void> {
  const target = await findDraftTarget(app, app.newsletter);
  expect(await readArrangedDraft(app, target)).toMatchObject({ leftOut: [] });
  await approveDraft(app, target, editor);
}

describe('an alert', () => {
  forEachDatabase((open) => {
    it('is an edition of one article, whatever else is new, and waits for an approval', async () => {
      const app = await openAlertApp(await open());
      const { slot, run } = await makeAlertEdition(app, app.newsletter, 'b', 'Ada');
      expect(run).toBeNull();
      expect(slot.label).toMatch(/^\d{4}-\d\d-\d\d-\d{4}$/);
      await tick(app);
      expect(await runsOf(app)).toEqual(['waiting: not approved']);
      await approve(app);
      expect(await composeSlot(app, app.newsletter, slot)).toMatchObject({ kind: 'closed', queued: 0 });
      const edition = await findEdition(app.store.db, 'breaking', slot.label);
      expect(await listEditionArticles(app.store.db, edition?.id ?? 0)).toEqual([{ id: 'b', block: 'lead' }]);
      expect(edition?.subject).toBe('Breaking: Headline of b');
      expect(await app.store.db.selectFrom('edition_omissions').selectAll().execute()).toEqual([]);
      // Its article is in the feeds already.
      const published = await findPublicArticles(app.store.db, { now: app.now + MINUTE, limit: 10 });
      expect(published.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(await countArticles(app.store.db)).toEqual({ published: 4 });
      app.now += MINUTE;
      await tick(app);
      expect(await runsOf(app)).toEqual([expect.stringMatching(/^(?:done|late): /)]);
      expect(await listOpenAlertDrafts(app.store.db, 'breaking', app.now)).toEqual([]);
    });

    it('closes when it was sent, after undoSeconds, and ends its run', async () => {
      const app = await openAlertApp(await open(), '    undoSeconds: 5\n');
      await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await tick(app);
      await approve(app);
      const target = await findDraftTarget(app, app.newsletter);
      expect(await startSending(app, target, 'Ada')).toBe(app.now + 5 * SECOND);
      await tick(app);
      expect(await runsOf(app)).toEqual([expect.stringMatching(/^waiting: approved: closes at /)]);
      app.now += 5 * SECOND;
      await closeDueEditions(app);
      expect(await findEdition(app.store.db, 'breaking', target.slot.label)).toMatchObject({ number: 1 });
      expect(await runsOf(app)).toEqual([expect.stringMatching(/^done: waited 5 s: approved: .*edition 1 was closed/)]);
      await tick(app);
      expect(await runsOf(app)).toHaveLength(1);
    });

    it('ends its run when it closes while no process runs the schedule, which alerts nobody', async () => {
      const app = await openAlertApp(await open(), '    undoSeconds: 0\n');
      await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      expect(await runsOf(app)).toEqual(['waiting: not approved']);
      app.now += 5 * MINUTE;
      await approve(app);
      await startSending(app, await findDraftTarget(app, app.newsletter), 'Ada');
      await closeDueEditions(app);
      expect(await runsOf(app)).toEqual(['late: waited 5 min: not approved; edition 1 was closed by hand']);
      await tick(app);
      expect(await runsOf(app)).toHaveLength(1);
      expect(await openOperatorAlerts(app.store.db)).toEqual([]);
    });

    it('keeps the alert to the operator while another one waits', async () => {
      const app = await openAlertApp(await open(), '    undoSeconds: 0\n');
      const first = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await makeAlertEdition(app, app.newsletter, 'b', 'Ada');
      await tick(app);
      await approve(app);
      await startSending(app, await findDraftTarget(app, app.newsletter), 'Ada');
      await closeDueEditions(app);
      expect(await openOperatorAlerts(app.store.db)).toEqual([]);
      await tick(app);
      await tick(app);
      expect(await openOperatorAlerts(app.store.db)).toMatchObject([{ key: 'waiting:newsletter:breaking' }]);
      expect((await findDraftTarget(app, app.newsletter)).slot).toEqual(first.slot);
    });

    it('stays ended when retention has deleted its run', async () => {
      const app = await openAlertApp(await open());
      for (const articleId of ['a', 'b']) {
        await makeAlertEdition(app, app.newsletter, articleId, 'Ada');
        app.now += 2 * HOUR;
        await tick(app);
      }
      app.now += 200 * DAY;
      expect((await runRetention(app)).runs).toBe(1);
      expect(await listOpenAlertDrafts(app.store.db, 'breaking', app.now)).toEqual([]);
      await tick(app);
      expect(await runsOf(app)).toHaveLength(1);
    });

    it('closes at once where no approval is required, and is listed and shown as other newsletters are', async () => {
      const app = await openAlertApp(await open(), '    approval: auto\n');
      const { slot, run } = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      expect(run).toMatchObject({ schedule: 'newsletter:breaking', slotAt: slot.slotAt, state: 'done' });
      expect(await findEdition(app.store.db, 'breaking', slot.label)).toMatchObject({ number: 1 });
      const site = openTestSite(app.store, app.config);
      site.at(app.now + MINUTE);
      const page = await site.read('/newsletters');
      expect(page).toContain('One story, when it cannot wait. As soon as it happens.');
      expect(page).toContain(`<a href="/editions/breaking/${slot.label}">Breaking: Headline of a</a>`);
      expect(await site.read('/editions/breaking')).toContain('Breaking: Headline of a');
      expect(await site.read(`/editions/breaking/${slot.label}`)).toContain('Headline of a');
    });

    it('is the last run of its newsletter in status and metrics', async () => {
      const app = await openAlertApp(await open());
      await tick(app);
      const { slot } = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      const last = { schedule: 'newsletter:breaking', slotAt: slot.slotAt, state: 'waiting' };
      expect(await listLastRuns(app.store.db)).toMatchObject([last]);
    });

    it('ends when its newsletter is removed or becomes a roundup, but not when the zone changes', async () => {
      const app = await openAlertApp(await open());
      const { db } = app.store;
      const registered = async (cron: string | null, zone: string): Promise<string[]> => {
        const job = { id: 'newsletter:breaking', schedule: { cron, zone, graceMinutes: 60 }, coalesce: false };
        await registerSchedules(db, [job], app.now);
        return runsOf(app);
      };
      await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await tick(app);
      expect(await registered(null, 'UTC')).toEqual(['waiting: not approved']);
      expect(await registered('0 7 * * *', 'UTC')).toEqual(['skipped: not approved; its schedule was removed']);
      expect(await openOperatorAlerts(db)).toEqual([]);
      app.now += MINUTE;
      await makeAlertEdition(app, app.newsletter, 'b', 'Ada');
      await deleteOtherSchedules(db, [{ id: 'publish' }], app.now);
      expect(await runsOf(app)).toEqual(Array(2).fill('skipped: not approved; its schedule was removed'));
    });

    it('lapses if nobody approves it in time, with a reason and an alert to the operator', async () => {
      const app = await openAlertApp(await open());
      const { slot } = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await tick(app);
      app.now += 60 * MINUTE;
      await tick(app);
      expect(await runsOf(app)).toEqual([expect.stringMatching(/^waiting: /)]);
      app.now += MINUTE;
      await tick(app);
      expect(await runsOf(app)).toEqual([expect.stringMatching(/^skipped: .*; its grace period is over$/)]);
      const alerts = await openOperatorAlerts(app.store.db);
      expect(alerts.map(({ key }) => key)).toEqual(['skipped:newsletter:breaking']);
      expect(await composeSlot(app, app.newsletter, slot)).toEqual({
        kind: 'waiting',
        remedy: 'approve',
        reason: 'not approved',
      });
      await expect(findDraftTarget(app, app.newsletter)).rejects.toThrow(
        /has no open alert: to make one, use "daywire alert ARTICLE --newsletter breaking"/,
      );
      // It can be made again.
      await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
    });

    it('does not close after its time, even if it was approved', async () => {
      const app = await openAlertApp(await open());
      const { slot } = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await approve(app);
      app.now += 60 * MINUTE;
      expect(await composeSlot(app, app.newsletter, slot)).toEqual({
        kind: 'waiting',
        remedy: null,
        reason: 'not sent within 1 h',
      });
    });

    it('is void when its article is retracted', async () => {
      const app = await openAlertApp(await open());
      const { slot } = await makeAlertEdition(app, app.newsletter, 'a', 'Ada');
      await approve(app);
      const status = { state: 'retracted', note: 'Wrong', at: NOW } as const;
      await saveAsPublished(app.store, [article('a', { status, updatedAt: NOW })]);
      expect(await composeSlot(app, app.newsletter, slot)).toMatchObject({
        kind: 'waiting',
        reason: expect.stringMatching(/^not approved: the approval by Ada is void/),
      });
    });

    it('is made once of an article, and at most so often a day, open ones included', async () => {
      const app = await openAlertApp(await open());
      const make = (id: string) => makeAlertEdition(app, app.newsletter, id, 'Ada');
      const { slot } = await make('a');
      await expect(make('a')).rejects.toThrow(`an alert of a is open: breaking/${slot.label}`);
      await approve(app);
      await composeSlot(app, app.newsletter, slot);
      await expect(make('a')).rejects.toThrow('breaking has sent a already');
      const second = await make('b');
      expect(second.slot.label).toBe(`${slot.label}-2`);
      await expect(make('c')).rejects.toThrow(
        'breaking has 2 alerts today, 1 of them open, and may have 2 (maxPerDay)',
      );
      app.now += DAY;
      await tick(app);
      await make('c');
    });

    it('is not made of what is no public story of the newsroom', async () => {
      const app = await openAlertApp(await open());
      await saveAsPublished(app.store, [
        article('item', { kind: 'roundup-item', outlet: { name: 'Example', url: null, publishedAt: null } }),
        article('later', { publishedAt: NOW + HOUR, status: { state: 'scheduled', until: NOW + HOUR } }),
        article('draft', { status: { state: 'draft' } }),
      ]);
      const make = (id: string) => makeAlertEdition(app, app.newsletter, id, 'Ada');
      await expect(make('none')).rejects.toThrow('there is no article none');
      await expect(make('item')).rejects.toThrow(/of kind roundup-item: an alert has a story of the newsroom's own/);
      await expect(make('later')).rejects.toThrow(/later is public on .*: an alert has an article that is public/);
      await expect(make('draft')).rejects.toThrow(/draft is draft: /);
      const roundup = { ...app.newsletter, kind: 'roundup' } as const;
      await expect(makeAlertEdition(app, roundup, 'a', 'Ada')).rejects.toThrow(/breaking is a roundup/);
    });

    it('is not made more often by two processes together, and not twice of an article', async () => {
      const app = await openAlertApp(await open());
      const make = (articleId: string) =>
        createAlertDraft(app.store.db, {
          ...{ newsletter: 'breaking', articleId, publishedAt: NOW - HOUR, editor: 'Ada' },
          ...{ maxPerDay: 2, zone: 'Asia/Shanghai', now: NOW },
        });
      const made = await Promise.allSettled(['a', 'a', 'b', 'c', 'd', 'b'].map(make));
      expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      const open_ = await listOpenAlertDrafts(app.store.db, 'breaking', app.now);
      expect(new Set(open_.map(({ slot }) => slot.slotAt)).size).toBe(2);
    });

    it('is not closed more often than the limit by two processes together', async () => {
      const app = await openAlertApp(await open(), '    approval: auto\n');
      const limited = { ...app.newsletter, maxPerDay: 1 };
      const slots = [];
      for (const articleId of ['a', 'b', 'c']) {
        const alert = { newsletter: 'breaking', articleId, publishedAt: NOW - HOUR, editor: 'Ada', maxPerDay: 9 };
        slots.push(await createAlertDraft(app.store.db, { ...alert, zone: 'Asia/Shanghai', now: NOW }));
      }
      const outcomes = await Promise.all(slots.map((slot) => composeSlot(app, limited, slot)));
      expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['closed', 'waiting', 'waiting']);
      expect(outcomes).toContainEqual({
        kind: 'waiting',
        remedy: null,
        reason: 'breaking has sent 1 today, the maximum being 1 (maxPerDay)',
      });
    });
  });
});
