import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../../scripts/test-edition.ts';
import { DELIVERY_HELD, writeMeta } from '../../../../src/core/store/meta.ts';
import type { DeliveryState } from '../../../../src/core/store/tables.ts';
import { recordEditionProgress } from '../../../../src/delivery/progress.ts';
import { SECOND } from '../../../../src/lib/time.ts';
import { openTestDesk, PASSWORD, type TestDesk } from '../../../app/desk/test-desk.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { setDeliveries } from '../../fixture.ts';
import { readCounted } from './read-counted.ts';

const REFUSAL = 'mx.example.com answered: 550 5.1.1 <jun.li@example.com>: no such user';
const EMAILS = ['jun.li@example.com', 'bo@example.com', 'cy@example.org', 'di@example.org'];

/** An edition for four subscribers; the first of them in these states. */
async function openWith(store: Parameters<typeof openTestDesk>[0], states: DeliveryState[] = []) {
  const desk = await openTestDesk(store);
  const { editionId, subscriberIds } = await queueEdition(store, EMAILS);
  for (const [n, state] of states.entries()) {
    const reason = state === 'failed' ? REFUSAL : null;
    await setDeliveries(
      store,
      { state, reason, reply: reason?.replace(/^.*answered: /, '') ?? null, lease_until: desk.app.now },
      { subscriber_id: subscriberIds[n] as number },
    );
  }
  return { desk, store, id: editionId, subscriberIds };
}

function figureOf(page: string, id: number, name: string): string | undefined {
  return new RegExp(`data-figure="edition:${id}:${name}">([^<]*)<`).exec(page)?.[1];
}

async function stateOf({ app }: TestDesk) {
  const edition = await app.store.db
    .selectFrom('editions')
    .select(['delivery_state as state', 'delivery_reason as reason'])
    .executeTakeFirstOrThrow();
  const deliveries = await app.store.db.selectFrom('deliveries').select('state').orderBy('subscriber_id').execute();
  return { ...edition, deliveries: deliveries.map(({ state }) => state).join(' ') };
}

