import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SendingDomain } from '../../../src/delivery/cli/domain.ts';
import { dkimRecord } from '../../../src/delivery/sending-domain/dkim.ts';
import { openNodeResolver } from '../../../src/delivery/sending-domain/dns-resolver.ts';
import { editConfig, type Folder, newFolder } from '../../support/command.ts';
import { expectGolden } from '../../support/golden.ts';
import { startNameServer, type Zone } from '../../support/name-server.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** Both newsletters of the sample are from example.com. */
const RIGHT: Zone = {
  'example.com': { MX: ['10 mx.example.com'], TXT: ['v=spf1 ip4:192.0.2.10 -all'] },
  'mx.example.com': { A: ['192.0.2.25'] },
  'news._domainkey.example.com': { TXT: [dkimRecord(privateKey)] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=none; rua=mailto:newsroom@example.com'] },
  '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
  'mail.example.com': { A: ['192.0.2.10'] },
};

const WRONG: Zone = {
  ...RIGHT,
  'example.com': { MX: ['10 mx.example.com'], TXT: ['v=spf1 include:_spf.example.net -all'] },
  '_spf.example.net': { TXT: ['v=spf1 ip4:198.51.100.0/24 -all'] },
  '_dmarc.example.com': 'SERVFAIL',
  'mail.example.com': {},
};

function sendingFolder(zone: Zone): Folder {
  const folder = newFolder('sample');
  writeFileSync(join(folder.path, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  editConfig(
    folder,
    'transport: file',
    'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1\n  addresses: [192.0.2.10]\n' +
      '  dkim: [{ domain: example.com, selector: news, keyFile: dkim.pem }]',
  );
  editConfig(folder, 'http://127.0.0.1:8080', 'https://news.example.com');
  folder.openResolver = () => zoneResolver(zone);
  return folder;
}

describe.concurrent('daywire domain', () => {
  it('prints what is to repair first, and exits with 1', async () => {
    const { code, stdout } = await sendingFolder(WRONG).run(['domain']);
    expect(code).toBe(1);
    expectGolden('domain.txt', stdout);
  });

  it('exits with 0 if nothing is to repair', async () => {
    const { code, stdout } = await sendingFolder(RIGHT).run(['domain', '--json']);
    expect(code).toBe(0);
    const { senders, judgements, rules } = JSON.parse(stdout) as SendingDomain;
    expect(senders).toEqual(['example.com']);
    expect(judgements.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(rules.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
  });

  it('prints no control character of a record', async () => {
    const key = 'v=DKIM1; p=; n=\u009b2J\u001b[2J\u007f';
    const zone = { ...RIGHT, 'news._domainkey.example.com': { TXT: [key] } };
    const { stdout } = await sendingFolder(zone).run(['domain']);
    expect(stdout).toMatch(/no receiver can verify signatures by news\._domainkey\.example\.com: it is not the key/);
    expect(stdout).toMatch(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f]+$/);
  });

  it('asks the name server that it is given, and refuses what is none', async () => {
    const server = await startNameServer(RIGHT);
    const folder = sendingFolder({});
    folder.openResolver = (address) => openNodeResolver(address);
    const { code } = await folder.run(['domain', '--server', server.address]);
    await server.close();
    expect(code).toBe(0);
    const refused = await folder.run(['domain', '--server', 'dns.example.com']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/--server dns\.example\.com: it must be an IP address, such as 192\.0\.2\.53/);
  });
});
