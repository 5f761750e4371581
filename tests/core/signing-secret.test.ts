import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SecretConfig, SecretError } from '../../src/core/config/signing-secrets.ts';
import { openSigningSecrets, verifySigningSecrets } from '../../src/core/signing-secret.ts';
import { readMeta, SECRET_FINGERPRINT } from '../../src/core/store/meta.ts';
import { newFolder } from '../support/command.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const [OLD, NEW] = ['o'.repeat(40), 'n'.repeat(40)] as const;

function configWith(signingSecret?: string, previousSecrets?: string): SecretConfig {
  const data = temporaryFolder();
  return {
    paths: { store: '', data, feeds: '', templates: '', locales: 'locales' },
    secrets: { signingSecret, previousSecrets },
  };
}

describe('the signing secret of a store', () => {
  forEachDatabase((open) => {
    it('is recorded at its first use, as a fingerprint that does not contain it', async () => {
      const store = await open();
      expect(await openSigningSecrets(configWith(OLD), store)).toEqual([OLD]);
      expect(await readMeta(store.db, SECRET_FINGERPRINT)).toMatch(/^[0-9a-f]{32}$/);
      expect(await openSigningSecrets(configWith(OLD), store)).toEqual([OLD]);
    });

    it('cannot be replaced by another one, and the error says what is at stake and both ways out', async () => {
      const store = await open();
      await openSigningSecrets(configWith(OLD), store);
      const refusal = await openSigningSecrets(configWith(NEW), store).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(SecretError);
      const { message } = refusal as SecretError;
      expect(message).toMatch(/the signing secret \(DAYWIRE_SECRET\) is not the one that the store was used with/);
      expect(message).toMatch(
        /links to the preferences in mailed messages stop working, and erased people can be imported/,
      );
      expect(message).toMatch(/Put the right secret back, .*DAYWIRE_SECRET_PREVIOUS.*"daywire secret adopt"/);
      expect(message).not.toContain(NEW);
      expect(await openSigningSecrets(configWith(OLD), store)).toEqual([OLD]);
    });

    it('is replaced by a rotation, after which the former one is refused', async () => {
      const store = await open();
      await openSigningSecrets(configWith(OLD), store);
      await verifySigningSecrets(configWith(NEW, OLD), store.db, store.dialect);
      expect(await openSigningSecrets(configWith(OLD), store), 'verifying records nothing').toEqual([OLD]);
      expect(await openSigningSecrets(configWith(NEW, `${'x'.repeat(40)} ${OLD}`), store)).toHaveLength(3);
      expect(await openSigningSecrets(configWith(NEW), store)).toEqual([NEW]);
      await expect(openSigningSecrets(configWith(OLD), store)).rejects.toThrow(SecretError);
    });

    it('is the one that was recorded first, where processes start at the same time with different ones', async () => {
      const store = await open();
      const results = await Promise.allSettled(
        [OLD, NEW].map((secret) => openSigningSecrets(configWith(secret), store)),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });
  });

  it('is not generated again for a store that has a fingerprint', async () => {
    const lost = configWith();
    const file = join(lost.paths.data, 'secret');
    const used = await openMigrated();
    await openSigningSecrets(lost, used);
    rmSync(file);
    await expect(openSigningSecrets(lost, used)).rejects.toThrow(/there is no signing secret \(.*secret is missing\)/);

    expect(existsSync(file)).toBe(false);
  });
});

describe('a newsroom whose var/secret was lost', () => {
  it('starts, delivers and restores only after "daywire secret adopt"', async () => {
    const folder = newFolder('sample');
    expect((await folder.run(['subscribers', 'add', 'ada@example.com'])).code).toBe(0);
    const secret = join(folder.path, 'var/secret');
    expect((await folder.run(['backup', 'backup.db'])).code).toBe(0);
    rmSync(secret);
    for (const args of [['start', '--once'], ['deliver'], ['subscribers', 'add', 'bob@example.com']]) {
      const refused = await folder.run(args);
      expect(refused, args.join(' ')).toMatchObject({ code: 78, stdout: '' });
      expect(refused.stderr).toMatch(/there is no signing secret .*"daywire secret adopt"/);
    }
    expect(existsSync(secret)).toBe(false);
    expect((await folder.run(['status'])).code).toBe(0);

    const store = join(folder.path, 'var/daywire.db');
    const before = readFileSync(store);
    for (const suffix of ['', '-wal', '-shm']) rmSync(store + suffix, { force: true });
    expect((await folder.run(['restore', 'backup.db'])).stderr).toMatch(/there is no signing secret/);
    expect((await folder.run(['restore', 'backup.db', '--adopt-secret'])).code).toBe(0);
    expect(readFileSync(secret, 'utf8')).toHaveLength(44);
    expect((await folder.run(['queue', 'release'])).code).toBe(0);
    expect((await folder.run(['deliver'])).code).toBe(0);

    for (const suffix of ['-wal', '-shm']) rmSync(store + suffix, { force: true });
    writeFileSync(store, before);
    expect((await folder.run(['deliver'])).stderr).toMatch(/secret\) is not the one that the store was used with/);
    expect((await folder.run(['check'])).stdout).toMatch(/PROBLEM +signing secret: .*is not the one/);
    expect((await folder.run(['secret', 'adopt'])).stderr).toMatch(/no terminal to ask on: add --yes/);
    expect((await folder.run(['secret', 'adopt'], {}, 'no\n', true)).stderr).toMatch(/"yes".*nothing was changed/s);
    expect((await folder.run(['deliver'])).code).toBe(78);
    expect((await folder.run(['secret', 'adopt'], {}, 'yes\n', true)).stdout).toMatch(/from now on/);
    expect((await folder.run(['secret', 'adopt', '--yes'])).stdout).toMatch(/already/);
    expect((await folder.run(['deliver'])).code).toBe(0);
  });
});
