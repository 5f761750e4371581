import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { answerConditionally, type OutletStory, rssOf } from '../../../scripts/outlets/feed-document.ts';
import type { OutletAnswer, OutletRequest } from '../../../scripts/outlets/outlet-server.ts';
import { settleRemovedSources } from '../../../src/app/background-tasks.ts';
import { raiseAlert } from '../../../src/core/alerts/alerts.ts';
import { roundupSources } from '../../../src/core/config/sources.ts';
import { listRuns } from '../../../src/core/schedule/run-ledger.ts';
import { dialectOf, inTransaction, lockName, type Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../../src/lib/time.ts';
import { OUTLETS } from '../../../src/outlets/polling/outlets.ts';
import { pollDue, pollNow } from '../../../src/sources/polling/poller.ts';
import { SOURCE_ALERTS_LOCK, syncSourceAlerts } from '../../../src/sources/polling/source-alerts.ts';
import { findSourceRow, pausePolls, registerSources, resumePolls } from '../../../src/sources/source-state.ts';
import { alertNamed, openAlerts } from '../../support/alerts.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openOutletNewsroom } from '../outlets.ts';

/** One every two hours, the newest an hour ago. */
const STORIES: OutletStory[] = Array.from({ length: 8 }, (_, index) => ({
  number: index + 1,
  at: NOW - HOUR - index * 2 * HOUR,
}));
const FEED = { a: 'a.example.com/feed' };

/** A feed with an ETag. */
const steady = (request: OutletRequest, stories = STORIES): OutletAnswer =>
  answerConditionally(request, rssOf(request.host, stories), { etag: true });

const stateOf = async ({ db }: Store, id = 'a') => (await findSourceRow(db, id))?.state;
const countItems = async ({ db }: Store): Promise<number> =>
  (await db.selectFrom('outlet_items').select('id').execute()).length;
const alertsOf = async ({ db }: Store) => (await openAlerts(db)).map(({ key, message }) => ({ key, message }));

describe('polling outlets', () => {
  forEachDatabase((open) => {
    it('reads a feed once, and then asks only for what has changed', async () => {
      const store = await open();
      let stories = STORIES;
      const { server, poll } = await openOutletNewsroom(store, FEED, (request) => steady(request, stories));
      const first = (await poll()).get('a');
      expect(first).toMatchObject({ added: 8, old: 0, after: { state: 'active' }, nextAt: NOW + HOUR });
      expect((await poll(HOUR - SECOND)).size).toBe(0);
      expect((await poll(SECOND)).get('a')).toMatchObject({ added: 0, after: { state: 'active' } });
      stories = [{ number: 9, at: NOW + HOUR }, ...STORIES];
      expect((await poll(HOUR)).get('a')).toMatchObject({ added: 1 });
      expect(server.requests.map(({ isConditional, status }) => [isConditional, status])).toEqual([
        [false, 200],
        [true, 304],
        [true, 200],
      ]);
      expect(await countItems(store)).toBe(9);
      // A poll that found nothing leaves no run.
      const runs = await listRuns(store.db, 10);
      expect(runs.map(({ reason }) => reason)).toEqual(['1 new', '8 new']);
    });

    it('gives the items of an outlet its new name, also if the feed has not changed', async () => {
      const store = await open();
      const { app, server, poll, options, source, time } = await openOutletNewsroom(store, FEED, (request) =>
        steady(request),
      );
      await poll();
      time.now += HOUR;
      await pollNow(app, OUTLETS, { ...source('a'), outlet: 'The New Name' }, options);
      expect(server.requests.map(({ status }) => status)).toEqual([200, 304]);
      const names = await store.db.selectFrom('outlet_items').select('outlet').distinct().execute();
      expect(names).toEqual([{ outlet: 'The New Name' }]);
    });

    it('polls a feed once, whichever process asks', async () => {
      const store = await open();
      const places = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, `${id}.example.com/feed`]));
      const { app, time, server, options } = await openOutletNewsroom(store, places, (request) => steady(request));
      for (let hour = 0; hour < 3; hour++) {
        const process = () => pollDue(app, OUTLETS, { ...options, limit: time.limit(8) });
        const polled = (await Promise.all([process(), process()])).flat();
        expect(polled.map(({ source }) => source).sort()).toEqual(['a', 'b', 'c']);
        time.now += HOUR + MINUTE;
      }
      expect(server.requests).toHaveLength(9);
    });

    it('registers a source once, whichever process is first: a poll under way keeps its claim', async () => {
      const store = await open();
      const { app } = await openOutletNewsroom(store, { a: 'a.example.com/f', b: 'b.example.com/f' }, steady);
      const sources = roundupSources(app.config);
      await Promise.all([1, 2, 3].map(() => registerSources(store.db, app.config, sources, NOW)));
      expect((await findSourceRow(store.db, 'b'))?.fence).toBe(0);
    });

    it('sends the requests to one host two seconds apart, those of redirects too', async () => {
      const store = await open();
      const places = { a: 'many.example.com/a', b: 'many.example.com/b', c: 'c.example.com/c' };
      const { server, poll, time } = await openOutletNewsroom(store, places, async (request) => {
        await time.wait(500);
        return request.path === '/a' ? { status: 302, headers: { Location: '/a2' } } : steady(request);
      });
      await poll();
      const many = server.requests.filter(({ host }) => host === 'many.example.com');
      expect(many.map(({ path }) => path)).toEqual(['/a', '/a2', '/b']);
      expect(many.map(({ begin }) => begin - NOW)).toEqual([0, 2_500, 5_000]);
      expect(server.requests.find(({ path }) => path === '/c')?.begin).toBeLessThan(NOW + 1_000);
    });

    it('finds the feed of a page, and keeps its address', async () => {
      const store = await open();
      const link = (href: string) => `<link rel="alternate" type="application/rss+xml" href="${href}">`;
      const page = `<!doctype html><html><head>${link('/comments/feed/')}${link('/real.xml')}`;
      const { server, poll } = await openOutletNewsroom(store, { a: 'a.example.com/' }, (request) =>
        request.path === '/real.xml' ? steady(request) : { status: 200, body: page },
      );
      expect((await poll()).get('a')).toMatchObject({ added: 8, after: { state: 'active' } });
      await poll(HOUR + MINUTE);
      expect(server.requests.map(({ path, status }) => [path, status])).toEqual([
        ['/', 200],
        ['/real.xml', 200],
        ['/real.xml', 304],
      ]);
    });

    it('waits as long as a server asks, with all feeds of its host, even if an operator wants a poll', async () => {
      const store = await open();
      const places = { a: 'many.example.com/a', b: 'many.example.com/b' };
      let isBusy = true;
      const { app, server, poll, options } = await openOutletNewsroom(store, places, (request) =>
        isBusy ? { status: 429, headers: { 'Retry-After': '7200' } } : steady(request),
      );
      await poll();
      isBusy = false;
      expect(await stateOf(store)).toBe('waiting');
      const until = NOW + 2 * HOUR;
      for (const source of roundupSources(app.config)) {
        expect(await pollNow(app, OUTLETS, source, options)).toEqual({ kind: 'waiting', until });
      }
      await pausePolls(store.db, 'a', NOW);
      await resumePolls(store.db, 'a', NOW);
      expect((await poll(2 * HOUR - 10 * SECOND)).size).toBe(0);
      expect((await poll(10 * SECOND)).size).toBe(2);
      expect(server.requests.map(({ path, begin }) => [path, begin - NOW])).toEqual([
        ['/a', 0],
        ['/a', 2 * HOUR],
        ['/b', 2 * HOUR + 2 * SECOND],
      ]);
    });

    it('waits, and has not failed, where a redirect leads to a host that asked for a pause', async () => {
      const store = await open();
      const places = { a: 'a.example.com/feed', b: 'b.example.com/feed' };
      const { app, server, poll, options, source } = await openOutletNewsroom(
        store,
        places,
        (request): OutletAnswer => {
          if (request.host.startsWith('a.')) return { status: 429, headers: { 'Retry-After': '7200' } };
          return { status: 302, headers: { Location: server.url('a.example.com', '/feed') } };
        },
      );
      await pollNow(app, OUTLETS, source('a'), options);
      const until = NOW + 2 * HOUR;
      const { after, nextAt } = (await poll()).get('b') ?? {};
      expect(after).toMatchObject({ state: 'waiting', reason: expect.stringMatching(/was not asked: its host asks/) });
      expect(nextAt).toBe(until);
      expect(server.requests.map(({ host }) => host)).toEqual(['a.example.com', 'b.example.com']);
    });

    it('says what to ask an outlet that keeps it out, and alerts once', async () => {
      const store = await open();
      const challenge = '<!DOCTYPE html><script>window._cf_chl_opt = {};</script>';
      const places = { a: 'a.example.com/feed', b: 'b.example.com/feed', c: 'c.example.com/feed' };
      let isOpen = true;
      const { poll } = await openOutletNewsroom(store, places, (request) => {
        if (isOpen) return steady(request);
        if (request.host.startsWith('a')) return { status: 403 };
        if (request.host.startsWith('b')) return { status: 503, body: challenge };
        return { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<p>Please log in.</p>' };
      });
      await poll();
      isOpen = false;
      const blocked = await poll(HOUR + MINUTE);
      const reasons = ['a', 'b', 'c'].map((id) => blocked.get(id)?.after.reason);
      expect(reasons[0]).toMatch(/answered 403: ask The a to let feed readers in/);
      expect(reasons[1]).toMatch(/a challenge of Cloudflare.*ask The b to exempt its feed from the bot protection/);
      expect(reasons[2]).toMatch(/a page instead of the feed.*ask The c for the address of its feed/);
      expect([...blocked.values()].map(({ after }) => after.state)).toEqual(['blocked', 'blocked', 'blocked']);
      const alerts = await alertsOf(store);
      expect(alerts.map(({ key }) => key).sort()).toEqual(['source:a', 'source:b', 'source:c']);
      expect(alerts[0]?.message).toMatch(/^a \(The a\) is blocked since .* Its items stay as they are\.$/);
      expect((await poll(DAY - 5 * MINUTE)).size).toBe(0);
      isOpen = true;
      expect((await poll(5 * MINUTE)).size).toBe(3);
      expect(await alertsOf(store)).toEqual([]);
      expect(await stateOf(store)).toBe('active');
    });

    it('resolves no alert of a poll that ended while another one looked for alerts', async () => {
      const store = await open();
      const { app, poll } = await openOutletNewsroom(store, FEED, (request) => steady(request));
      await poll();
      let looking = Promise.resolve();
      await inTransaction(store.db, async (tx) => {
        await lockName(tx, SOURCE_ALERTS_LOCK);
        // What reads the feeds without the lock gets no further than to the alerts.
        if (dialectOf(tx) === 'postgres') await sql`lock table alerts in access exclusive mode`.execute(tx);
        looking = syncSourceAlerts(app);
        for (let turns = 0; turns < 20; turns++) await openAlerts(tx);
        await tx.updateTable('sources').set({ state: 'blocked', reason: 'it answered 403' }).execute();
        await raiseAlert(tx, { ...alertNamed('source:a'), message: 'a (The a) is blocked' }, app.clock());
      });
      await looking;
      expect((await alertsOf(store)).map(({ key }) => key)).toEqual(['source:a']);
    });

    it('alerts about a feed that has failed for a day, and resolves that once it is read or removed', async () => {
      const store = await open();
      let isBroken = true;
      const { app, poll } = await openOutletNewsroom(store, FEED, (request) =>
        isBroken ? { status: 500 } : steady(request),
      );
      await poll();
      await poll(DAY - MINUTE);
      expect(await alertsOf(store)).toEqual([]);
      for (let polls = 0; polls < 7; polls++) await poll(16 * HOUR);
      expect(await alertsOf(store)).toEqual([
        {
          key: 'source:a',
          message: expect.stringMatching(/^a \(The a\) is failing since .*answered 500/),
        },
      ]);
      isBroken = false;
      await poll(DAY);
      expect(await alertsOf(store)).toEqual([]);
      isBroken = true;
      for (let polls = 0; polls < 7; polls++) await poll(16 * HOUR);
      expect(await alertsOf(store)).toHaveLength(1);
      await settleRemovedSources({ ...app, config: { ...app.config, sources: [] } });
      expect(await alertsOf(store)).toEqual([]);
    });

    it('no longer polls a feed that is gone, until an operator asks for it', async () => {
      const store = await open();
      let isGone = true;
      const { app, server, poll, options, source } = await openOutletNewsroom(store, FEED, (request) =>
        isGone ? { status: 410 } : steady(request),
      );
      expect((await poll()).get('a')).toMatchObject({ after: { state: 'gone' }, nextAt: null });
      expect((await poll(60 * DAY)).size).toBe(0);
      const [alert] = await alertsOf(store);
      expect(alert?.key).toBe('source:a');
      expect(alert?.message).toMatch(
        /^a \(The a\) is gone: .* answered 410: .*\. It is no longer polled\. Its items stay/,
      );
      expect(alert?.message).toMatch(/ as they are\. To try it again, use "daywire sources resume a"\.$/);
      isGone = false;
      await resumePolls(store.db, 'a', app.clock());
      expect((await poll()).get('a')?.after.state).toBe('dormant');
      expect(server.requests).toHaveLength(2);
      expect(await pollNow(app, OUTLETS, source('a'), options)).toMatchObject({
        kind: 'polled',
        outcome: { result: { added: 0 } },
      });
    });

    it('holds a flood, with one alert', async () => {
      const store = await open();
      let stories = STORIES;
      const { poll } = await openOutletNewsroom(store, FEED, (request) => steady(request, stories));
      await poll();
      stories = Array.from({ length: 500 }, (_, index) => ({ number: 1_000 + index, at: NOW + index }));
      expect((await poll(HOUR)).get('a')).toMatchObject({ added: 500, held: 500, after: { state: 'held' } });
      // While it is held, what comes is held too.
      stories = [{ number: 9_000, at: NOW + HOUR }, ...stories];
      expect((await poll(HOUR)).get('a')).toMatchObject({ added: 1, held: 501 });
      expect(await alertsOf(store)).toEqual([
        {
          key: 'outlet-held:a',
          message:
            'a (The a): 501 items were new at once, and wait for a decision. ' +
            'To take them, use "daywire sources accept a"; ' +
            'to show none of them, ever, use "daywire sources accept a --ignore".',
        },
      ]);
      expect(await stateOf(store)).toBe('held');
    });

    it('changes the endpoint after confirmed permanent redirects, and names the new address', async () => {
      const store = await open();
      const newsroom = await openOutletNewsroom(store, FEED, (request) =>
        request.host === 'a.example.com'
          ? { status: 301, headers: { Location: newsroom.server.url('new.example.com', '/feed') } }
          : steady(request),
      );
      const { app, options, poll, server, source } = newsroom;
      await poll();
      expect((await poll(DAY)).get('a')?.after).toMatchObject({ state: 'active', movedPolls: 2 });
      expect((await poll(DAY)).get('a')?.after).toMatchObject({ state: 'moved' });
      expect((await findSourceRow(store.db, 'a'))?.endpoint).toBe(server.url('new.example.com', '/feed'));
      const before = server.requests.length;
      await poll(DAY);
      expect(server.requests.slice(before).map(({ host }) => host)).toEqual(['new.example.com']);
      // Named in the configuration, it goes on: undated items of a first document would be old.
      const named = { ...source('a'), url: server.url('new.example.com', '/feed') };
      await registerSources(store.db, app.config, [named], app.clock());
      expect(await findSourceRow(store.db, 'a')).toMatchObject({ state: 'active', reason: null, moved_to: null });
      await pollNow(app, OUTLETS, named, options);
      expect(server.requests.at(-1)).toMatchObject({ host: 'new.example.com', status: 304 });
      expect(await stateOf(store)).toBe('active');
    });

    it('reads the others when one fails in any way', async () => {
      const store = await open();
      const faults: Record<string, OutletAnswer> = {
        cut: { status: 200, body: rssOf('cut', STORIES), fault: 'cut' },
        never: { status: 200, body: rssOf('never', STORIES), fault: 'never' },
        binary: { status: 200, body: '\u0000\u0001\u0002' },
        empty: { status: 200, body: '' },
        teapot: { status: 418 },
        loop: { status: 302, headers: { Location: '/feed' } },
        nowhere: { status: 302, headers: { Location: 'gopher://x' } },
        unasked: { status: 304 },
        fine: { status: 200, body: rssOf('fine', STORIES) },
      };
      const places = Object.fromEntries(Object.keys(faults).map((id) => [id, `${id}.example.com/feed`]));
      const { poll } = await openOutletNewsroom(
        store,
        places,
        ({ host }) => faults[host.split('.')[0] ?? ''] as OutletAnswer,
      );
      const polled = await poll();
      const failing = Object.keys(faults).filter((id) => id !== 'fine');
      expect(failing.map((id) => polled.get(id)?.after.state)).toEqual(failing.map(() => 'failing'));
      expect(polled.get('fine')).toMatchObject({ added: 8, after: { state: 'active' } });
      const reasons = failing.map((id) => polled.get(id)?.after.reason);
      expect(reasons.every((reason) => reason !== null && reason !== undefined && reason.length > 20)).toBe(true);
    });

    it('gives a claim back when daywire ends, and records nothing where the claim was lost', async () => {
      const store = await open();
      const stop = new AbortController();
      const newsroom = await openOutletNewsroom(store, FEED, async (request) => {
        if (newsroom.server.requests.length === 0) stop.abort();
        // Another address in the configuration revokes the claim of a poll under way.
        else await store.db.updateTable('sources').set({ fence: 99 }).execute();
        return steady(request);
      });
      const { app, options, poll } = newsroom;
      await pollDue(app, OUTLETS, { ...options, signal: stop.signal });
      expect(await findSourceRow(store.db, 'a')).toMatchObject({ lease_until: null, polled_at: null, due_at: NOW });
      await poll();
      expect(await countItems(store)).toBe(0);
      expect((await findSourceRow(store.db, 'a'))?.polled_at).toBeNull();
    });

    it('begins again where the configuration has another address', async () => {
      const store = await open();
      const { app, poll, server, source } = await openOutletNewsroom(store, FEED, (request) => steady(request));
      await poll();
      await registerSources(
        store.db,
        app.config,
        [{ ...source('a'), url: server.url('a.example.com', '/other') }],
        NOW + 1,
      );
      expect(await findSourceRow(store.db, 'a')).toMatchObject({
        ...{ etag: null, endpoint: null, due_at: NOW + 1, failures: 0 },
        ...{ items_read_at: null, item_gap: null, news_at: null },
      });
      expect(await countItems(store)).toBe(8);
    });
  });
});
