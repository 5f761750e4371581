import { execFile } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { readOrCreateSigningSecrets } from '../../../src/core/config/signing-secrets.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function load(dialect: 'sqlite' | 'postgres' = 'sqlite', signingSecret?: string): string {
  const paths = { store: '', data: join(folder, 'var'), feeds: '', templates: '', locales: 'locales' };
  return readOrCreateSigningSecrets({ paths, secrets: { signingSecret } }, dialect)[0];
}

describe('the signing secret', () => {
  it('comes from the environment without creating a file', () => {
    const given = 'x'.repeat(40);
    expect(load('sqlite', given)).toBe(given);
    expect(load('postgres', given)).toBe(given);
    expect(existsSync(join(folder, 'var'))).toBe(false);
  });

  it('is generated on the first start, readable by its owner only, and reused', () => {
    const secret = load();
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(statSync(join(folder, 'var/secret')).mode & 0o777).toBe(0o600);
    expect(load()).toBe(secret);
    expect(readdirSync(join(folder, 'var'))).toEqual(['secret']);
  });

  it('is required with PostgreSQL, and the error names the variables', () => {
    expect(() => load('postgres')).toThrow(/DAYWIRE_SECRET to at least 32 random characters, or DAYWIRE_SECRET_FILE/);
    expect(existsSync(join(folder, 'var'))).toBe(false);
  });

  it('is rejected if other users can read its file', () => {
    load();
    const path = join(folder, 'var/secret');
    chmodSync(path, 0o640);
    expect(() => load()).toThrow(`${path} is readable by other users (mode 640): run "chmod 600 ${path}"`);
    chmodSync(path, 0o600);
    expect(load()).toHaveLength(43);
  });

  it('is rejected if its file is truncated, and not replaced', () => {
    load();
    const path = join(folder, 'var/secret');
    writeFileSync(path, 'short');
    expect(() => load()).toThrow(/is damaged: it has 5 characters/);
    expect(readFileSync(path, 'utf8')).toBe('short');
  });

  it('cannot be generated in a folder that is not writable', () => {
    writeFileSync(join(folder, 'var'), 'a file, not a folder');
    expect(() => load()).toThrow(/ENOTDIR|EEXIST/);
  });

  it('is the same for processes that start at the same time', async () => {
    const script = `
      import { readOrCreateSigningSecrets } from ${JSON.stringify(resolve('src/core/config/signing-secrets.ts'))};
      process.stdout.write(readOrCreateSigningSecrets({ paths: { data: process.argv[1] }, secrets: {} }, 'sqlite')[0]);`;
    const start = () =>
      promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, join(folder, 'var')]);
    const secrets = await Promise.all(Array.from({ length: 4 }, start));
    expect(new Set(secrets.map(({ stdout }) => stdout))).toEqual(new Set([load()]));
    expect(readdirSync(join(folder, 'var'))).toEqual(['secret']);
  });
});
