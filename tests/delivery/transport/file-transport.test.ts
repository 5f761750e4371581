import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../../../src/delivery/transport/connection.ts';
import { openTransport } from '../../../src/delivery/transport/open-transport.ts';
import { classifyFailure } from '../../../src/delivery/transport/retry.ts';
import { anyText } from '../../support/any-text.ts';
import { runs } from '../../support/run-scope.ts';
import { testConfig } from '../fixture.ts';
import { outgoing } from './outgoing.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'daywire-mail-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function message(to: string, ...parts: (string | Buffer)[]): OutgoingMessage {
  return outgoing(to, parts.length === 0 ? ['Subject: Hello\r\n\r\n', 'Hello.\r\n'] : parts);
}

async function submit(outgoing: OutgoingMessage): Promise<string> {
  return (await openTransport(testConfig({ cwd: folder })).connect()).submit(outgoing);
}

describe('the file transport', () => {
  it('writes a file for each message, named after its edition and address', async () => {
    expect(await submit(message('ada+news@example.com'))).toBe(
      'written to mail/daily/2026-11-24/ada+news@example.com.eml',
    );
    const path = join(folder, 'var/mail/daily/2026-11-24/ada+news@example.com.eml');
    expect(readFileSync(path, 'utf8')).toBe('Subject: Hello\r\n\r\nHello.\r\n');
  });

  it('overwrites the file of an earlier attempt and leaves no temporary file', async () => {
    await submit(message('ada@example.com', 'first'));
    await submit(message('ada@example.com', 'second'));
    const mail = join(folder, 'var/mail/daily/2026-11-24');
    expect(readdirSync(mail)).toEqual(['ada@example.com.eml']);
    expect(readFileSync(join(mail, 'ada@example.com.eml'), 'utf8')).toBe('second');
  });

  it('writes every address into its folder, with a name that is valid on every system', async () => {
    const addresses = fc.oneof(
      anyText(300).filter((text) => text.isWellFormed()),
      fc.constantFrom('../../evil', '..', '.', '/etc/passwd', 'a\u0000b', 'c:\\x', 'nul', '.hidden', 'a'.repeat(254)),
    );
    await fc.assert(
      fc.asyncProperty(addresses, async (to) => {
        const reply = await submit(message(to));
        const path = resolve(folder, 'var', reply.replace('written to ', ''));
        expect(path.slice(0, path.lastIndexOf('/'))).toBe(join(folder, 'var/mail/daily/2026-11-24'));
        expect(path.slice(path.lastIndexOf('/') + 1)).toMatch(/^[a-z0-9@_+=-][a-z0-9@._+=-]{0,210}$|^\.eml$/);
        expect(existsSync(path)).toBe(true);
      }),
      { numRuns: runs(60) },
    );
  });

  it('uses different files for different addresses', async () => {
    const long = `${'a'.repeat(64)}@${'b.'.repeat(80)}`;
    const addresses = ["o'neil@example.com", 'o"neil@example.com', `${long}com`, `${long}net`];
    expect(new Set(await Promise.all(addresses.map((to) => submit(message(to))))).size).toBe(4);
  });

  it('reports the path that cannot be written as a systemic failure', async () => {
    writeFileSync(join(folder, 'var'), 'a file, not a folder');
    const failure = await submit(message('ada@example.com')).then(
      () => null,
      (error) => error.failure,
    );
    expect(failure.message).toMatch(
      /var\/mail\/daily\/2026-11-24\/ada@example\.com\.eml cannot be written \((ENOTDIR|EEXIST)\)/,
    );
    expect(classifyFailure(failure)).toBe('systemic');
    await expect(openTransport(testConfig({ cwd: folder })).verify()).rejects.toThrow(/cannot be written/);
  });
});
