import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { closeServers, startScripted } from '../../scripts/smtp-servers.ts';
import { queueEdition } from '../../scripts/test-edition.ts';
import { formatFirstRun } from '../../src/app/cli/start.ts';
import { loadSampleNewsroom } from '../../src/app/sample/newsroom.ts';
import { ROLES, runOnce, type StartOptions, start } from '../../src/app/start.ts';
import { listProcesses } from '../../src/core/schedule/processes.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { startWebServer } from '../core/schedule/web-server.ts';
import { deliveriesOf } from '../delivery/fixture.ts';
import { startSubscriber } from '../feeds/hub/subscriber.ts';
import { openAlerts } from '../support/alerts.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { publishDocuments } from '../support/documents.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { until } from '../support/until.ts';

forEachDatabase((open) => {
  describe('starting', () => {
    it('stops its deliveries on request, and leaves none half done', async () => {
      const app = openTestApp(await open(), {
        feeds: ['latest'],
        edit: (yaml) => yaml.replace('connections: 5', 'connections: 1'),
      });
      const stopping = new AbortController();
      const { delivered } = await runOnce(app, {
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
      const states = await app.store.db.selectFrom('deliveries').select('state').orderBy('state').execute();
      const expected = [...Array(7 - submitted).fill('pending'), ...Array(submitted).fill('submitted')];
      expect(states.map(({ state }) => state)).toEqual(expected);
    });

    it('raises alerts that the end of any command sends to the webhook', async () => {
      const server = await startWebServer();
      const env = { DAYWIRE_ALERT_WEBHOOK: server.url };
      const mailServer = await startScripted((command) => (command === 'CONNECT' ? '554 5.7.1 not you' : undefined));
      const edit = (yaml: string) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${mailServer.url}`);
      const app = openTestApp(await open(), { env, edit, feeds: ['latest'] });
      await runOnce(app, startOptions());
      await app.alerts.send();
      await closeServers();
      expect(server.requests.map(({ body }) => (JSON.parse(body) as { key: string }).key)).toEqual(['delivery']);
    });

    it('pings another hub once for each feed, and for each feed that changed in the next run', async () => {
      const hub = await startSubscriber();
      const app = openTestApp(await open(), {
        feeds: ['latest', 'world'],
        edit: (yaml) => yaml.replace('hub: self', `hub: ${hub.url('/')}`),
      });
      const topics = (): string[] =>
        hub.requests.map(({ body }) => new URLSearchParams(body).get('hub.topic') ?? '').sort();
      await runOnce(app, startOptions());
      const { feeds, publication } = app.config;
      const all = feeds.flatMap(({ id }) =>
        ['atom', 'json', 'rss'].map((format) => `${publication.url}/feeds/${id}.${format}`),
      );
      expect(topics()).toEqual(all.sort());
      hub.requests.length = 0;
      app.now += 2 * DAY;
      await runOnce(app, startOptions());
      const changed = await app.store.db
        .selectFrom('documents')
        .select('path')
        .where('modified_at', '=', app.now)
        .execute();
      const stories = changed.map(({ path }) => `${publication.url}/feeds/${path}`).filter((url) => all.includes(url));
      expect(stories.length).toBeGreaterThan(0);
      expect(topics()).toEqual(stories.sort());
    });

    it('still composes the edition of a sample whose process was killed after the import', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      await loadSampleNewsroom(app.store, app.config, { now: app.now });
      const { sample, edition } = await runOnce(app, startOptions());
      expect(sample).toBeNull();
      expect(edition).toMatchObject({ kind: 'closed', isNew: true, queued: 7 });
      expect((await runOnce(app, startOptions())).edition).toBeNull();
    });

    it('loads the sample again, subscribers included, after loading it failed', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { store, config, now } = app;
      // Fails in the middle, as a killed process would: the table of subscriptions is missing.
      await store.db.schema.alterTable('subscriptions').renameTo('hidden').execute();
      await expect(loadSampleNewsroom(store, config, { now })).rejects.toThrow(/subscriptions/);
      await store.db.schema.alterTable('hidden').renameTo('subscriptions').execute();
      expect(await runOnce(app, startOptions())).toMatchObject({
        sample: { subscribers: 7 },
        delivered: { submitted: 7 },
      });
    });

    it('summarises in a few lines what was missed in a week', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      await runOnce(app, startOptions());
      app.now += 7 * DAY;
      const run = await runOnce(app, startOptions());
      const skipped = run.runs.filter(({ state }) => state === 'skipped').map(({ schedule }) => schedule);
      expect(skipped.filter((schedule) => schedule === 'newsletter:daily-roundup')).toHaveLength(7);
      expect(skipped.filter((schedule) => schedule === 'newsletter:weekly-roundup')).toHaveLength(1);
      const text = formatFirstRun(app, run, { version: '1', url: null, metricsUrl: null, desk: null, now: app.now });
      expect(text).toMatch(
        /run +newsletter:daily-roundup of Dec 01, 2026 07:30 AM: skipped \(missed by 12 h.*\), and 6 slots before it\n/,
      );
      expect(text.split('\n').length).toBeLessThanOrEqual(10);
      const served = { version: '1', url: 'http://127.0.0.1:8080/', metricsUrl: null, now: app.now };
      const summary = (hasAccounts: boolean): string => formatFirstRun(app, run, { ...served, desk: { hasAccounts } });
      expect(summary(false)).toMatch(
        /desk +http:\/\/127.0.0.1:8080\/desk; for the first account: npx daywire accounts invite ADDRESS --role admin\n/,
      );
      expect(summary(true)).toMatch(/desk +http:\/\/127.0.0.1:8080\/desk\n/);
    });

    it('deletes old rows', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      await runOnce(app, startOptions());
      app.now += 200 * DAY;
      await runOnce(app, startOptions());
      expect(await app.store.db.selectFrom('deliveries').selectAll().execute()).toEqual([]);
      expect(await app.store.db.selectFrom('delivery_totals').select(['state', 'count']).execute()).toEqual([
        { state: 'submitted', count: 7 },
      ]);
    });

    it('is followed by deliveries that log why they stopped, without the token that the server quotes', async () => {
      const server = await startScripted((command) =>
        command.startsWith('MAIL')
          ? `553 5.7.1 ${command.slice('MAIL FROM:'.length)}: Sender address rejected`
          : undefined,
      );
      const app = openTestApp(await open(), {
        feeds: ['latest'],
        edit: (yaml) =>
          yaml
            .replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`)
            .replace('# address: bounces@', 'address: bounces@'),
      });
      const errors: string[] = [];
      app.log.error = (details, message) => errors.push(`${message} ${JSON.stringify(details)}`);
      await runOnce(app, startOptions());
      const running = await start(app, { ...startOptions(), roles: ['deliver'] });
      await expect.poll(() => errors).toHaveLength(1);
      await running.stop();
      expect(server.commands.find((command) => command.startsWith('MAIL'))).toMatch(/bounces\+b\w{39}@/);
      expect(errors[0]).toMatch(/^delivery stopped .* 553 5\.7\.1 <address>.*: Sender address rejected.*"retryAt"/);
      expect(errors[0]).not.toContain('bounces+');
      await closeServers();
    });

    it('makes deliveries due that a clock planned which was set back since', async () => {
      const app = openTestApp(await open());
      const warn = vi.spyOn(app.log, 'warn');
      await queueEdition(app.store, 2);
      const [{ changed_at: closedAt } = { changed_at: 0 }] = await deliveriesOf(app.store);
      app.now = closedAt - 3 * HOUR;
      const running = await start(app, { ...startOptions(), roles: ['web'] });
      await running.stop();
      expect((await deliveriesOf(app.store)).map(({ due_at }) => due_at)).toEqual([app.now, app.now]);
      expect(warn.mock.calls).toContainEqual([{ rows: 2 }, expect.stringMatching(/^the clock was set back/)]);
    });

    it('counts the readers of its feeds, and stores the last counts when it stops', async () => {
      const app = openTestApp(await open());
      await serveOneReader(app);
      const rows = await app.store.db.selectFrom('feed_readers').selectAll().execute();
      expect(rows).toEqual([{ day: '2026-11-24', path: 'latest.atom', reader: 'Feedly', requests: 1, unchanged: 0 }]);
    });

    it('logs that the last counts are lost, and stops', async () => {
      const app = openTestApp(await open());
      const errors: string[] = [];
      app.log.error = (details, message) => errors.push(`${message} ${JSON.stringify(details)}`);
      await app.store.db.schema.alterTable('feed_readers').renameTo('hidden').execute();
      await serveOneReader(app);
      await app.store.db.schema.alterTable('hidden').renameTo('feed_readers').execute();
      expect(errors).toEqual([expect.stringMatching(/^the last counts of readers are lost .*feed_readers/)]);
    });

    it('serves metrics on a listener of their own, and not on the port of the site', async () => {
      const app = openTestApp(await open());
      const { url, metricsUrl, stop } = await start(app, { ...startOptions(), roles: ['web'] });
      const metrics = await fetch(`${metricsUrl}metrics`);
      expect([metrics.status, await metrics.text()]).toEqual([200, expect.stringContaining('daywire_open_alerts 0')]);
      for (const address of [`${url}metrics`, `${metricsUrl}`, `${metricsUrl}healthz`]) {
        expect([address, (await fetch(address)).status]).toEqual([address, 404]);
      }
      await stop();
      await expect(fetch(`${metricsUrl}metrics`)).rejects.toThrow();
    });

    it('answers without pages, on the port of its first role, and warns where that is taken', async () => {
      const app = openTestApp(await open());
      const port = await freePort();
      app.config.server.metrics = { host: '127.0.0.1', port: port - 3 };
      const running = await start(app, { ...startOptions(), roles: ['deliver'] });
      expect([running.url, running.metricsUrl]).toEqual([null, `http://127.0.0.1:${port}/`]);
      for (const path of ['livez', 'readyz']) expect((await fetch(running.metricsUrl + path)).status).toBe(200);
      const metrics = await (await fetch(`${running.metricsUrl}metrics`)).text();
      for (const name of ['daywire_processes{role="deliver"} 1', 'process_resident_memory_bytes', 'nodejs_eventloop']) {
        expect(metrics).toContain(name);
      }
      const warn = vi.spyOn(app.log, 'warn');
      const second = await start(app, { ...startOptions(), roles: ['deliver'] });
      expect(second.metricsUrl).toBeNull();
      expect(warn.mock.calls).toEqual([[expect.objectContaining({ port }), expect.stringMatching(/^metrics are not/)]]);
      await second.stop();
      await running.stop();
    });

    it('serves metrics on both ports to clients with the token, and to no others', async () => {
      const token = 'a-token-of-the-test';
      const app = openTestApp(await open(), { env: { DAYWIRE_METRICS_TOKEN: token } });
      const { url, metricsUrl, stop } = await start(app, { ...startOptions(), roles: ['web'] });
      for (const address of [`${url}metrics`, `${metricsUrl}metrics`]) {
        for (const [credentials, status] of [
          [`Bearer ${token}`, 200],
          [`bearer  ${token}`, 200],
          ['', 404],
          [`Bearer ${token}x`, 404],
          [`Bearer ${token.slice(1)}`, 404],
          [`Basic ${token}`, 404],
        ] as const) {
          const response = await fetch(address, { headers: { Authorization: credentials } });
          expect([address, credentials, response.status]).toEqual([address, credentials, status]);
        }
      }
      await stop();
    });

    it('serves the site without metrics, and says so, if their port is taken or they are off', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      const { port } = taken.address() as AddressInfo;
      for (const metrics of [{ host: '127.0.0.1', port }, null]) {
        const app = openTestApp(await open());
        const warnings: string[] = [];
        app.log.warn = (_, message) => warnings.push(message);
        app.config.server.metrics = metrics;
        const { url, metricsUrl, stop } = await start(app, { ...startOptions(), roles: ['web'] });
        expect([(await fetch(`${url}healthz`)).status, metricsUrl]).toEqual([200, null]);
        expect(warnings).toEqual(
          metrics === null ? [] : [expect.stringMatching(/^metrics are not served: set server/)],
        );
        await stop();
      }
      taken.close();
    });

    it('does nothing when the port is taken', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await new Promise((resolve) => taken.once('listening', resolve));
      const app = openTestApp(await open());
      app.config.server.port = (taken.address() as AddressInfo).port;
      await expect(start(app, startOptions())).rejects.toThrow(/is in use by another process/);
      taken.close();
      expect(await app.store.db.selectFrom('articles').selectAll().execute()).toEqual([]);
    });

    it('serves its pages although the folder of feeds cannot be written, and mirrors feeds when it can', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { feeds } = app.config.paths;
      // A file in place of the folder.
      writeFileSync(feeds, '');
      const { url, stop } = await start(app, { ...startOptions(), roles: ['web', 'schedule'] });
      await app.alerts.send();
      expect(await openAlerts(app.store.db)).toMatchObject([
        {
          key: 'storage:feeds',
          message: `The folder of feeds ${feeds} cannot be written: file already exists (EEXIST).`,
        },
      ]);
      expect((await fetch(`${url}feeds/latest.rss`)).status).toBe(200);
      rmSync(feeds);
      await until(() => existsSync(join(feeds, 'latest.rss')));
      await until(() => app.alerts.storage.failing().length === 0);
      await app.alerts.send();
      expect(await openAlerts(app.store.db)).toEqual([]);
      await stop();
    });

    it('closes the port when the first run fails', async () => {
      const app = openTestApp(await open());
      app.beforePublish = () => Promise.reject(new Error('the disk has burnt'));
      app.config.server.port = await freePort();
      await expect(start(app, startOptions())).rejects.toThrow(/burnt/);
      await expect(fetch(`http://127.0.0.1:${app.config.server.port}/healthz`)).rejects.toThrow();
    });
  });
});

