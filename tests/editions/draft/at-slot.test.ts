/**
 * What happens at a slot, by the state of its draft and whether an approval is required: each case at 02:30 in both
 * nights of a clock change. In spring that is 03:30, because the clock skips 02:30; in autumn it is the first of two.
 */
import { describe, expect, it } from 'vitest';
import type { Run } from '../../../src/core/schedule/run-ledger.ts';
import { composeNow } from '../../../src/delivery/closing/close.ts';
import { HOUR, MINUTE, SECOND, wallClock } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { saveAsPublished } from '../../support/articles.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { beforeTransactions } from '../../support/interrupted-store.ts';
import {
  approve,
  check,
  closedStories,
  type DraftApp,
  hold,
  openDraftApp,
  retract,
  STORIES,
  setState,
  storyFactory,
} from './draft-steps.ts';

const GRACE = 240 * MINUTE;
const sorted = (...ids: string[]): string[] => ids.toSorted();

const NIGHTS = [
  ['spring', Date.UTC(2026, 2, 29, 1, 30), '2026-03-29T03:30'],
  ['autumn', Date.UTC(2026, 9, 25, 0, 30), '2026-10-25T02:30'],
] as const;

describe.each(NIGHTS)('at the slot in the night of the clock change in %s', (_season, slotAt, wall) => {
  const inApp = async (approval: 'auto' | 'required', body: (app: DraftApp) => Promise<void>): Promise<void> => {
    const store = await openMigrated();
    try {
      await body(await openDraftApp(store, slotAt, { approval, cron: '30 2 * * *', zone: 'Europe/Berlin' }));
    } finally {
      await store.close();
    }
  };
  const alertKeys = async ({ store }: DraftApp): Promise<string[]> =>
    (await openAlerts(store.db)).map(({ key }) => key);
  const recorded = (state: Run['state'], reason: string | RegExp) => [
    { slotAt, state, reason: typeof reason === 'string' ? reason : expect.stringMatching(reason) },
  ];

  /** Checks that the slot waits at once and until the end of its grace period, and is skipped then. */
  const expectToWait = async (app: DraftApp, reason: string): Promise<void> => {
    expect(await check(app, slotAt - 1)).toEqual([]);
    expect(await check(app, slotAt)).toMatchObject(recorded('waiting', reason));
    expect(await alertKeys(app)).toEqual(['waiting:newsletter:daily-roundup']);
    expect(await check(app, slotAt + GRACE - 1)).toEqual([]);
    const skipped = recorded('skipped', `${reason}; its grace period is over`);
    expect(await check(app, slotAt + GRACE)).toMatchObject(skipped);
    expect(await check(app, slotAt + GRACE + HOUR)).toEqual([]);
    expect(await closedStories(app)).toBeNull();
    expect(await alertKeys(app)).toEqual(['skipped:newsletter:daily-roundup']);
  };

  it('is at the time of the wall clock that the schedule names, or would have', () => {
    expect(wallClock(slotAt, 'Europe/Berlin').toPlainDateTime().toString({ smallestUnit: 'minute' })).toBe(wall);
  });

  it('closes an automatic edition without approval', () =>
    inApp('auto', async (app) => {
      expect(await check(app, slotAt - 1)).toEqual([]);
      expect(await check(app, slotAt)).toMatchObject(recorded('done', /^edition 1,/));
      expect(await closedStories(app)).toEqual(sorted(...STORIES));
      expect(await alertKeys(app)).toEqual([]);
    }));

  it('raises no alert about a late run whose edition was closed by hand before', () =>
    inApp('auto', async (app) => {
      await check(app, slotAt - HOUR);
      app.now = slotAt - MINUTE;
      await composeNow(app, app.newsletter);
      expect(await check(app, slotAt + HOUR)).toMatchObject(
        recorded('late', /^started 1 h after its slot; edition 1 had been closed at /),
      );
      expect(await alertKeys(app)).toEqual([]);
    }));

  it('lets an automatic edition wait that must be approved, and skips it at the end', () =>
    inApp('required', (app) => expectToWait(app, 'not approved')));

  it('closes an edition that is approved while it waits', () =>
    inApp('required', async (app) => {
      await check(app, slotAt);
      app.now = slotAt + GRACE - MINUTE;
      await approve(app);
      expect(await check(app, slotAt + GRACE - SECOND)).toMatchObject(
        recorded('late', /^waited 3 h 59 min: not approved; edition 1,/),
      );
      expect(await alertKeys(app)).toEqual([]);
    }));

  it.each(['auto', 'required'] as const)('lets a held edition wait, and skips it at the end (%s)', (approval) =>
    inApp(approval, async (app) => {
      await hold(app);
      await expectToWait(app, 'held by Ada');
    }),
  );

  it('closes an edition that is let go while it waits', () =>
    inApp('auto', async (app) => {
      await hold(app);
      await check(app, slotAt);
      app.now = slotAt + 40 * MINUTE;
      await setState(app, { kind: 'automatic' });
      expect(await check(app, app.now)).toMatchObject(recorded('late', /^waited 40 min: held by Ada; edition 1,/));
      expect(await closedStories(app)).toEqual(sorted(...STORIES));
      expect(await alertKeys(app)).toEqual([]);
    }));

  it.each(['auto', 'required'] as const)(
    'closes an approved edition with exactly the approved stories (%s)',
    (approval) =>
      inApp(approval, async (app) => {
        await approve(app);
        await saveAsPublished(app.store, [storyFactory(slotAt)('late', { pinned: true })]);
        expect(await check(app, slotAt)).toMatchObject(recorded('done', /^edition 1,/));
        expect(await closedStories(app)).toEqual(sorted(...STORIES));
        expect(await alertKeys(app)).toEqual([]);
      }),
  );

  it('closes an edition whose approval is void by its other decisions, and alerts', () =>
    inApp('auto', async (app) => {
      await approve(app);
      await saveAsPublished(app.store, [storyFactory(slotAt)('late')]);
      await retract(app, 'one');
      expect(await check(app, slotAt)).toMatchObject(recorded('done', /^edition 1,/));
      expect(await closedStories(app)).toEqual(sorted('four', 'late', 'three', 'two'));
      expect(await openAlerts(app.store.db)).toMatchObject([
        {
          key: `approval-changed:daily-roundup:${app.slot.label}`,
          message:
            `The edition daily-roundup/${app.slot.label} closed by its other decisions: ` +
            'the approval by Ada is void: its lead one is no longer available.',
        },
      ]);
    }));

  it('skips an edition whose approval is void and that is short of stories', () =>
    inApp('auto', async (app) => {
      await approve(app);
      await retract(app, 'one', 'two');
      expect(await check(app, slotAt)).toMatchObject(
        recorded('skipped', /^only 2 stories .*approval by Ada is void: /),
      );
      expect(await closedStories(app)).toBeNull();
      expect(await alertKeys(app)).toEqual(['skipped:newsletter:daily-roundup']);
    }));
});

