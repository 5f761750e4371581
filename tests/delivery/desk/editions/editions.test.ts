import { describe, expect, it } from 'vitest';
import { queueEdition, storeSubscribers } from '../../../../scripts/test-edition.ts';
import { pauseEdition } from '../../../../src/delivery/control/edition-control.ts';
import { editionFigureList } from '../../../../src/delivery/desk/editions/edition-figures.ts';
import { confirmingSentence } from '../../../../src/delivery/desk/editions/reissue-page.ts';
import { type EditionSummary, findEdition } from '../../../../src/editions/queries.ts';
import { DAY, MINUTE } from '../../../../src/lib/time.ts';
import { openTestDesk } from '../../../app/desk/test-desk.ts';
import { closeEdition, importMarkdown } from '../../../app/steps.ts';
import { unsubscribe } from '../../../audience/fixtures.ts';
import { articleFile } from '../../../support/articles.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { openTestApp } from '../../../support/test-app.ts';
import { setDeliveries } from '../../fixture.ts';
import { readCounted } from '../deliveries/read-counted.ts';

const HOSTILE = 'Roundup: <script>alert("x")</script>';

describe('the list of editions', () => {
  forEachDatabase((open) => {
    it('has all newsletters, newest first, page by page, and those of one newsletter', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      for (let n = 0; n < 27; n++) {
        const newsletter = n % 9 === 0 ? 'weekly' : 'daily-roundup';
        const slot = `slot-${n}`;
        const slotAt = desk.app.now + Math.floor(n / 2) * DAY;
        await queueEdition(store, 0, {
          newsletter,
          slot,
          slotAt,
          number: n,
          articleId: slot,
          subject: `Edition ${n}.`,
        });
      }
      const namesOf = (page: string) => [...page.matchAll(/>Edition (\d+)\.</g)].map(([, number]) => Number(number));
      const first = await desk.read('editor', '/editions');
      expect(first).toMatch(/data-topics="deliveries( edition:\d+)*"/);
      expect(namesOf(first)).toEqual(Array.from({ length: 25 }, (_, n) => 26 - n));
      expect(first).toMatch(/<span data-figure="edition:\d+:submitted">0<\/span> of 0</);
      const [, after] = /after=([\d-]+)/.exec(first) ?? [];
      expect(namesOf(await desk.read('editor', `/editions?after=${after}`))).toEqual([1, 0]);
      expect(namesOf(await desk.read('editor', '/editions?newsletter=weekly'))).toEqual([18, 9, 0]);
      expect(await desk.read('editor', '/editions?newsletter=%00')).toContain('No edition matches.');
      expect((await desk.get('audience', '/editions')).status).toBe(403);
    });

    it('has those of a state and of some days, and says how many of how many', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      expect(await desk.read('editor', '/editions')).toContain('There are no editions here yet.');
      const slots = ['2026-11-20', '2026-11-21-0730', '2026-11-21-1800', '2026-11-22'];
      for (const [n, slot] of slots.entries()) {
        await queueEdition(store, 0, {
          slot,
          slotAt: desk.app.now + n,
          number: n,
          articleId: slot,
          subject: `On ${slot}.`,
        });
      }
      await store.db
        .updateTable('editions')
        .set({ delivery_state: 'paused' })
        .where('slot', '=', '2026-11-22')
        .execute();
      const found = async (query: string) => {
        const page = await desk.read('editor', `/editions?${query}`);
        return [...page.matchAll(/>On ([\d-]+)\.</g)].map(([, slot]) => slot);
      };
      expect(await found('from=2026-11-21&until=2026-11-21')).toEqual([slots[2], slots[1]]);
      expect(await found('until=2026-11-20')).toEqual([slots[0]]);
      expect(await found('state=paused')).toEqual([slots[3]]);
      expect(await found('from=soon&state=nonsense')).toHaveLength(4);
      const page = await desk.read('editor', '/editions?from=2026-11-21&newsletter=daily-roundup');
      expect(page).toMatch(/3 of 4 editions\. <a href="\/desk\/editions">Show all/);
    });
  });
});

