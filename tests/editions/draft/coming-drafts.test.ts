import { describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../src/core/config/config.ts';
import { composeNow } from '../../../src/delivery/closing/close.ts';
import { makeAlertEdition } from '../../../src/delivery/closing/newsletter-jobs.ts';
import { readArrangedDraft } from '../../../src/editions/draft/arranged-draft.ts';
import { readComingDrafts } from '../../../src/editions/draft/coming-drafts.ts';
import { findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { check, hold, openDraftApp, retract } from './draft-steps.ts';

// 07:30 on Wednesday, November 25, 2026 in Shanghai.
const SLOT = Date.UTC(2026, 10, 24, 23, 30);

forEachDatabase((open) => {
  describe('the drafts to come', () => {
    it('are those of the next slot of each newsletter, with their stories, and the slots after that', async () => {
      const app = await openDraftApp(await open(), SLOT);
      const [daily, weekly] = await readComingDrafts(app, app.now);
      expect(daily?.later.map(({ label }) => label)).toEqual(['2026-11-26', '2026-11-27']);
      expect(daily?.drafts).toMatchObject([
        {
          ...{ slot: { label: '2026-11-25', slotAt: SLOT }, draft: { state: { kind: 'automatic' }, revision: 0 } },
          ...{ storyCount: 4, approval: null, obstacle: null, run: null, skippedAt: null, lost: null },
        },
      ]);
      expect(weekly?.newsletter.id).toBe('weekly-roundup');
      expect(weekly?.drafts).toHaveLength(1);
      await retract(app, 'two', 'three');
      const [after] = await readComingDrafts(app, app.now);
      expect(after?.drafts[0]).toMatchObject({ storyCount: 2 });
    });

    it('include one that is held and waits after its slot, until it is skipped, besides the next one', async () => {
      const app = await openDraftApp(await open(), SLOT);
      await hold(app);
      await check(app, SLOT + MINUTE);
      const [daily] = await readComingDrafts(app, app.now);
      const grace = app.newsletter.schedule?.graceMinutes ?? 0;
      expect(daily?.drafts).toMatchObject([
        {
          slot: { label: '2026-11-25' },
          draft: { state: { kind: 'held', by: 'Ada' } },
          obstacle: { remedy: 'unhold' },
          run: { state: 'waiting', since: SLOT + MINUTE, reason: 'held by Ada' },
          skippedAt: SLOT + grace * MINUTE,
        },
        { slot: { label: '2026-11-26' }, obstacle: null, run: null },
      ]);
      const target = await findDraftTarget(app, app.newsletter, '2026-11-25');
      expect(await readArrangedDraft(app, target)).toMatchObject({ ended: null, skippedAt: SLOT + grace * MINUTE });
    });

    it('leave out an edition that was sent before its slot', async () => {
      const app = await openDraftApp(await open(), SLOT);
      app.now = SLOT - 10 * MINUTE;
      await composeNow(app, app.newsletter, '2026-11-25');
      const [daily] = await readComingDrafts(app, app.now);
      expect(daily?.drafts.map(({ slot }) => slot.label)).toEqual(['2026-11-26']);
      expect(daily?.later.map(({ label }) => label)).toEqual(['2026-11-27', '2026-11-28']);
    });

    it('are the open alerts of an alert newsletter, none at first, with the instant at which each lapses', async () => {
      const app = await openDraftApp(await open(), SLOT);
      const breaking = {
        ...app.newsletter,
        id: 'breaking',
        kind: 'alert',
        schedule: null,
        approval: 'required',
      } as const;
      const newsletter: NewsletterConfig = { ...breaking, minimumStories: 1 };
      Object.assign(app, { config: { ...app.config, newsletters: [newsletter] } });
      expect(await readComingDrafts(app, app.now)).toEqual([{ newsletter, drafts: [], later: [] }]);
      await makeAlertEdition(app, newsletter, 'three', 'Ada');
      const [alerts] = await readComingDrafts(app, app.now);
      expect(alerts?.drafts).toMatchObject([
        { obstacle: { remedy: 'approve' }, storyCount: 1, skippedAt: app.now + HOUR },
      ]);
    });
  });
});
