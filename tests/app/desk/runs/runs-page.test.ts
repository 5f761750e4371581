import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../../scripts/test-edition.ts';
import { scheduleName } from '../../../../src/app/desk/runs/run-states.ts';
import type { RunState } from '../../../../src/core/store/tables.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { sampleConfig } from '../../../support/sample.ts';
import { openTestDesk, type TestDesk } from '../test-desk.ts';

const HOSTILE = '"><script>alert(1)</script>';
const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

async function addRun(
  { app: { store } }: TestDesk,
  schedule: string,
  minutesAgo: number,
  run: { state?: RunState; reason?: string; covers?: number; retryAt?: number } = {},
): Promise<void> {
  const at = NOW - minutesAgo * MINUTE;
  const { state = 'done', reason = null, covers = 1, retryAt = null } = run;
  await store.db
    .insertInto('runs')
    .values({
      ...{ schedule, slot_at: at, state, reason, covers, attempts: 1, started_at: at, lease_until: retryAt },
      finished_at: state === 'running' ? null : at + 12_000,
    })
    .execute();
}

forEachDatabase((open) => {
  describe('the page of runs', () => {
    it('shows the next slot of each schedule, and runs by word with their reasons', async () => {
      const desk = await openTestDesk(await open());
      await addRun(desk, 'publish', 10, { covers: 3 });
      await addRun(desk, 'newsletter:daily-roundup', 20, {
        ...{ state: 'failed', reason: `no lead ${HOSTILE}, ann@example.org`, retryAt: NOW + MINUTE },
      });
      await addRun(desk, 'source:gone', 30, { state: 'running' });
      const html = await desk.read('editor', '/runs');
      const text = textOf(html);
      expect(text).toContain('The Daily Roundup 30 7 * * * tomorrow 07:30 , in 11 h 30 min');
      expect(text).toContain('2026-11-24 19:50 Feeds ● done 12 s 3');
      expect(text).toContain('2026-11-24 19:40 The Daily Roundup ○ failed, tried again no lead');
      expect(text).toContain('&lt;address&gt; Tried again in 1 min .');
      expect(text).toContain('2026-11-24 19:30 Source gone ◐ running');
      expect(text).toContain('What the states mean');
      expect(html).not.toContain('<script>alert');
    });

    it('names the slot after that of an edition that was sent early', async () => {
      const desk = await openTestDesk(await open());
      await queueEdition(desk.app.store, 0, { slot: '2026-11-25', slotAt: NOW + 11.5 * HOUR, closedAt: NOW });
      const text = textOf(await desk.read('editor', '/runs'));
      expect(text).toContain('The Daily Roundup 30 7 * * * 2026-11-26 07:30 ');
    });

    it('filters by schedule and state, and goes on to older runs', async () => {
      const desk = await openTestDesk(await open());
      for (let index = 0; index < 55; index++) await addRun(desk, 'publish', index);
      await addRun(desk, 'newsletter:daily-roundup', 20, { state: 'skipped' });
      const skipped = await desk.read('operator', '/runs?state=skipped');
      expect(skipped).toContain('<option value="skipped" selected>');
      expect(textOf(skipped)).toContain('19:40 The Daily Roundup – skipped');
      expect(textOf(skipped)).not.toContain('19:40 Feeds');
      const first = await desk.read('operator', '/runs?schedule=publish');
      const [, older = ''] =
        /rel="next" href="\/desk([^"]*)"/.exec(first) ?? /href="\/desk([^"]*)" rel="next"/.exec(first) ?? [];
      expect(older).toContain('schedule=publish');
      const second = await desk.read('operator', older.replaceAll('&amp;', '&'));
      const slots = (html: string) =>
        [...html.matchAll(/<th scope="row"><span class="nowrap">([^<]*)</g)].map(([, at]) => at);
      expect(slots(first)).toHaveLength(50);
      expect(new Set([...slots(first), ...slots(second)]).size).toBe(55);
      expect(second).toContain('First page');
    });

    it('shows the newest runs for an address that no pager made, and names an unknown schedule as it is', async () => {
      const desk = await openTestDesk(await open());
      await addRun(desk, 'publish', 1);
      expect(textOf(await desk.read('editor', '/runs?state=none&after=9.'))).toContain('19:59 Feeds');
      const html = await desk.read('editor', `/runs?schedule=${encodeURIComponent(HOSTILE)}`);
      expect(textOf(html)).toContain('No run matches.');
      expect(html).not.toContain('<script>alert');
    });
  });
});

it('a schedule is named as people know it', () => {
  const config = sampleConfig();
  expect(
    ['publish', 'publish:latest', 'newsletter:daily-roundup', 'newsletter:x', 'source:a', 'other'].map((id) =>
      scheduleName(config, id),
    ),
  ).toEqual(['Feeds', 'Feed Latest', 'The Daily Roundup', 'x', 'Source a', 'other']);
});