describe('the page of a closed edition', () => {
  forEachDatabase((open) => {
    it('shows its figures, each with what it means, and claims no more than is known', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      const { subscriberIds } = await queueEdition(store, 3, { subject: HOSTILE });
      await queueEdition(store, 0, { slot: '2026-11-25', number: 2, articleId: 'next', closedAt: desk.app.now + DAY });
      await setDeliveries(store, { state: 'submitted' });
      const leaving = [desk.app.now, desk.app.now + DAY];
      for (const [n, at] of leaving.entries()) {
        const key = { subscriberId: subscriberIds[n] as number, newsletter: 'daily-roundup' };
        await unsubscribe(store.db, key, { channel: 'one-click', source: null }, at);
      }
      const visit = { newsletter: 'daily-roundup', slot: '2026-11-24', day: '2026-11-24', visits: 1204 };
      await store.db.insertInto('edition_visits').values(visit).execute();
      const page = await readCounted(desk, 'editor', '/editions/daily-roundup/2026-11-24');
      const figures = [
        ...page.matchAll(/<dt>([^<]+)<\/dt><dd><b[^>]*>([^<]*)<\/b> <details class="help"[^>]*>.*?<p>([^<]+)</gs),
      ];
      expect(figures.map(([, label, value]) => [label, value])).toEqual([
        ['Queued', '3'],
        ['Submitted', '3'],
        ['Failed', '0'],
        ['Not sent', '0'],
        ['Delivered', 'not known'],
        ['Hard bounces', '0'],
        ['Soft bounces', '0'],
        ['Complaints', '0'],
        ['Left the newsletter', '1'],
        ['Visits of its page', '1,204'],
      ]);
      expect(new Set(figures.map(([, , , meaning]) => meaning)).size).toBe(figures.length);
      expect(page).toContain('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;');
      expect(page).not.toContain('<script>');
      expect(page).toContain('sandbox title="The frozen page of this edition"');
      expect((await desk.get('editor', '/editions/daily-roundup/2020-01-01')).status).toBe(404);
      expect((await desk.get('editor', '/editions/daily-roundup/2026-11-24?revision=9')).status).toBe(404);
    });

    it('shows the frozen page in a frame that loads nothing but our pictures, and runs nothing', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      const archiveHtml = '<html><body><h1>Frozen</h1><script>alert(1)</script></body></html>';
      await queueEdition(store, 0, { archiveHtml });
      const response = await desk.get('editor', '/editions/daily-roundup/2026-11-24/frozen');
      expect(await response.text()).toBe(archiveHtml);
      const policy = response.headers.get('Content-Security-Policy') ?? '';
      expect(policy).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; img-src 'self' \S+; .*; sandbox$/);
      expect(policy).toContain("frame-ancestors 'self'");
      expect(policy).not.toContain('script');
    });

    it('is reissued after its editor has seen what would change, with a note that says what was wrong', async () => {
      const store = await open();
      const app = openTestApp(store, { feeds: ['latest', 'roundups'] });
      for (const id of ['chips', 'ships', 'wheat']) {
        app.now += MINUTE;
        await importMarkdown(app, articleFile(id));
      }
      await storeSubscribers(store, ['ada@example.com', 'bo@example.com'], 'daily-roundup');
      app.now += MINUTE;
      const [slot] = await closeEdition(app);
      const desk = await openTestDesk(store, { app });
      const path = `/editions/daily-roundup/${slot}`;
      const { id } = (await findEdition(store.db, 'daily-roundup', slot as string)) as EditionSummary;
      const early = await desk.post('editor', `${path}/reissue/check`);
      expect(early.status).toBe(422);
      expect(await early.text()).toContain('is being delivered: to pause it first, use “Pause” under Deliveries.');
      await pauseEdition(store.db, id, 'a typo');
      const form = await desk.read('editor', `${path}/reissue`);
      const [, seen = ''] = /name="seen" value="(\d+)"/.exec(form) ?? [];
      const note = { note: 'The headline <b>was</b> wrong.', seen };
      expect(await desk.act('editor', `${path}/reissue/note`, note)).toContain('The note is saved.');
      const late = await desk.post('admin', `${path}/reissue/note`, { note: 'Another.', seen });
      expect(late.status).toBe(422);
      expect(await late.text()).toContain('has changed the note since you opened this page');
      const checked = await (await desk.post('editor', `${path}/reissue/check`, { correction: 'yes' })).text();
      expect(checked).toContain('2 messages of revision 2 will be queued at once');
      expect(checked).toContain('2 messages of the revision before will no longer be sent');
      expect(await findEdition(store.db, 'daily-roundup', slot as string)).toMatchObject({ revision: 1 });
      const page = await desk.act('editor', `${path}/reissue`, { correction: 'yes' });
      expect(page).toContain('Reissued as revision 2: 2 messages queued.');
      expect(page).toContain('Revision 1');
      expect(await desk.audit()).toMatchObject([
        { actor: 'Edda Moreno', act: 'edition.note' },
        { actor: 'Edda Moreno', act: 'edition.reissue', detail: { asCorrection: true } },
      ]);
      expect(await desk.read('editor', `${path}?revision=1`)).toContain('This revision was replaced');
      expect((await desk.get('operator', `${path}/reissue`)).status).toBe(403);
    });
  });
});

describe('the sentence that confirms a reissue', () => {
  const counts = {
    edition: { revision: 3 } as EditionSummary,
    subject: '',
    removed: [],
    added: [],
    queued: 1204,
    tooFew: 2,
  };

  it('names the figures, and what becomes of those who have the edition', () => {
    const reissue = { ...counts, suppressed: 1, submitted: 1, uncertain: 0 };
    expect(confirmingSentence(reissue, false)).toBe(
      '1,204 messages of revision 3 will be queued at once, 2 suppressed for too few chosen stories; ' +
        '1 message of the revision before will no longer be sent; 1 subscriber who may have it already get no second mail.',
    );
  });
});

it('the figures of an edition say that no mail provider reports, and how it reads where one does', () => {
  const figures = {
    ...{
      id: 1,
      deliveries: { pending: 0, submitting: 0, submitted: 9, failed: 0, suppressed: 0 },
      left: 0,
      readers: 0,
    },
    visits: { total: 0, days: [] },
    failures: null,
  };
  const textOf = (provider: string) =>
    String(editionFigureList({ app: { config: { delivery: { provider } } } } as never, figures));
  expect(textOf('none')).toContain('no mail provider is set in delivery.provider');
  expect(textOf('ses')).toContain('has not reported any message as delivered yet');
});
