import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../scripts/smtp-servers.ts';
import { queueEdition } from '../../scripts/test-edition.ts';
import { start } from '../../src/app/start.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { openSmtpTransport } from '../../src/delivery/transport/smtp-transport.ts';
import { MINUTE, rfc3339 } from '../../src/lib/time.ts';
import { closeEdition } from '../app/steps.ts';
import { openAlerts } from '../support/alerts.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openSampleApp, openTestApp } from '../support/test-app.ts';
import { queueConfirmation, serviceMessagesOf } from './fixture.ts';

describe('delivering', () => {
  forEachDatabase((open, dialect) => {
    it.each([
      [
        'RCPT TO:',
        /^Delivery of \S+ is paused: .* 554 5\.7\.1 <address>: denied\. To resume it when the cause is removed, use "/,
      ],
      ['MAIL FROM:', /^Delivery has waited since .* 554 5\.7\.1 <address>: denied\. Everything is/],
    ])('raises an alert without the address or token that a server quotes after %s', async (command, alert) => {
      const quoted: string[] = [];
      const server = await startScripted((line) => {
        const path = line.startsWith(command) ? /<(.*)>/.exec(line)?.[1] : undefined;
        if (path === undefined) return undefined;
        quoted.push(path);
        return `554 5.7.1 <${path}>: denied`;
      });
      const app = await openSampleApp(await open(), {
        edit: (yaml) => usingServer(server.url)(yaml).replace('# address: bounces@', 'address: bounces@'),
      });
      await closeEdition(app);
      const report = await deliverDue(app);
      const alerts = await openAlerts(app.store.db);
      expect(alerts).toMatchObject([{ message: expect.stringMatching(alert) }]);
      expect(quoted.length).toBeGreaterThan(0);
      const output = JSON.stringify([report, alerts]);
      // The part before the @ contains the token.
      for (const path of quoted) expect(output).not.toContain(path.split('@', 1)[0]);
      await closeServers();
    });

    it('reads its keys once, so that a process that can open no more files still delivers', async () => {
      const env = dialect === 'sqlite' ? { DAYWIRE_SECRET: '' } : {};
      const app = await openSampleApp(await open(), { feeds: ['latest'], env });
      const keyFile = join(app.folder, 'key.pem');
      const { privateKey } = generateKeyPairSync('ed25519');
      writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      app.config.delivery.dkim.push({ domain: 'example.com', selector: 'one', keyFile });
      await start(app, { roles: ['deliver'], stop: new AbortController().signal }).then((running) => running.stop());
      rmSync(keyFile);
      rmSync(join(app.config.paths.data, 'secret'), { force: true });
      await closeEdition(app);
      expect(await deliverDue(app)).toMatchObject({ submitted: 7 });
      // No other secret was created in its place.
      expect(existsSync(join(app.config.paths.data, 'secret'))).toBe(false);
    });

    it('raises an alert after five minutes without an answer, and resolves it', async () => {
      const busy = await startScripted((command) => (command === 'CONNECT' ? '421 4.3.2 busy' : undefined));
      const app = await openSampleApp(await open(), { feeds: ['latest'], edit: usingServer(busy.url) });
      await closeEdition(app);
      const began = app.now;
      const alertsAt = async (minutes: number) => {
        app.now = began + minutes * MINUTE;
        expect(await deliverDue(app)).toMatchObject({ submitted: 0, stopped: expect.any(String) });
        return (await openAlerts(app.store.db)).map(({ key, count }) => ({ key, count }));
      };
      // Probes after 30 s, 1 and 2 minutes; the next follows after 8.5 minutes.
      for (const minutes of [0, 0.5, 1.5, 3.5, 4.9]) expect(await alertsAt(minutes)).toEqual([]);
      for (const minutes of [8.5, 9]) expect(await alertsAt(minutes)).toEqual([{ key: 'delivery', count: 1 }]);
      const [alert] = await openAlerts(app.store.db);
      expect(alert?.message).toBe(
        `Delivery has waited since ${rfc3339(began)}: 127.0.0.1:${busy.port} answered: 421 4.3.2 busy. ` +
          'Everything is still pending, and is tried again by itself.',
      );
      app.config.delivery.transport = 'file';
      app.now = began + 18.5 * MINUTE;
      // With the first success: the rest of the run may take hours.
      const alerts: ReturnType<typeof openAlerts>[] = [];
      const onProgress = (): void => void alerts.push(openAlerts(app.store.db));
      expect(await deliverDue(app, { onProgress })).toMatchObject({ submitted: 7, stopped: null });
      const seen = await Promise.all(alerts);
      expect(seen).toHaveLength(7);
      expect(seen.at(-1)).toEqual([]);
      await busy.close();
    });

    it('holds service messages whose template is broken, with one alert, until it is corrected', async () => {
      const app = openTestApp(await open());
      for (const n of [1, 2, 3]) await queueConfirmation(app.store, `subscriber${n}@example.com`);
      await queueConfirmation(app.store, 'other@example.com', { kind: 'already' });
      const mail = join(app.config.paths.templates, 'mail');
      mkdirSync(mail, { recursive: true });
      const template = join(mail, 'confirm.txt.liquid');
      const serviceCounts = async () => (await deliverDue(app)).service;
      const none = { submitted: 0, deferred: 0, failed: 0, suppressed: 0 };
      writeFileSync(template, 'Subject: Confirm\n\n{{ nonsense }}');
      expect(await serviceCounts()).toEqual({ ...none, submitted: 1 });
      app.now += 5 * MINUTE;
      expect(await serviceCounts()).toEqual(none);
      const message =
        'Service messages from the templates mail/confirm wait: the message could not be built: undefined variable: ' +
        'nonsense, line:3, col:4. They are tried again every five minutes.';
      const alert = { key: 'service-messages:confirm', message, count: 1 };
      expect(await openAlerts(app.store.db)).toMatchObject([alert]);
      const confirmations = (await serviceMessagesOf(app.store)).filter(({ kind }) => kind === 'confirm');
      expect(confirmations).toMatchObject(Array(3).fill({ state: 'pending', attempts: 0 }));
      writeFileSync(template, 'Subject: Confirm\n\n{{ link }}');
      expect(await serviceCounts()).toEqual(none);
      app.now += 5 * MINUTE;
      expect(await serviceCounts()).toEqual({ ...none, submitted: 3 });
      expect(await openAlerts(app.store.db)).toEqual([]);
    });

    it('says that the server defers many messages, until it accepts them', async () => {
      let isDeferring = true;
      const server = await startScripted((command) =>
        isDeferring && /^RCPT .*@slow/.test(command) ? '451 4.7.1 <a@slow.example> busy' : undefined,
      );
      const app = openTestApp(await open(), { edit: usingServer(server.url) });
      const slow = Array.from({ length: 5 }, (_, n) => `subscriber${n}@slow.example`);
      await queueEdition(app.store, [...slow, 'ada@example.com', 'bo@example.org']);
      expect(await deliverDue(app)).toMatchObject({ submitted: 2, deferred: 5, paused: [], stopped: null });
      for (const minutes of [5, 10]) {
        expect(await openAlerts(app.store.db)).toEqual([]);
        app.now += minutes * MINUTE;
        await deliverDue(app);
      }
      const message = expect.stringMatching(
        /^The mail server has put off 5 of 7 deliveries of .* 451 4\.7\.1 <address> busy/,
      );
      expect(await openAlerts(app.store.db)).toMatchObject([{ key: 'deferred:1', message }]);
      isDeferring = false;
      app.now += 20 * MINUTE;
      expect(await deliverDue(app)).toMatchObject({ submitted: 5 });
      expect(await openAlerts(app.store.db)).toEqual([]);
      await closeServers();
    });

    it('alerts if the server goes away after it has accepted some messages', async () => {
      const server = await startScripted((command, socket, count) => {
        if (command === 'CONNECT' && count > 1) return '535 5.7.8 wrong password';
        if (command.startsWith('RCPT') && count === 2) socket.destroy();
        return undefined;
      });
      const app = openTestApp(await open(), { edit: usingServer(server.url) });
      await queueEdition(app.store, 3);
      const transport = openSmtpTransport(server.url, 1);
      expect(await deliverDue(app, { transport })).toMatchObject({ submitted: 1, stopped: expect.any(String) });
      const message = expect.stringMatching(/^Delivery has waited since .*wrong password/);
      expect(await openAlerts(app.store.db)).toMatchObject([{ key: 'delivery', message }]);
      await closeServers();
    });

    it('alerts at the first refused connection, until one is accepted', async () => {
      const app = openTestApp(await open(), { edit: usingServer('smtp://127.0.0.1:1') });
      await queueEdition(app.store, 1);
      expect(await deliverDue(app)).toMatchObject({ stopped: '127.0.0.1:1 refuses connections' });
      const message = expect.stringMatching(/^Delivery has waited since .*127\.0\.0\.1:1 refuses connections/);
      expect(await openAlerts(app.store.db)).toMatchObject([{ key: 'delivery', message }]);
      app.now += MINUTE;
      const transport = openSmtpTransport((await startScripted(() => undefined)).url, 1);
      expect(await deliverDue(app, { transport })).toMatchObject({ submitted: 1 });
      expect(await openAlerts(app.store.db)).toEqual([]);
      await closeServers();
    });
  });
});

function usingServer(url: string): (yaml: string) => string {
  return (yaml) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${url}`);
}