forEachDatabase((open) => {
  const slotAt = Date.UTC(2026, 10, 23, 23, 30);

  it('closes an approved edition without a story that was retracted since, and alerts of what changed', async () => {
    const app = await openDraftApp(await open(), slotAt, { approval: 'required' });
    await approve(app);
    await retract(app, 'four');
    const corrected = { state: 'corrected', note: 'The name was wrong.', at: app.now } as const;
    await saveAsPublished(app.store, [
      storyFactory(slotAt)('two', { status: corrected, headline: 'Corrected', publishedAt: slotAt - 3 * HOUR }),
    ]);
    expect(await check(app, slotAt)).toMatchObject([{ state: 'done' }]);
    expect(await closedStories(app)).toEqual(['one', 'three', 'two']);
    expect(await openAlerts(app.store.db)).toMatchObject([
      {
        key: 'approval-changed:daily-roundup:2026-11-24',
        message:
          'The edition daily-roundup/2026-11-24 closed as approved by Ada, except: ' +
          'changed since: “Corrected”; no longer in it: “Headline of four”.',
      },
    ]);
  });

  it('has room for a story that came after the slot, while an editor works on the edition', async () => {
    const app = await openDraftApp(await open(), slotAt, { approval: 'required' });
    await check(app, slotAt);
    await saveAsPublished(
      app.store,
      ['seen', 'later'].map((id, n) => storyFactory(slotAt + (n + 1) * HOUR)(id)),
    );
    app.now = slotAt + 45 * MINUTE;
    await approve(app);
    expect(await check(app, slotAt + 2 * HOUR)).toMatchObject([{ slotAt, state: 'late' }]);
    expect(await closedStories(app)).toEqual(sorted('seen', ...STORIES));
    const [edition] = await app.store.db.selectFrom('editions').select('cutoff_at').execute();
    expect(edition?.cutoff_at).toBe(slotAt + 45 * MINUTE);
  });

  it('does not close a held edition, or one without its approval, by hand either', async () => {
    const app = await openDraftApp(await open(), slotAt, { approval: 'required' });
    app.now = slotAt + MINUTE;
    const unapproved = { kind: 'waiting', remedy: 'approve', reason: 'not approved' };
    expect(await composeNow(app, app.newsletter)).toEqual(unapproved);
    await hold(app);
    expect(await composeNow(app, app.newsletter)).toEqual({ kind: 'waiting', remedy: 'unhold', reason: 'held by Ada' });
    expect(await closedStories(app)).toBeNull();
  });

  it('does not close an edition that is held while it is being composed', async () => {
    const app = await openDraftApp(await open(), slotAt);
    const { store } = app;
    let isHeld = false;
    const interrupted = beforeTransactions(store, async () => {
      const running = await store.db.selectFrom('runs').selectAll().where('state', '=', 'running').execute();
      // The first transaction of the run is the one that closes the edition.
      if (running.length === 0 || isHeld) return;
      isHeld = true;
      await hold(app);
    });
    const held = Object.assign(Object.create(app) as DraftApp, { store: interrupted });
    app.now = slotAt;
    expect(await check(held, slotAt)).toMatchObject([{ state: 'waiting', reason: 'held by Ada' }]);
    expect(isHeld).toBe(true);
    expect(await closedStories(app)).toBeNull();
  });
});
