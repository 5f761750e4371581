import { describe, expect, it } from 'vitest';
import { jobsOf } from '../../../../src/app/capabilities.ts';
import { raiseAlert, resolveAlerts } from '../../../../src/core/alerts/alerts.ts';
import { recordProcess } from '../../../../src/core/schedule/processes.ts';
import { registerSchedules } from '../../../../src/core/schedule/register.ts';
import { recordWaitingRun } from '../../../../src/core/schedule/run-ledger.ts';
import { DELIVERY_HELD, writeMeta } from '../../../../src/core/store/meta.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { pauseAlert } from '../../../../src/delivery/alerts.ts';
import { startSending } from '../../../../src/delivery/closing/send-now.ts';
import type { DraftState } from '../../../../src/editions/draft/decisions.ts';
import { changeStoredDraft } from '../../../../src/editions/draft/draft-store.ts';
import { changeDraft } from '../../../../src/editions/draft/history.ts';
import { editionAction } from '../../../../src/editions/edition-action.ts';
import { HOUR, MINUTE, SECOND } from '../../../../src/lib/time.ts';
import { heldAlert } from '../../../../src/sources/polling/source-alerts.ts';
import { alertNamed } from '../../../support/alerts.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { storeEdition } from '../../../support/editions.ts';
import { openTestApp, type TestApp } from '../../../support/test-app.ts';
import { openTestDesk } from '../test-desk.ts';

const HOSTILE = '"><script>alert(1)</script>';
/** 07:30 on the day after NOW in Shanghai. */
const SLOT = { label: '2026-11-25', slotAt: Date.UTC(2026, 10, 24, 23, 30) };
const NEWSLETTER = 'daily-roundup';

async function setState(store: Store, state: DraftState): Promise<void> {
  const author = { at: NOW, editor: 'Ada', command: { kind: 'unhold' } } as const;
  await changeStoredDraft(store, NEWSLETTER, SLOT, (draft) =>
    changeDraft(draft, [{ field: 'state', value: state, base: 0 }], author),
  );
}

/** A process with all roles runs. */
async function start({ store, now }: TestApp): Promise<void> {
  const record = { id: 'p', host: 'news1', pid: 7, scope: null, version: '1.2.3', startedAt: now - HOUR };
  await recordProcess(store.db, { ...record, roles: ['web', 'schedule', 'deliver'] }, now);
}

/** The HTML without tags, in one line. */
const textOf = (html: string): string => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');

