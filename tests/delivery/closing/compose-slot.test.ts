import { describe, expect, it } from 'vitest';
import { composeNow } from '../../../src/delivery/closing/close.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { addArticle, closeEdition } from '../../app/steps.ts';
import { check, hold, openDraftApp, setState } from '../../editions/draft/draft-steps.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openSampleApp } from '../../support/test-app.ts';

const TWICE_A_DAY = (yaml: string): string => yaml.replace('30 7 * * *', '30 7,18 * * *');
const ONE_STORY_IS_ENOUGH = (yaml: string): string => yaml.replace('minimumStories: 3', 'minimumStories: 1');

describe('composing now', () => {
  forEachDatabase((open) => {
    it("takes today's first slot without an edition, or else the last one", async () => {
      const app = await openSampleApp(await open(), { edit: (yaml) => ONE_STORY_IS_ENOUGH(TWICE_A_DAY(yaml)) });
      expect(await closeEdition(app)).toEqual(['2026-11-24-0730', true]);
      await addArticle(app, 'fresh');
      expect(await closeEdition(app)).toEqual(['2026-11-24-1830', true]);
      expect(await closeEdition(app)).toEqual(['2026-11-24-1830', false]);
    });

    it('takes the slot that waits for an editor, also after midnight', async () => {
      const slotAt = Date.UTC(2026, 10, 24, 15, 30);
      const app = await openDraftApp(await open(), slotAt, { cron: '30 23 * * *' });
      await hold(app);
      await check(app, slotAt);
      app.now = slotAt + HOUR;
      expect(await composeNow(app, app.newsletter)).toMatchObject({ kind: 'waiting', reason: 'held by Ada' });
      await setState(app, { kind: 'automatic' });
      expect(await composeNow(app, app.newsletter)).toMatchObject({ kind: 'closed', edition: { slot: '2026-11-24' } });
      expect(await check(app, slotAt + HOUR)).toEqual([]);
    });

    it('takes the named slot, also of an earlier day', async () => {
      const app = await openSampleApp(await open(), { edit: TWICE_A_DAY });
      expect(await closeEdition(app, '2026-11-23-1830')).toEqual(['2026-11-23-1830', true]);
    });

    it.each([
      ['unknown', 'daily-roundup has no slot unknown: a slot begins with its date, as 2026-11-24'],
      ['', 'daily-roundup has no slot : a slot begins with its date, as 2026-11-24'],
      ['2026-13-45', 'daily-roundup has no slot 2026-13-45: a slot begins with its date, as 2026-11-24'],
      ['2026-11-24', 'daily-roundup has no slot 2026-11-24: it has 2026-11-24-0730, 2026-11-24-1830'],
      ['2026-11-25-0730', 'daily-roundup has no slot 2026-11-25-0730 yet: today is 2026-11-24'],
    ])('rejects the slot "%s" and names the existing ones', async (label, message) => {
      const app = await openSampleApp(await open(), { edit: TWICE_A_DAY });
      await expect(closeEdition(app, label)).rejects.toThrow(message);
      expect(await app.store.db.selectFrom('editions').selectAll().execute()).toEqual([]);
    });

    it('reports that a day has no slot', async () => {
      const app = await openSampleApp(await open(), { edit: (yaml) => yaml.replace('30 7 * * *', '30 7 * * 1') });
      await expect(closeEdition(app, '2026-11-22')).rejects.toThrow('it has none on that day');
    });
  });
});
