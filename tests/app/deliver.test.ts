import { generateKeyPairSync } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deliverDue } from '../../src/app/deliver.ts';
import { start } from '../../src/app/start.ts';
import { HOUR } from '../../src/lib/time.ts';
import { listOpenAlerts } from '../../src/schedule/alerts.ts';
import { closeServers, startScripted } from '../delivery/servers.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openSampleApp } from '../support/test-app.ts';
import { closeEdition } from './steps.ts';

describe('delivering', () => {
  forEachDatabase((open, dialect) => {
    it('pauses an edition that a policy rejects for every recipient, with one alert, failing no delivery', async () => {
      const server = await startScripted((command) =>
        command.startsWith('RCPT') ? '550 5.7.1 not from you' : undefined,
      );
      const app = await openSampleApp(await open(), { feeds: ['latest'], edit: usingServer(server.url) });
      await closeEdition(app);
      expect(await deliverDue(app)).toMatchObject({ submitted: 0, failed: 0, paused: [{ editionId: 1 }] });
      const message = expect.stringMatching(/is paused: .*550 5\.7\.1 not from you.*"daywire editions resume/);
      expect(await listOpenAlerts(app.store.db)).toMatchObject([{ key: 'edition:1', message, count: 1 }]);
      await closeServers();
    });

    it.each([
      ['RCPT TO:', /^Delivery of \S+ is paused: .* 554 5\.7\.1 <address>: denied\. Resume it with/],
      ['MAIL FROM:', /^Delivery stopped: .* 554 5\.7\.1 <address>: denied\. All other/],
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
      const alerts = await listOpenAlerts(app.store.db);
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

    it('raises an alert when the server cannot be reached, and resolves it after the next success', async () => {
      const app = await openSampleApp(await open(), { feeds: ['latest'], edit: usingServer('smtp://127.0.0.1:1') });
      await closeEdition(app);
      expect((await deliverDue(app)).stopped).not.toBe(null);
      expect((await listOpenAlerts(app.store.db)).map(({ key }) => key)).toEqual(['delivery']);
      app.config.delivery.transport = 'file';
      app.now += HOUR;
      expect(await deliverDue(app)).toMatchObject({ submitted: 7, stopped: null });
      expect(await listOpenAlerts(app.store.db)).toEqual([]);
    });
  });
});

function usingServer(url: string): (yaml: string) => string {
  return (yaml) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${url}`);
}