forEachDatabase((open) => {
  describe('Today', () => {
    it('says in one line that all is well, and shows every newsletter', async () => {
      const desk = await openTestDesk(await open());
      await start(desk.app);
      const html = await desk.read('editor', '');
      const text = textOf(html);
      expect(text).toContain('All is well. Next is The Daily Roundup , tomorrow 07:30 , in 11 h 30 min .');
      expect(text).toContain('The Weekly Roundup');
      expect(text).toContain(
        'needs at least 3: nothing is sent at its slot, tomorrow 07:30 , in 11 h 30 min ▲ 0 stories',
      );
      expect(text).toContain('then 2026-11-26 07:30 and 2026-11-27 07:30');
      expect(html).toContain(
        `data-topics="alerts articles deliveries draft:${NEWSLETTER}/2026-11-25 draft:weekly-roundup/2026-11-29"`,
      );
      expect(html).toContain(`href="/desk/editions/${NEWSLETTER}/2026-11-25/draft"`);
    });

    it('shows each state of a draft, also of one whose slot has come', async () => {
      const store = await open();
      const app = openTestApp(store, {
        edit: (yaml) => yaml.replace('minimumStories: 3', 'minimumStories: 1\n    approval: required'),
      });
      const desk = await openTestDesk(store, { app });
      await start(app);
      await saveAll(store, [article('one')]);
      const read = async () => textOf(await desk.read('editor', ''));
      expect(await read()).toContain('Waits for approval its slot is tomorrow 07:30');
      await setState(store, { kind: 'held', by: `Ada ${HOSTILE}`, at: NOW - HOUR, reason: `a call ${HOSTILE}` });
      const held = await desk.read('editor', '');
      expect(textOf(held)).toContain('Held by Ada &quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;, today 19:00');
      expect(held).not.toContain('<script>alert');
      app.now = SLOT.slotAt + 5 * MINUTE;
      await recordWaitingRun(
        store.db,
        { schedule: `newsletter:${NEWSLETTER}`, slotAt: SLOT.slotAt, covers: 1 },
        'held',
        app.now,
      );
      const waiting = await read();
      expect(waiting).toMatch(/\d+ things need you\./);
      expect(waiting).toContain('is held by Ada');
      expect(waiting).toMatch(/it is given up today \d\d:\d\d.* It has waited since today 07:35 ?\./);
    });

    it('shows that an edition is being sent, which an editor cancels, and nobody else', async () => {
      const store = await open();
      const app = openTestApp(store, {
        edit: (yaml) =>
          yaml.replace('minimumStories: 3', 'minimumStories: 1').replace('undoSeconds: 60', 'undoSeconds: 300'),
      });
      const desk = await openTestDesk(store, { app });
      await saveAll(store, [article('one')]);
      const [newsletter] = app.config.newsletters;
      if (newsletter === undefined) throw new Error('the sample has newsletters');
      await startSending(app, { newsletter, slot: SLOT, edition: null }, 'Ada');
      const page = await desk.read('editor', '');
      expect(textOf(page)).toMatch(/Sending closes today \d\d:\d\d , in \d+ (s|min) unless that is cancelled Cancel/);
      expect(textOf(page)).toMatch(/The Daily Roundup is being sent: it closes in \d+ (s|min) ?\./);
      const cancel = `/editions/${NEWSLETTER}/${SLOT.label}/draft/cancel-send`;
      expect(page).toContain(`action="/desk${cancel}"`);
      expect(await desk.read('operator', '')).not.toContain(cancel);
      expect((await desk.post('operator', cancel)).status).toBe(403);
      expect(textOf(await desk.act('editor', cancel))).toContain('Cancelled: it was not sent.');
      expect(await desk.audit()).toMatchObject([
        { actor: 'Edda Moreno', act: 'edition.cancel-send', subject: 'daily-roundup/2026-11-25' },
      ]);
      expect(await desk.read('editor', '')).not.toContain(cancel);
    });

    it('tells the local time of a slot in the nights when clocks change', async () => {
      const edit = (yaml: string) =>
        yaml.replace('zone: Asia/Shanghai', 'zone: Europe/Berlin').replace('cron: "30 7 * * *"', 'cron: "30 2 * * *"');
      const readAt = async (now: number): Promise<string> => {
        const store = await open();
        const app = Object.assign(openTestApp(store, { edit }), { now });
        return textOf(await (await openTestDesk(store, { app })).read('editor', ''));
      };
      // The clock skips 02:30 on 29 March: it is 03:30.
      expect(await readAt(Date.UTC(2026, 2, 29, 0, 0))).toContain('today 03:30 , in 1 h 30 min');
      // The first of two 02:30 on 25 October.
      expect(await readAt(Date.UTC(2026, 9, 24, 23, 0))).toContain('today 02:30 , in 1 h 30 min');
    });

    it('works without a newsletter, and with an alert newsletter that has no open alert', async () => {
      const desk = await openTestDesk(await open());
      const { config } = desk.app;
      const [first] = config.newsletters;
      if (first === undefined) throw new Error('the sample has newsletters');
      Object.assign(config, { newsletters: [] });
      expect(textOf(await desk.read('editor', ''))).toContain('No newsletter is configured');
      Object.assign(config, {
        newsletters: [{ ...first, id: 'breaking', title: 'Breaking', kind: 'alert', schedule: null }],
      });
      const text = textOf(await desk.read('editor', ''));
      expect(text).toContain('Breaking No alert is open.');
      expect(text).toContain('No edition is to come.');
    });

    it('shows open alerts, oldest first, with local times and without addresses, and where to act', async () => {
      const desk = await openTestDesk(await open());
      const { db } = desk.app.store;
      const message = 'Delivery waits since 2026-11-24T11:00:00Z: ann@example.org refused.';
      const actions = [editionAction('resume', 'resume it', 'daily-roundup/2026-11-24')];
      await raiseAlert(db, { ...pauseAlert(17), message, actions }, NOW - HOUR);
      const held = { ...heldAlert('post'), message: `Items wait ${HOSTILE}` };
      await raiseAlert(db, held, NOW - 2 * HOUR);
      await raiseAlert(db, held, NOW - HOUR);
      await raiseAlert(db, { ...alertNamed('gone'), message: 'past' }, NOW - HOUR);
      await resolveAlerts(db, [alertNamed('gone')], NOW);
      const html = await desk.read('editor', '');
      const [, alerts = ''] = /id="alerts"([\s\S]*?)<\/section>/.exec(html) ?? [];
      expect(textOf(alerts)).toMatch(/Items of a source wait .* since today 18:00 , 2 times .*Delivery is paused/);
      expect(textOf(alerts)).toContain('Delivery waits since today 19:00: &lt;address&gt; refused.');
      expect(textOf(alerts)).toContain('To resume it, use “Resume” under Deliveries.');
      expect(alerts).toContain('href="/desk/deliveries/17"');
      expect(html).not.toContain('<script>alert');
      expect(html).not.toContain('past');
      // Somebody who sees no deliveries gets no link to them.
      expect(await desk.read('audience', '')).not.toContain('/desk/deliveries/17');
    });

    it('shows the sends under way with live figures, and why one is paused', async () => {
      const desk = await openTestDesk(await open());
      const { store } = desk.app;
      const id = await storeEdition(store, {
        ...{ newsletter: NEWSLETTER, number: 1, slot: '2026-11-24', closed_at: NOW, headline: `Headline ${HOSTILE}` },
        ...{ delivery_state: 'paused', delivery_reason: 'a typo' },
      });
      const counts = { pending: 1_200, submitted: 4, failed: 1 };
      for (const [state, count] of Object.entries(counts)) {
        const row = { edition_id: id, state: state as 'pending', slot: 0, count, entered: count };
        await store.db.insertInto('delivery_counts').values(row).execute();
      }
      const html = await desk.read('operator', '');
      expect(html).toContain(`<b data-figure="edition:${id}:submitted">4</b>`);
      expect(html).toContain(`<b data-figure="edition:${id}:pending">1,200</b>`);
      expect(html).toContain(`edition:${id}`);
      expect(html).toContain(`href="/desk/deliveries/${id}"`);
      expect(textOf(html)).toMatch(/Waiting 1,200 .* Failed 1 /);
      expect(textOf(html)).toContain('The delivery of daily-roundup/2026-11-24 is paused: 1,200 messages wait');
      expect(textOf(html)).toMatch(
        /Last editions The Daily Roundup , closed today 20:00 : ○ paused , 4 of 1,205 accepted by mail servers, 1 failed\./,
      );
      expect(textOf(html)).toContain('paused Headline');
      expect(textOf(html)).toContain('a typo');
      expect(html).not.toContain('<script>alert');
      // The rate needs no script: it is that since the last record of the progress.
      await store.db.updateTable('editions').set({ delivery_state: 'delivering', delivery_reason: null }).execute();
      const progress = { edition_id: id, minute: 0, at: NOW - 10 * SECOND, submitted: 0, failed: 0 };
      await store.db.insertInto('edition_progress').values(progress).execute();
      const delivering = await desk.read('operator', '');
      expect(delivering).toContain(`<b data-figure="edition:${id}:rate">0.4</b>`);
      expect(delivering).toContain(`<b data-figure="edition:${id}:left">50 min</b>`);
    });

    it('shows what was late or not taken, a held delivery, and that no process runs', async () => {
      const desk = await openTestDesk(await open());
      const { app } = desk;
      const { db } = app.store;
      await registerSchedules(db, jobsOf(app), NOW - HOUR);
      await writeMeta(db, DELIVERY_HELD, 'restored from a backup of 2026-11-24T10:00:00Z');
      const text = textOf(await desk.read('operator', ''));
      expect(text).toContain('not taken');
      expect(text).toContain('slots have come, and no process has run it.');
      expect(text).toContain('Nothing is submitted. The queue is held, restored from a backup of today 18:00');
      expect(text).toContain('No process has the role schedule');
      await start(app);
      const [, processes = ''] = (await desk.read('operator', '')).split('id="processes"');
      expect(textOf(processes)).toContain('news1, process 7 ● runs since today 19:00 web, schedule, deliver 1.2.3');
    });
  });
});