describe('starting once', () => {
  it('reports a broken template of the newsroom before the slot that would need it', async () => {
    const store = await openMigrated();
    const app = openTestApp(store, { feeds: ['latest'] });
    const run = async () => (await runOnce(app, { ...startOptions(), roles: ['web'] })).checks;
    const parse = vi.spyOn(app.templates, 'problems');
    expect(await run()).toEqual([]);
    expect(parse, "daywire's own templates are tested").not.toHaveBeenCalled();
    mkdirSync(join(app.config.paths.templates, 'mail'), { recursive: true });
    writeFileSync(join(app.config.paths.templates, 'mail/confirm.html.liquid'), '{% if %}');
    expect(await run()).toEqual([{ kind: 'problem', message: expect.stringContaining('mail/confirm.html.liquid') }]);
  });
});

/** Serves a feed to one feed reader, and stops. */
async function serveOneReader(app: TestApp): Promise<void> {
  const draft = { path: 'latest.atom', mediaType: 'application/atom+xml', body: '<feed/>' };
  await publishDocuments(app.store, [draft], app.now);
  const running = await start(app, { ...startOptions(), roles: ['web'] });
  const headers = { 'User-Agent': 'Feedly/1.0 (+https://feedly.com/poller.html; 16 subscribers)' };
  const answer = await fetch(`${running.url}feeds/latest.atom`, { headers });
  expect(await answer.text()).toBe(draft.body);
  const { pid } = process;
  expect(await listProcesses(app.store.db, app.now)).toMatchObject([{ pid, roles: ['web'], isRunning: true }]);
  await running.stop();
  expect(await listProcesses(app.store.db, app.now)).toEqual([]);
}

function startOptions(): StartOptions {
  return { roles: ROLES, stop: new AbortController().signal };
}
