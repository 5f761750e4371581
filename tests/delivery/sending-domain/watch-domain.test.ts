import { expect, it } from 'vitest';
import { openNodeResolver } from '../../../src/delivery/sending-domain/dns-resolver.ts';
import { watchSendingDomain } from '../../../src/delivery/sending-domain/watch-domain.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { openAlerts } from '../../support/alerts.ts';
import { openMigrated } from '../../support/databases.ts';
import { startNameServer, type Zone } from '../../support/name-server.ts';
import { openTestApp } from '../../support/test-app.ts';

it('tells every six hours what of the sending domain was right and is wrong now, until it is right again', async () => {
  const app = openTestApp(await openMigrated(), {
    edit: (yaml) => yaml.replace('transport: file', 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1'),
  });
  const domain = app.config.newsletters[0]?.from.email.split('@')[1] ?? '';
  const right = { TXT: ['v=spf1 -all'], MX: ['10 mx.example.com'] };
  const zone: Zone = { [domain]: right, 'mx.example.com': { A: ['192.0.2.1'] } };
  const server = await startNameServer(zone);
  const watch = async (): Promise<string[]> => {
    await watchSendingDomain(app, () => openNodeResolver(server.address));
    return (await openAlerts(app.store.db)).map(({ key }) => key);
  };
  try {
    // What was never right is no news.
    expect(await watch()).toEqual([]);
    zone[domain] = { MX: right.MX };
    app.now += HOUR;
    expect(await watch()).toEqual([]);
    app.now += 5 * HOUR;
    expect(await watch()).toEqual([`sending-domain:spf:${domain}`]);
    // A name server that fails shows nothing new.
    zone[domain] = 'SERVFAIL';
    app.now += 6 * HOUR;
    expect(await watch()).toEqual([`sending-domain:spf:${domain}`]);
    zone[domain] = right;
    app.now += 6 * HOUR;
    expect(await watch()).toEqual([]);
  } finally {
    await server.close();
  }
});