describe('the page of deliveries', () => {
  forEachDatabase((open) => {
    it('shows the figures of what is under way, with the rate and the time left', async () => {
      const { desk, store, id } = await openWith(await open(), ['submitted', 'failed']);
      await recordEditionProgress(store.db, [id], desk.app.now - 10 * SECOND);
      await store.db.updateTable('edition_progress').set({ submitted: 0 }).execute();
      const page = await desk.read('operator', '/deliveries');
      const figures = ['pending', 'submitting', 'submitted', 'failed', 'suppressed', 'rate', 'left'];
      expect(figures.map((name) => figureOf(page, id, name))).toEqual(['2', '0', '1', '1', '0', '0.1', '20 s']);
      expect(page).toContain('Messages that your mail server accepted. Whether they reached an inbox is not known.');
      expect(page).not.toMatch(/elivered/);
    });

    it('has Pause above the figures and Cancel beneath all, and says in words how far the bar is', async () => {
      const { desk, id } = await openWith(await open(), ['submitted', 'failed']);
      for (const path of ['/deliveries', `/deliveries/${id}`]) {
        const page = await desk.read('operator', path);
        const places = [`id="pause-${id}"`, '<progress', 'Messages a second', `/deliveries/${id}/cancel`];
        const found = places.map((text) => page.indexOf(text));
        expect(found).toEqual(found.toSorted((a, b) => a - b));
        expect(found[0]).toBeGreaterThan(0);
        expect(page).toMatch(
          /max="100" value="50" data-figure="[^"]*">50 %<\/progress>\s*<span id="progress-\d+"><span [^>]*>50 %<\/span> of 4 messages are\s+over</,
        );
      }
    });

    it('says how the last delivery ended while nothing is delivered', async () => {
      const { desk, store, id } = await openWith(await open(), ['submitted', 'failed', 'submitted', 'submitted']);
      await store.db.updateTable('editions').set({ delivery_state: 'done', subject: 'What was mailed' }).execute();
      const page = await desk.read('operator', '/deliveries');
      expect(page).toContain(`<a href="/desk/deliveries/${id}" dir="auto">What was mailed</a>`);
      expect(page).toContain('3 of 4 accepted by mail servers, 1 failed.');
    });

    it('says what keeps messages from being submitted: a held queue, or the server', async () => {
      const { desk, store } = await openWith(await open());
      const { now } = desk.app;
      await writeMeta(store.db, DELIVERY_HELD, 'restored from a backup');
      await store.db
        .insertInto('back_off')
        .values({ id: 1, reason: '421 <try> later', since: now, retry_at: now + 30 * SECOND, failures: 1, alerted: 0 })
        .execute();
      const page = await desk.read('operator', '/deliveries');
      expect(page).toContain('the queue is held, restored from a backup');
      expect(page).toContain('<q dir="auto">421 &lt;try&gt; later</q>');
      expect(page).toContain('in 30 s');
      const seen = await desk.read('editor', '/deliveries');
      expect(seen).toContain('the queue is held');
      expect(seen).not.toMatch(/Resume|Pause<|Release|Cancel…/);
      expect(await desk.act('operator', '/deliveries/release')).toContain('The queue is released.');
      expect((await desk.audit()).map(({ act, detail }) => [act, detail])).toEqual([['delivery.release', {}]]);
    });

    it('shows what waits for a mailbox provider, with the acts of those who may decide', async () => {
      const { desk, store, id, subscriberIds } = await openWith(await open(), ['submitted']);
      const hold = { provider: 'example.com', edition_id: id, reason: '9 × <b>', opened_at: 1, try_at: desk.app.now };
      await store.db.insertInto('provider_holds').values(hold).execute();
      const [first = 0] = subscriberIds;
      await store.db.updateTable('subscribers').set({ held_by: 'example.com' }).where('id', '=', first).execute();
      const bounce = { edition_id: id, subscriber_id: first, kind: 'hard' as const, status: '5.1.1', at: 1 };
      await store.db.insertInto('bounces').values(bounce).execute();
      const page = await desk.read('operator', '/deliveries');
      expect(page).toContain('<bdi>9 × &lt;b&gt;</bdi>');
      expect(page).toMatch(/Waiting: 1 message; subscribers with a hard\s+bounce, who are mailed nothing: 1\./);
      expect(await desk.read('editor', '/deliveries')).not.toContain('Try one message');
      const act = (name: string) =>
        desk.act('operator', '/deliveries/providers', { provider: 'example.com', act: name });
      const other = { provider: 'example.com', act: 'other' };
      expect((await desk.post('operator', '/deliveries/providers', other)).status).toBe(404);
      expect(await act('try')).toContain('One message to example.com is submitted now.');
      expect(await act('release')).toContain('2 messages to example.com will be submitted.');
      expect(await act('release')).toContain('do not wait for a decision');
      const audit = (await desk.audit()).map(({ act: name, detail }) => [name, detail]);
      const detail = { provider: 'example.com' };
      expect(audit).toEqual([
        ['delivery.try-provider', detail],
        ['delivery.release-provider', detail],
      ]);
    });
  });
});

