import { describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../src/core/config/config.ts';
import { dueReminder, remindOfApprovals } from '../../../src/editions/draft/approval-reminders.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { approve, check, type DraftApp, hold, openDraftApp, retract } from './draft-steps.ts';

const SLOT = Date.UTC(2026, 10, 23, 23, 30);
const SIXTY = 'approval-reminder:daily-roundup:2026-11-24:60';
const FIFTEEN = 'approval-reminder:daily-roundup:2026-11-24:15';

describe('a reminder', () => {
  it('is due 60 and 15 minutes before the slot, never earlier, and stays while the slot waits', () => {
    expect(dueReminder(SLOT, SLOT - 60 * MINUTE - 1)).toBeNull();
    expect(dueReminder(SLOT, SLOT - 60 * MINUTE)).toBe(60);
    expect(dueReminder(SLOT, SLOT - 15 * MINUTE - 1)).toBe(60);
    expect(dueReminder(SLOT, SLOT - 15 * MINUTE)).toBe(15);
    expect(dueReminder(SLOT, SLOT - 1)).toBe(15);
    expect(dueReminder(SLOT, SLOT + HOUR)).toBe(15);
  });
});

forEachDatabase((open) => {
  async function openApp(approval: 'auto' | 'required' = 'required'): Promise<DraftApp> {
    return openDraftApp(await open(), SLOT, { approval });
  }
  const remindAt = async (app: DraftApp, now: number): Promise<string[]> => {
    app.now = now;
    await remindOfApprovals(app);
    const keys = (await openAlerts(app.store.db)).map(({ key }) => key);
    return keys.filter((key) => key.startsWith('approval-reminder:')).sort();
  };

  describe('an edition that must be approved', () => {
    it('is reminded of an hour and a quarter of an hour before its slot, once each', async () => {
      const app = await openApp();
      expect(await remindAt(app, SLOT - 61 * MINUTE)).toEqual([]);
      expect(await remindAt(app, SLOT - 60 * MINUTE)).toEqual([SIXTY]);
      expect(await remindAt(app, SLOT - 30 * MINUTE)).toEqual([SIXTY]);
      expect(await remindAt(app, SLOT - 15 * MINUTE)).toEqual([FIFTEEN]);
      expect(await remindAt(app, SLOT - MINUTE)).toEqual([FIFTEEN]);
      expect(await openAlerts(app.store.db)).toMatchObject([
        {
          ...{ key: FIFTEEN, count: 1 },
          message:
            'The edition daily-roundup/2026-11-24 is not approved, and its slot is at 2026-11-24 07:30 ' +
            '(Asia/Shanghai). To see it, use "daywire editions show daily-roundup/2026-11-24"; ' +
            'to approve it, use "daywire editions approve daily-roundup/2026-11-24 --hash HASH", ' +
            'which "daywire editions show daily-roundup/2026-11-24" prints with its hash.',
        },
      ]);
    });

    it('is reminded of also where the slots of another newsletter cannot be read', async () => {
      const app = await openApp();
      const [newsletter] = app.config.newsletters as [NewsletterConfig];
      const broken = { ...newsletter, id: 'broken', schedule: { cron: 'nonsense', graceMinutes: 60 } };
      const config = { ...app.config, newsletters: [broken, newsletter] };
      app.now = SLOT - MINUTE;
      await expect(remindOfApprovals({ ...app, config })).rejects.toThrow();
      expect(await openAlerts(app.store.db)).toMatchObject([{ key: FIFTEEN, count: 1 }]);
    });

    it('has its reminders resolved on approval, and raised again if that becomes void', async () => {
      const app = await openApp();
      await remindAt(app, SLOT - 20 * MINUTE);
      await approve(app);
      expect(await remindAt(app, SLOT - 14 * MINUTE)).toEqual([]);
      await retract(app, 'one');
      expect(await remindAt(app, SLOT - 13 * MINUTE)).toEqual([FIFTEEN]);
    });

    it('keeps its reminders while the slot waits, and has them resolved when it has ended', async () => {
      const app = await openApp();
      await hold(app);
      await remindAt(app, SLOT - 10 * MINUTE);
      await check(app, SLOT);
      expect(await remindAt(app, SLOT + HOUR)).toEqual([FIFTEEN]);
      expect(await check(app, SLOT + 4 * HOUR)).toMatchObject([{ state: 'skipped' }]);
      expect(await remindAt(app, SLOT + 4 * HOUR)).toEqual([]);
    });
  });

  it('never reminds of an edition that needs no approval', async () => {
    const app = await openApp('auto');
    expect(await remindAt(app, SLOT - 10 * MINUTE)).toEqual([]);
  });
});
