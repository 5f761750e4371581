import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addSubscriber } from '../../../src/audience/subscriptions.ts';
import { listRuns } from '../../../src/core/schedule/run-ledger.ts';
import type { Tx } from '../../../src/core/store/store.ts';
import { cancelSending, closeDueEditions, SendError, startSending } from '../../../src/delivery/closing/send-now.ts';
import { readDraft, readDraftLog } from '../../../src/editions/draft/draft-store.ts';
import { type DraftTarget, findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { entryToUndo } from '../../../src/editions/draft/history.ts';
import { HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import {
  approve,
  check,
  closedStories,
  type DraftApp,
  hold,
  openDraftApp,
  retract,
  STORIES,
} from '../../editions/draft/draft-steps.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';

const SLOT = Date.UTC(2026, 10, 23, 23, 30);
const EARLY = SLOT - HOUR;

forEachDatabase((open) => {
  async function openApp(approval: 'auto' | 'required' = 'auto'): Promise<DraftApp> {
    return openDraftApp(await open(), SLOT, { approval });
  }
  const target = (app: DraftApp): Promise<DraftTarget> => findDraftTarget(app, app.newsletter);
  const start = async (app: DraftApp): Promise<number> => startSending(app, await target(app), 'Ada');
  const cancel = async (app: DraftApp): Promise<void> => cancelSending(app, await target(app), 'Ben');
  const closeDue = async (app: DraftApp, now: number): Promise<void> => {
    app.now = now;
    await closeDueEditions(app);
  };
  const closeAt = async ({ store, newsletter, slot }: DraftApp): Promise<number | null> =>
    (await readDraft(store.db, newsletter.id, slot)).closeAt;
  const alerts = async ({ store }: DraftApp): Promise<string[]> =>
    (await openAlerts(store.db)).map(({ key, message }) => `${key}: ${message}`);
  const countDeliveries = async ({ store }: DraftApp): Promise<number> =>
    (await store.db.selectFrom('deliveries').selectAll().execute()).length;

  describe('sending an edition by hand', () => {
    it('closes it after undoSeconds, and the run of its slot finds it closed', async () => {
      const app = await openApp();
      const subscriber = { email: 'a@example.com', newsletters: [app.newsletter.id] };
      await addSubscriber(app.store.db, SECRETS, subscriber, { channel: 'operator' }, EARLY);
      expect(await start(app)).toBe(EARLY + 60 * SECOND);
      await closeDue(app, EARLY + 60 * SECOND - 1);
      expect(await closedStories(app)).toBeNull();
      await closeDue(app, EARLY + 60 * SECOND);
      expect(await closedStories(app)).toEqual(STORIES.toSorted());
      expect(await countDeliveries(app)).toBe(1);
      expect(await closeAt(app)).toBeNull();
      expect(await check(app, SLOT)).toMatchObject([
        { state: 'done', reason: 'edition 1 had been closed at 2026-11-23T22:31:00Z' },
      ]);
      expect(await countDeliveries(app)).toBe(1);
      expect(await alerts(app)).toEqual([]);
    });

    it('is given up with an alert if the clock is set back so far that nobody would wait for it', async () => {
      const app = await openApp();
      const end = await start(app);
      await closeDue(app, EARLY - HOUR);
      expect(await closeAt(app)).toBe(end);
      await closeDue(app, EARLY - 3 * HOUR);
      expect(await closeAt(app)).toBeNull();
      expect(await alerts(app)).toEqual([expect.stringMatching(/it would close in 3 h.*the clock was set back/)]);
      expect(await closedStories(app)).toBeNull();
    });

    it('can be cancelled by any process, and leaves no trace of an edition', async () => {
      const app = await openApp();
      await start(app);
      await cancel(app);
      await closeDue(app, EARLY + 10 * MINUTE);
      expect(await closedStories(app)).toBeNull();
      const log = await readDraftLog(app.store.db, app.newsletter.id, app.slot.label);
      expect(log.map(({ number, editor, command }) => [number, editor, command.kind])).toEqual([
        [1, 'Ada', 'send'],
        [2, 'Ben', 'cancel'],
      ]);
      // What was sent cannot be undone, only cancelled.
      expect(entryToUndo(log, 'Ada')).toBeNull();
      await expect(cancel(app)).rejects.toThrow(
        'daily-roundup/2026-11-24 is not being sent: there is nothing to cancel',
      );
      // Its slot closes it as if nothing had happened.
      expect(await check(app, SLOT)).toMatchObject([{ state: 'done', reason: 'edition 1, 0 deliveries queued' }]);
    });

    it('cannot be cancelled any more once it is closed, and says what stops the deliveries', async () => {
      const app = await openApp();
      const sent = await target(app);
      await startSending(app, sent, 'Ada');
      await closeDue(app, EARLY + MINUTE);
      await expect(cancelSending(app, sent, 'Ben')).rejects.toThrow(
        'daily-roundup/2026-11-24 is closed, too late to cancel: ' +
          'to stop what is not submitted yet, use "daywire editions pause daily-roundup/2026-11-24"',
      );
      await expect(startSending(app, sent, 'Ada')).rejects.toThrow(/is closed: to see it, use "daywire editions show/);
    });

    it('records with each start and each cancellation what its caller adds, in one transaction', async () => {
      const app = await openApp();
      const { db } = app.store;
      const added = async () =>
        (await db.selectFrom('meta').select('key').where('key', 'like', 'act %').execute()).length;
      const add = (name: string) => async (tx: Tx) => {
        await tx
          .insertInto('meta')
          .values({ key: `act ${name}`, value: '' })
          .execute();
      };
      const fail = async (tx: Tx) => {
        await add('failed')(tx);
        throw new Error('the record failed');
      };
      const sent = await target(app);
      await expect(startSending(app, sent, 'Ada', fail)).rejects.toThrow('the record failed');
      expect([await closeAt(app), await added()]).toEqual([null, 0]);
      await startSending(app, sent, 'Ada', add('start'));
      // It runs already.
      await startSending(app, sent, 'Ben', add('second start'));
      expect(await added()).toBe(1);
      await expect(cancelSending(app, sent, 'Ben', fail)).rejects.toThrow('the record failed');
      expect([await closeAt(app), await added()]).toEqual([EARLY + MINUTE, 1]);
      await cancelSending(app, sent, 'Ben', add('cancel'));
      await expect(cancelSending(app, sent, 'Ben', add('second cancel'))).rejects.toThrow(SendError);
      expect([await closeAt(app), await added()]).toEqual([null, 2]);
    });

    it('does not keep the slot from closing on time', async () => {
      const app = await openApp();
      app.now = SLOT - 10 * SECOND;
      const end = await start(app);
      expect(await check(app, SLOT)).toMatchObject([{ state: 'done', reason: 'edition 1, 0 deliveries queued' }]);
      expect(await closeAt(app)).toBeNull();
      await closeDue(app, end);
      expect(await app.store.db.selectFrom('editions').select('id').execute()).toHaveLength(1);
    });

    it('is refused for a later slot than the next one', async () => {
      const app = await openApp();
      const later = await findDraftTarget(app, app.newsletter, '2026-11-25');
      await expect(startSending(app, later, 'Ada')).rejects.toThrow(
        'daily-roundup/2026-11-25 cannot be sent yet: daily-roundup/2026-11-24 comes before it',
      );
      expect(await readDraftLog(app.store.db, app.newsletter.id, '2026-11-25')).toEqual([]);
    });

    it('ends the wait of a slot that has come, in the transaction that closes it', async () => {
      const app = await openApp('required');
      await check(app, SLOT);
      app.now = SLOT + 39 * MINUTE;
      expect((await target(app)).slot).toEqual(app.slot);
      await approve(app);
      await start(app);
      await closeDue(app, SLOT + 40 * MINUTE);
      expect(await listRuns(app.store.db, 10)).toMatchObject([
        {
          slotAt: SLOT,
          state: 'late',
          reason: 'waited 40 min: not approved; edition 1 was closed by hand',
          attempts: 0,
        },
      ]);
      expect(await alerts(app)).toEqual([]);
      expect(await check(app, SLOT + 5 * HOUR)).toEqual([]);
    });

    it.each([
      [
        'a held edition',
        'auto',
        hold,
        'is held by Ada: to let it go first, use "daywire editions unhold daily-roundup/2026-11-24"',
      ],
      [
        'one without its approval',
        'required',
        async () => {},
        'is not approved: to approve it first, use "daywire editions approve daily-roundup/2026-11-24 --hash HASH", ' +
          'which "daywire editions show daily-roundup/2026-11-24" prints with its hash',
      ],
      [
        'one with too few stories',
        'auto',
        (app: DraftApp) => retract(app, 'one', 'two'),
        'has 2 stories: daily-roundup needs at least 3',
      ],
    ] as const)('is refused for %s', async (_what, approval, prepare, message) => {
      const app = await openApp(approval);
      await prepare(app);
      await expect(start(app)).rejects.toThrow(`daily-roundup/2026-11-24 ${message}`);
      expect(await closeAt(app)).toBeNull();
    });
  });

  describe('an edition that cannot be sent when it is due', () => {
    const NOT_SENT = 'send:daily-roundup: The edition daily-roundup/2026-11-24 was not sent: ';
    const AGAIN = '. To send it, use "daywire editions send daily-roundup/2026-11-24".';

    it('is left to its slot with an alert if that was missed by more than the grace period', async () => {
      const app = await openApp();
      const end = await start(app);
      await closeDue(app, end + 240 * MINUTE + 1);
      expect(await closedStories(app)).toBeNull();
      expect(await closeAt(app)).toBeNull();
      expect(await alerts(app)).toEqual([
        `${NOT_SENT}it was to close 4 h ago, more than the grace period of 4 h, while no daywire was running${AGAIN}`,
      ]);
    });

    it('is sent if that was missed by less', async () => {
      const app = await openApp();
      const end = await start(app);
      await closeDue(app, end + 240 * MINUTE);
      expect(await closedStories(app)).toEqual(STORIES.toSorted());
    });

    it.each([
      ['an editor has held the edition meanwhile', hold, 'held by Ada'],
      ['stories were retracted meanwhile', (app: DraftApp) => retract(app, 'one', 'two'), 'only 2 stories are ready'],
      ['its template is broken', breakTemplate, 'undefined variable'],
    ] as const)('is left to its slot with an alert if %s', async (_what, spoil, reason) => {
      const app = await openApp();
      const end = await start(app);
      await spoil(app);
      await closeDue(app, end);
      expect(await closedStories(app)).toBeNull();
      expect(await closeAt(app)).toBeNull();
      const [alert = ''] = await alerts(app);
      expect(alert.startsWith(NOT_SENT)).toBe(true);
      expect(alert).toContain(reason);
    });

    it('can be sent again, which resolves the alert', async () => {
      const app = await openApp();
      const sent = await target(app);
      await closeDue(app, (await startSending(app, sent, 'Ada')) + 5 * HOUR);
      expect(await alerts(app)).toHaveLength(1);
      await closeDue(app, await startSending(app, sent, 'Ada'));
      expect(await closedStories(app)).toEqual(STORIES.toSorted());
      expect(await alerts(app)).toEqual([]);
    });
  });
});

async function breakTemplate({ folder }: DraftApp): Promise<void> {
  mkdirSync(join(folder, 'templates'));
  writeFileSync(join(folder, 'templates/daily-roundup.mjml'), '<mjml><mj-body>{{ no.such.thing }}</mj-body></mjml>');
}
