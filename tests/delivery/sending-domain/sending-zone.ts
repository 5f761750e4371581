/**
 * A newsroom that sends from its own server, and a zone in which every record is right.
 */
import { generateKeyPairSync } from 'node:crypto';
import type { Signer } from '../../../src/core/keys.ts';
import { dkimRecord } from '../../../src/delivery/sending-domain/dkim.ts';
import type { SendingSetup } from '../../../src/delivery/sending-domain/judge-setup.ts';
import type { Zone } from '../../support/name-server.ts';

export const { privateKey: rsaKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const { privateKey: edKey } = generateKeyPairSync('ed25519');

const SIGNERS: Signer[] = [
  { domain: 'example.com', selector: 'rsa', key: rsaKey, algorithm: 'rsa-sha256' },
  { domain: 'example.com', selector: 'ed', key: edKey, algorithm: 'ed25519-sha256' },
];

export const OWN_SERVER: SendingSetup = {
  senders: ['news.example.com'],
  bounceDomain: 'bounces.example.com',
  returnPathDomain: null,
  provider: null,
  addresses: ['192.0.2.10', '2001:db8::10'],
  signers: SIGNERS,
  publicUrl: 'https://news.example.com',
};

export const RIGHT_ZONE: Zone = {
  'news.example.com': { A: ['192.0.2.80'] },
  'bounces.example.com': {
    MX: ['10 mx.example.com'],
    TXT: ['v=spf1 include:_spf.example.com ip6:2001:db8::/64 -all', 'something-else=1'],
  },
  '_spf.example.com': { TXT: ['v=spf1 a:mail.example.com ~all'] },
  'mx.example.com': { A: ['127.0.0.1'] },
  'mail.example.com': { A: ['192.0.2.10'], AAAA: ['2001:db8::10'] },
  'rsa._domainkey.example.com': { TXT: [splitText(dkimRecord(rsaKey))] },
  'ed._domainkey.example.com': { CNAME: ['ed.keys.example.net'] },
  'ed.keys.example.net': { TXT: [dkimRecord(edKey)] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject; sp=quarantine; rua=mailto:dmarc@example.com'] },
  '10.2.0.192.in-addr.arpa': { PTR: ['mail.example.com'] },
  '0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa': { PTR: ['mail.example.com'] },
};

/** A string of a TXT record has at most 255 octets. */
export function splitText(text: string): string[] {
  return text.match(/.{1,255}/g) ?? [];
}
