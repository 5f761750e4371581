import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ed25519Signer, rsaSigner, verify } from '../../../scripts/dkim-verifier.ts';
import { NOW } from '../../../scripts/test-edition.ts';
import { ConfigError } from '../../../src/core/config/config.ts';
import type { Signer } from '../../../src/core/keys.ts';
import { assembleMessage, prepareBody } from '../../../src/delivery/message/body.ts';
import { loadSigners, signersOf } from '../../../src/delivery/message/dkim.ts';
import { headerField, headerText } from '../../../src/delivery/message/header-field.ts';
import { runs } from '../../support/run-scope.ts';
import { testConfig } from '../fixture.ts';

const ENVELOPE = { newsletter: 'daily', slot: '2026-11-24', from: 'roundup@example.com', to: 'ada@example.com' };
const ed25519 = ed25519Signer();

function signed(signers: Signer[], subject = 'Hello', text = 'Hello.\n') {
  const part = { texts: [text], placeholders: [] };
  const body = prepareBody('0', { text: part, html: part });
  const fields = [
    headerField('From', '<roundup@example.com>'),
    headerField('To', 'ada@example.com'),
    headerField('Subject', headerText(subject)),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', body.contentType),
  ];
  return assembleMessage(ENVELOPE, fields, body.copy({}), { signers, signedAt: NOW, unsigned: new Set() });
}

describe('a DKIM signature', () => {
  it('is valid for another implementation, whatever subject and text contain', async () => {
    const words = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(words, words, async (subject, text) => {
        const signatures = await verify(await signed([ed25519], subject, text));
        expect(signatures).toMatchObject([{ algorithm: 'ed25519-sha256', domain: 'example.com', result: 'pass' }]);
      }),
      { numRuns: runs(60) },
    );
  });

  it('becomes invalid by any change of the body, and by another field of an oversigned name', async () => {
    const raw = Buffer.concat((await signed([rsaSigner(), ed25519])).chunks).toString('latin1');
    const results = async (message: string): Promise<string[]> =>
      (await verify(Buffer.from(message, 'latin1'))).map(({ result }) => result);
    expect(await results(raw)).toEqual(['pass', 'pass']);
    expect(await results(raw.replace('Hello.\r\n', 'Hello!\r\n'))).not.toContain('pass');
    expect(await results(`${raw}\r\nmore\r\n`)).not.toContain('pass');
    for (const added of [
      'From: eve@example.com',
      'To: eve@example.com',
      'Subject: Other',
      'Reply-To: eve@example.com',
      'Cc: e@example.com',
      'Content-Type: text/html',
      'List-Unsubscribe: <https://eve.example/>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    ]) {
      expect(await results(`${added}\r\n${raw}`)).not.toContain('pass');
      expect(await results(raw.replace('\r\n\r\n', `\r\n${added}\r\n\r\n`))).not.toContain('pass');
    }
  });

  it('stays valid when servers fold the header differently and add fields', async () => {
    const message = await signed([rsaSigner(), ed25519], 'A subject of several words');
    const raw = Buffer.concat(message.chunks).toString('latin1');
    const folded = raw.replace('A subject of several', 'A  subject\r\n\tof   several');
    const changed = `Received: by mx.example.net\r\n${folded}`;
    expect((await verify(Buffer.from(changed, 'latin1'))).map(({ result }) => result)).toEqual(['pass', 'pass']);
  });

  it('is at the beginning of the message, in lines of at most 78 characters', async () => {
    const raw = Buffer.concat((await signed([rsaSigner(), ed25519])).chunks).toString('latin1');
    const [head = ''] = raw.split('\r\n\r\n', 1);
    for (const line of head.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78);
    expect(head.match(/^[A-Za-z-]+(?=:)/gm)?.slice(0, 3)).toEqual(['DKIM-Signature', 'DKIM-Signature', 'From']);
  });
});

describe('signersOf', () => {
  const of = (domain: string): string[] => {
    const signers = ['example.com', 'news.example.com', 'example.org', 'com'].map((name) => ({
      ...ed25519,
      domain: name,
    }));
    return signersOf(signers, domain).map((signer) => signer.domain);
  };

  it('returns the signers of the domain and its parent domains', () => {
    expect(of('example.com')).toEqual(['example.com', 'com']);
    expect(of('news.example.com')).toEqual(['example.com', 'news.example.com', 'com']);
    expect(of('badexample.com')).toEqual(['com']);
    expect(of('example.com.evil.example')).toEqual([]);
  });
});

describe('loadSigners', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'daywire-dkim-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const fileOf = (name: string, content: string, mode = 0o600): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };
  const load = (...files: string[]): Signer[] => {
    const dkim = files.map((keyFile, n) => ({ domain: 'example.com', selector: `key${n}`, keyFile }));
    return loadSigners(testConfig({ delivery: { dkim } }));
  };
  const errorFor = (file: string): string => {
    try {
      load(file);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      return (error as Error).message;
    }
    return 'none';
  };

  it('reads keys of both kinds, RSA in either form of PEM', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey;
    const signers = load(
      fileOf('rsa.pem', pem(rsa)),
      fileOf('rsa1.pem', rsa.export({ type: 'pkcs1', format: 'pem' }) as string),
      fileOf('ed.pem', pem(ed25519.key)),
    );
    expect(signers.map(({ algorithm, selector }) => [algorithm, selector])).toEqual([
      ['rsa-sha256', 'key0'],
      ['rsa-sha256', 'key1'],
      ['ed25519-sha256', 'key2'],
    ]);
    expect(await verify(await signed([{ ...(signers[2] as Signer), selector: 'ed' }]))).toMatchObject([
      { result: 'pass' },
    ]);
    expect(load()).toEqual([]);
  });

  it('names the file and the reason if a key is not suitable', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey;
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const locked = ed25519.key.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    }) as string;
    const open = fileOf('open.pem', pem(ed25519.key), 0o644);
    expect(errorFor(open)).toBe(
      `${open} is readable by other users (mode 644): run "chmod 600 ${open}". ` +
        'If one of them may have read it, create a new key with a new selector',
    );
    expect(errorFor(join(folder, 'none.pem'))).toMatch(/none\.pem cannot be read \(ENOENT\)/);
    expect(errorFor(folder)).toMatch(/daywire-dkim-\w+ (is readable by other users|cannot be read \(EISDIR\))/);
    expect(errorFor(fileOf('short.pem', pem(short)))).toMatch(
      /short\.pem contains an RSA key of 1024 bits: .*at least 2048/,
    );
    expect(errorFor(fileOf('curve.pem', pem(curve.privateKey)))).toMatch(
      /curve\.pem contains a key of type ec: .*RSA or Ed25519/,
    );
    expect(errorFor(fileOf('locked.pem', locked))).toMatch(/locked\.pem is protected by a passphrase/);
    for (const [name, content] of [
      ['public.pem', curve.publicKey.export({ type: 'spki', format: 'pem' }) as string],
      ['empty.pem', ''],
      ['text.pem', 'no key'],
    ] as const) {
      expect(errorFor(fileOf(name, content))).toMatch(new RegExp(`${name} does not contain a private key in PEM`));
    }
  });
});