describe('the deliveries of an edition', () => {
  forEachDatabase((open) => {
    it('are grouped by the server’s words, and show addresses only to those who may see them', async () => {
      const { desk, id, subscriberIds } = await openWith(await open(), ['failed', 'submitted']);
      const path = `/deliveries/${id}`;
      const seen = await readCounted(desk, 'editor', path);
      expect(seen).toContain(`subscriber ${subscriberIds[0]}`);
      const masked = await readCounted(desk, 'operator', path);
      expect(masked).toContain('j…@example.com');
      for (const page of [seen, masked]) {
        expect(page).not.toContain('jun.li');
        expect(page).toContain('<th scope="row"><bdi>550 5.1.1 &lt;address&gt;: no such user</bdi></th>');
      }
      expect(await desk.read('admin', path)).toContain('jun.li@example.com');
      expect((await desk.get('audience', path)).status).toBe(403);
      expect((await desk.get('operator', '/deliveries/999')).status).toBe(404);
      expect((await desk.get('operator', '/deliveries/x')).status).toBe(404);
    });

    it('are paused and resumed, with a record of who did it and a way back', async () => {
      const { desk, id } = await openWith(await open());
      const page = await desk.act('operator', `/deliveries/${id}/pause`, { reason: ' a wrong\nlead ' });
      expect(page).toContain('Paused. Submissions in progress finish; no others begin.');
      expect(page).toMatch(new RegExp(`action="/desk/deliveries/${id}/resume"[^]*?Undo`));
      expect(await stateOf(desk)).toMatchObject({ state: 'paused', reason: 'a wrong lead (Otis Park)' });
      await desk.act('operator', `/deliveries/${id}/resume`);
      expect(await stateOf(desk)).toMatchObject({ state: 'delivering', reason: null });
      expect(await desk.act('operator', `/deliveries/${id}/resume`)).toContain('It was not paused.');
      expect((await desk.audit()).map(({ act, subject }) => [act, subject])).toEqual([
        ['delivery.pause', 'daily-roundup/2026-11-24'],
        ['delivery.resume', 'daily-roundup/2026-11-24'],
      ]);
      expect((await desk.post('editor', `/deliveries/${id}/pause`)).status).toBe(403);
    });

    it('that have expired are not resumed before somebody decides', async () => {
      const { desk, store, id } = await openWith(await open());
      await setDeliveries(store, { expires_at: desk.app.now });
      await desk.act('operator', `/deliveries/${id}/pause`);
      const asked = await desk.post('operator', `/deliveries/${id}/resume`);
      expect(asked.status).toBe(422);
      expect(await asked.text()).toContain('4 messages have expired during the pause and would fail at once');
      expect(await stateOf(desk)).toMatchObject({ state: 'paused' });
      const wrong = await desk.post('operator', `/deliveries/${id}/resume`, { hours: '1e9' });
      expect(await wrong.text()).toContain('More time must be a whole number of hours, such as 12.');
      await desk.act('operator', `/deliveries/${id}/resume`, { hours: '12' });
      expect(await stateOf(desk)).toMatchObject({ state: 'delivering' });
    });

    it('are cancelled with the password alone, after a sentence with the figures', async () => {
      const { desk, id } = await openWith(await open(), ['submitted']);
      const path = `/deliveries/${id}/cancel`;
      expect(await desk.read('operator', path)).toMatch(/3 messages of “[^”]+” will never be\s+submitted; 1 have been/);
      expect(await (await desk.post('operator', path)).text()).toContain('Cancel the edition: your password again');
      expect(await stateOf(desk)).toMatchObject({ state: 'delivering' });
      const page = await desk.act('operator', path, { reason: 'the wrong list', password: PASSWORD });
      expect(page).toContain('Cancelled: 3 messages will not be submitted.');
      expect(await stateOf(desk)).toMatchObject({
        ...{ state: 'cancelled', reason: 'the wrong list (Otis Park)' },
        deliveries: 'submitted suppressed suppressed suppressed',
      });
      expect(await desk.audit()).toMatchObject([{ act: 'delivery.cancel', subject: 'daily-roundup/2026-11-24' }]);
    });

    it('that failed are submitted again', async () => {
      const { desk, id } = await openWith(await open(), ['failed', 'failed', 'submitted']);
      const page = await desk.act('operator', `/deliveries/${id}/retry`, { kinds: 'failed' });
      expect(page).toContain('2 messages will be submitted again.');
      expect(await stateOf(desk)).toMatchObject({ deliveries: 'pending pending submitted pending' });
    });

    it('that are uncertain are settled, one by one or all', async () => {
      const { desk, id, subscriberIds } = await openWith(await open(), Array(3).fill('submitting'));
      const [first] = subscriberIds;
      const path = `/deliveries/${id}`;
      expect(await desk.read('operator', path)).toContain('All 3 were submitted');
      const settled = { subscriber: String(first), as: 'submitted' };
      expect(await desk.act('operator', `${path}/settle`, settled)).toContain('Recorded as submitted.');
      const wrong = await desk.post('operator', `${path}/settle-all`, { as: 'forgotten' });
      expect(wrong.status).toBe(422);
      const page = await desk.act('operator', `${path}/settle-all`, { as: 'retry' });
      expect(page).toContain('2 messages will be submitted again.');
      expect(await stateOf(desk)).toMatchObject({ deliveries: 'submitted pending pending pending' });
      expect((await desk.audit()).map(({ detail }) => detail)).toEqual([
        { subscriber: first, as: 'submitted' },
        { as: 'retry' },
      ]);
    });

    it('have a refusal beside them where an act is not possible any more', async () => {
      const { desk, store, id } = await openWith(await open());
      await store.db.updateTable('editions').set({ delivery_state: 'done' }).execute();
      const response = await desk.post('operator', `/deliveries/${id}/pause`);
      expect(response.status).toBe(422);
      expect(await response.text()).toContain('daily-roundup/2026-11-24 is done and cannot be paused');
      expect(await desk.audit()).toEqual([]);
    });

    it('have figures, a bar, causes and a list that agree while retries wait and end', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      const { editionId: id, subscriberIds } = await queueEdition(store, 8);
      const set = (n: number, state: DeliveryState, reason: string | null = null): Promise<unknown> =>
        setDeliveries(store, { state, reason, attempts: 1 }, { subscriber_id: subscriberIds[n] as number });
      await Promise.all([set(0, 'submitted'), set(1, 'failed', REFUSAL), set(2, 'suppressed')]);
      for (const n of [3, 4, 5]) await set(n, 'pending', 'mx.example.com answered: 450 4.2.2 mailbox full');
      const readAll = async () => {
        const page = await desk.read('editor', `/deliveries/${id}`);
        const states = ['pending', 'submitting', 'submitted', 'failed', 'suppressed'];
        const partOf = (section: string) => page.split(`id="${section}"`)[1]?.split('</section>')[0] ?? '';
        const causes = [...partOf('failures').matchAll(/class="num"[^>]*>(\d+)<\/td>/g)].map(([, text]) =>
          Number(text),
        );
        return {
          figures: states.map((state) => Number(figureOf(page, id, state))),
          bar: figureOf(page, id, 'over'),
          causes: causes.reduce((sum, count) => sum + count, 0),
          listed: [...partOf('failed').matchAll(/>subscriber \d+</g)].length,
          of: /of (\d+) messages/.exec(page)?.[1],
        };
      };
      expect(await readAll()).toEqual({ figures: [5, 0, 1, 1, 1], bar: '37 %', causes: 1, listed: 1, of: '8' });
      // At once: nothing that was counted before is shown again.
      await Promise.all([set(3, 'submitted'), set(4, 'failed', REFUSAL), set(5, 'failed', 'Expired.')]);
      expect(await readAll()).toEqual({ figures: [2, 0, 2, 3, 1], bar: '75 %', causes: 3, listed: 3, of: '8' });
      await set(1, 'pending');
      expect(await readAll()).toEqual({ figures: [3, 0, 2, 2, 1], bar: '62 %', causes: 2, listed: 2, of: '8' });
    });

    it('say which failures are kept only as a number', async () => {
      const { desk, store, id } = await openWith(await open(), ['failed']);
      await store.db.insertInto('delivery_totals').values({ edition_id: id, state: 'failed', count: 2 }).execute();
      const page = await desk.read('operator', `/deliveries/${id}`);
      expect(page).toContain('These are 1 of the 3 failed messages.');
    });

    it('lead from a failed message to the person, for those who may see the audience', async () => {
      const { desk, id, subscriberIds } = await openWith(await open(), ['failed']);
      const link = `href="/desk/audience/${subscriberIds[0]}"`;
      for (const role of ['operator', 'admin'] as const) {
        expect(await desk.read(role, `/deliveries/${id}`)).toContain(link);
      }
      expect(await desk.read('editor', `/deliveries/${id}`)).not.toContain('/desk/audience');
    });

    it('ask again for hours that cannot be used, beside them', async () => {
      const { desk, id } = await openWith(await open());
      const response = await desk.post('operator', `/deliveries/${id}/resume`, { hours: 'soon', expired: '4' });
      const page = await response.text();
      expect(page).toContain('4 messages have expired');
      expect(page).toMatch(/value="soon"[\s\S]*id="hours-error">More time must be a whole number of hours/);
    });

    it('list failed messages page by page', async () => {
      const store = await open();
      const desk = await openTestDesk(store);
      const { editionId, subscriberIds } = await queueEdition(store, 51);
      await setDeliveries(store, { state: 'failed', reason: '<b>full</b>' });
      const first = await desk.read('admin', `/deliveries/${editionId}`);
      expect(first).toContain('subscriber50@example.com');
      expect(first).not.toContain('subscriber51@example.com');
      expect(first).toContain(`after=${subscriberIds[49]}`);
      expect(first).not.toContain('<b>full');
      const second = await desk.read('admin', `/deliveries/${editionId}?after=${subscriberIds[49]}`);
      expect(second).toContain('subscriber51@example.com');
      expect(second).not.toContain('subscriber50@example.com');
    });
  });
});
