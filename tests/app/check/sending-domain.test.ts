import { describe, expect, it } from 'vitest';
import { checkSendingDomain } from '../../../src/app/check/sending-domain.ts';
import type { Config } from '../../../src/core/config/config.ts';
import { NOW } from '../../support/clock.ts';
import type { Zone } from '../../support/name-server.ts';
import { NO_NETWORK } from '../../support/no-network.ts';
import { sampleConfig } from '../../support/sample.ts';
import { zoneResolver } from '../../support/zone-resolver.ts';

/** Both newsletters of the sample are from example.com. */
const ZONE: Zone = {
  'example.com': { MX: ['10 mx.example.com'], TXT: ['v=spf1 ip4:198.51.100.1 -all'] },
  'mx.example.com': { A: ['192.0.2.25'] },
  '_dmarc.example.com': 'SERVFAIL',
  '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
};

function sendingConfig(dkim = ''): Config {
  return sampleConfig((yaml) =>
    yaml.replace('transport: file', `transport: smtp\n  smtpUrl: smtp://127.0.0.1:1\n  addresses: [192.0.2.10]${dkim}`),
  );
}

const open = (): typeof NO_NETWORK => ({ ...NO_NETWORK, dns: zoneResolver(ZONE) });

describe('the check of the sending domain', () => {
  it('warns of each record that is wrong, and names in few lines what is right and what is not known', async () => {
    expect(await checkSendingDomain(sendingConfig(), open, NOW)).toEqual([
      {
        kind: 'warning',
        message: expect.stringMatching(/^sending domain: spf-senders: .* not authorise 192\.0\.2\.10/),
      },
      { kind: 'warning', message: expect.stringMatching(/^sending domain: ptr: 192\.0\.2\.10 is named mail\.example/) },
      { kind: 'ok', message: 'sending domain: right: sender, spf, spf-lookups, spf-all, mx' },
      { kind: 'ok', message: 'sending domain: not known: dkim, dmarc, alignment, mx-tls; "daywire domain" says why' },
      { kind: 'ok', message: 'sending domain: "daywire domain" prints the records that are missing' },
    ]);
  });

  it('looks nothing up while messages are written to files, or a key for DKIM cannot be read', async () => {
    const neverOpened = (): never => {
      throw new Error('looked up');
    };
    expect(await checkSendingDomain(sampleConfig(), neverOpened, NOW)).toEqual([]);
    const keys = '\n  dkim: [{ domain: example.com, selector: a, keyFile: no-such.pem }]';
    expect(await checkSendingDomain(sendingConfig(keys), neverOpened, NOW)).toEqual([]);
  });
});
