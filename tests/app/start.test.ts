import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { loadSampleNewsroom } from '../../src/app/sample.ts';
import { ROLES, runOnce, type StartOptions, start } from '../../src/app/start.ts';
import { formatFirstRun } from '../../src/cli/format/first-run.ts';
import { findDocument, saveDocuments } from '../../src/feeds/documents.ts';
import { DAY } from '../../src/lib/time.ts';
import { closeServers, startScripted } from '../delivery/servers.ts';
import { startWebServer } from '../schedule/web-server.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openTestNewsroom, type TestNewsroom } from '../support/sample-newsroom.ts';
import { startSubscriber } from '../websub/subscriber.ts';

const NOTHING_LISTENS = (yaml: string): string =>
  yaml.replace('transport: file', 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1');

forEachDatabase((open) => {
  describe('the first round', () => {
    it('ends its deliveries when it is told to, and leaves none half done', async () => {
      const newsroom = openTestNewsroom(await open(), {
        edit: (yaml) => yaml.replace('connections: 5', 'connections: 1'),
      });
      const stopping = new AbortController();
      const { delivered } = await runOnce(newsroom, {
        roles: ROLES,
        stop: stopping.signal,
        onProgress: (progress) => {
          if (progress.kind === 'delivering' && progress.report.submitted === 3) stopping.abort();
        },
      });
      expect(delivered?.stopped).toBe('stopped on request');
      // The fourth was on the wire when the third was counted.
      const submitted = delivered?.submitted ?? 0;
      expect([3, 4]).toContain(submitted);
      const states = await newsroom.store.db.selectFrom('deliveries').select('state').orderBy('state').execute();
      const expected = [...Array(7 - submitted).fill('pending'), ...Array(submitted).fill('submitted')];
      expect(states.map(({ state }) => state)).toEqual(expected);
    });

    it('tells the webhook of what its deliveries raised', async () => {
      const server = await startWebServer();
      const env = { DAYWIRE_ALERT_WEBHOOK: server.url };
      const newsroom = openTestNewsroom(await open(), { env, edit: NOTHING_LISTENS });
      await runOnce(newsroom, startOptions());
      expect(server.requests.map(({ body }) => (JSON.parse(body) as { key: string }).key)).toEqual(['delivery']);
    });

    it('tells another hub once of each feed, and of what changed in the next round', async () => {
      const hub = await startSubscriber();
      const newsroom = openTestNewsroom(await open(), {
        edit: (yaml) => yaml.replace('hub: self', `hub: ${hub.url('/')}`),
      });
      const topics = (): string[] =>
        hub.requests.map(({ body }) => new URLSearchParams(body).get('hub.topic') ?? '').sort();
      await runOnce(newsroom, startOptions());
      const { feeds, publication } = newsroom.config;
      const all = feeds.flatMap(({ id }) =>
        ['atom', 'json', 'rss'].map((format) => `${publication.url}/feeds/${id}.${format}`),
      );
      expect(topics()).toEqual(all.sort());
      hub.requests.length = 0;
      newsroom.now += 2 * DAY;
      await runOnce(newsroom, startOptions());
      const changed = await newsroom.store.db
        .selectFrom('documents')
        .select('path')
        .where('modified_at', '=', newsroom.now)
        .execute();
      const stories = changed.map(({ path }) => `${publication.url}/feeds/${path}`).filter((url) => all.includes(url));
      expect(stories.length).toBeGreaterThan(0);
      expect(topics()).toEqual(stories.sort());
      const runs = await newsroom.store.db.selectFrom('runs').selectAll().where('schedule', '=', 'hub').execute();
      expect(runs.map(({ state }) => state)).toEqual(runs.map(() => 'done'));
    });

    it('of a sample that was killed after its import still composes the edition', async () => {
      const newsroom = openTestNewsroom(await open());
      await loadSampleNewsroom(newsroom.store, newsroom.config, { now: newsroom.now });
      const { sample, edition } = await runOnce(newsroom, startOptions());
      expect(sample).toBeNull();
      expect(edition).toMatchObject({ kind: 'closed', fresh: true, queued: 7 });
      expect((await runOnce(newsroom, startOptions())).edition).toBeNull();
    });

    it('of a sample that could not be filled is begun anew, readers and all', async () => {
      const newsroom = openTestNewsroom(await open());
      const { store, config, now } = newsroom;
      // Ends in the middle, as a kill would: there is no table for its readers.
      await store.db.schema.alterTable('subscriptions').renameTo('hidden').execute();
      await expect(loadSampleNewsroom(store, config, { now })).rejects.toThrow(/subscriptions/);
      await store.db.schema.alterTable('hidden').renameTo('subscriptions').execute();
      expect(await runOnce(newsroom, startOptions())).toMatchObject({
        sample: { subscribers: 7 },
        delivered: { submitted: 7 },
      });
    });

    it('after a week away says in a few lines what was missed', async () => {
      const newsroom = openTestNewsroom(await open());
      await runOnce(newsroom, startOptions());
      newsroom.now += 7 * DAY;
      const round = await runOnce(newsroom, startOptions());
      expect(round.runs.filter(({ state }) => state === 'skipped')).toHaveLength(7);
      const said = formatFirstRun(newsroom, round, { version: '1', url: null, now: newsroom.now });
      expect(said).toMatch(
        /run +newsletter:daily-roundup of Dec 01, 2026 07:30 AM: skipped \(missed by 12 h 30 min.*\), and 6 slots before it\n/,
      );
      expect(said.split('\n').length).toBeLessThanOrEqual(10);
    });

    it('that ends there keeps house as well', async () => {
      const newsroom = openTestNewsroom(await open());
      await runOnce(newsroom, startOptions());
      newsroom.now += 200 * DAY;
      await runOnce(newsroom, startOptions());
      expect(await newsroom.store.db.selectFrom('deliveries').selectAll().execute()).toEqual([]);
      expect(await newsroom.store.db.selectFrom('delivery_totals').select(['state', 'count']).execute()).toEqual([
        { state: 'submitted', count: 7 },
      ]);
    });

    it('is followed by others that log why they stopped without the token that the server quotes', async () => {
      const server = await startScripted((command) =>
        command.startsWith('MAIL')
          ? `553 5.7.1 ${command.slice('MAIL FROM:'.length)}: Sender address rejected`
          : undefined,
      );
      const newsroom = openTestNewsroom(await open(), {
        edit: (yaml) =>
          yaml
            .replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`)
            .replace('# address: bounces@', 'address: bounces@'),
      });
      const errors: string[] = [];
      newsroom.log.error = (details, message) => errors.push(`${message} ${JSON.stringify(details)}`);
      await runOnce(newsroom, startOptions());
      const running = await start(newsroom, { ...startOptions(), roles: ['deliver'] });
      await expect.poll(() => errors, { timeout: 10_000 }).toHaveLength(1);
      await running.stop();
      expect(server.commands.find((command) => command.startsWith('MAIL'))).toMatch(/bounces\+b\w{39}@/);
      expect(errors[0]).toMatch(/^delivery stopped; .* 553 5\.7\.1 <address>.*: Sender address rejected/);
      expect(errors[0]).not.toContain('bounces+');
      await closeServers();
    });

    it('counts who reads its feeds, and keeps what was counted last when it stops', async () => {
      const newsroom = openTestNewsroom(await open());
      await readOnce(newsroom);
      const rows = await newsroom.store.db.selectFrom('feed_readers').selectAll().execute();
      expect(rows).toEqual([{ day: '2026-11-24', path: 'latest.atom', reader: 'Feedly', requests: 1, unchanged: 0 }]);
    });

    it('says so where the last of its counts cannot be kept, and stops', async () => {
      const newsroom = openTestNewsroom(await open());
      const errors: string[] = [];
      newsroom.log.error = (details, message) => errors.push(`${message} ${JSON.stringify(details)}`);
      await newsroom.store.db.schema.alterTable('feed_readers').renameTo('hidden').execute();
      await readOnce(newsroom);
      await newsroom.store.db.schema.alterTable('hidden').renameTo('feed_readers').execute();
      expect(errors).toEqual([expect.stringMatching(/^the last counts of readers are lost .*feed_readers/)]);
    });

    it('is followed by the end of a month, which closes its part of each archive and leads to it', async () => {
      // No run of the schedule comes first.
      const edit = (yaml: string): string => yaml.replace('*/10 * * * *', '0 0 1 1 *');
      const still = openTestNewsroom(await open(), { edit });
      const began = Date.now();
      const newsroom = { ...still, clock: () => still.now + Date.now() - began };
      const running = await start(newsroom, { ...startOptions(), roles: ['schedule'] });
      still.now += 7 * DAY;
      const leads = async (): Promise<boolean> => {
        const document = await findDocument(still.store.db, 'latest.atom');
        return document?.body.includes('/feeds/archive/latest/2026-11.atom') === true;
      };
      await expect.poll(leads, { timeout: 20_000 }).toBe(true);
      await running.stop();
    });

    it('does nothing where the port is taken', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      const newsroom = openTestNewsroom(await open());
      newsroom.config.server.port = (taken.address() as AddressInfo).port;
      await expect(start(newsroom, startOptions())).rejects.toThrow(/is taken by another process/);
      taken.close();
      expect(await newsroom.store.db.selectFrom('articles').selectAll().execute()).toEqual([]);
    });

    it('that fails gives the port back', async () => {
      const newsroom = openTestNewsroom(await open());
      // A folder of feeds that cannot be made: its parent is a file.
      newsroom.config.paths.feeds = `${import.meta.filename}/feeds`;
      newsroom.config.server.port = await freePort();
      await expect(start(newsroom, startOptions())).rejects.toThrow(/ENOTDIR/);
      await expect(fetch(`http://127.0.0.1:${newsroom.config.server.port}/healthz`)).rejects.toThrow();
    });
  });
});

/** Serves a feed to one reader, and stops. */
async function readOnce(newsroom: TestNewsroom): Promise<void> {
  const draft = { path: 'latest.atom', mediaType: 'application/atom+xml', body: '<feed/>' };
  await saveDocuments(newsroom.store.db, [draft], newsroom.now);
  const running = await start(newsroom, { ...startOptions(), roles: ['web'] });
  const headers = { 'User-Agent': 'Feedly/1.0 (+https://feedly.com/poller.html; 16 subscribers)' };
  const answer = await fetch(`${running.url}feeds/latest.atom`, { headers });
  expect(await answer.text()).toBe(draft.body);
  await running.stop();
}

function startOptions(): StartOptions {
  return { roles: ROLES, stop: new AbortController().signal };
}
