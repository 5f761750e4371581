import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'daywire-package-'));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The package of `npm pack`, next to its dependencies alone. */
describe('the package', () => {
  beforeAll(() => {
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    execFileSync('tar', ['-xzf', join(folder, packed.trim().split('\n').at(-1) ?? ''), '-C', folder]);
    mkdirSync(join(folder, 'node_modules'));
    for (const name of Object.keys(dependencies)) {
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), 'dir');
    }
  });

  it('contains no sources, and runs the bundle', () => {
    expect(existsSync(join(folder, 'package/src'))).toBe(false);
    // Started as a process, and imported by nothing.
    expect(existsSync(join(folder, 'package/dist/lib/pictures/picture-process.js'))).toBe(true);
    const times = join(folder, 'times');
    daywire(folder, 'init', times, '--name', 'The Example Times', '--zone', 'Europe/Berlin');
    expect(daywire(times, 'check')).toMatch(/templates: all parse, and those of editions and messages render/);
  });

  it('pins the versions of package-lock.json for those who install it, without tools for development', () => {
    const read = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Lock;
    const lock = read(join(root, 'package-lock.json'));
    const { packages, ...rest } = read(join(folder, 'package/npm-shrinkwrap.json'));
    const { packages: locked, ...others } = lock;
    expect(rest).toEqual(others);
    const expected = Object.keys(locked).filter((path) => locked[path]?.dev !== true);
    expect(Object.keys(packages)).toEqual(expected);
    expect(packages['']?.dependencies).toEqual(read(join(root, 'package.json')).dependencies);
    expect(packages['']?.devDependencies).toBeUndefined();
    const pinned = expected.filter((path) => path !== '');
    expect(pinned).toContain('node_modules/sharp');
    expect(pinned).not.toContain('node_modules/nodemailer');
    expect(pinned).not.toContain('node_modules/vitest');
    for (const path of pinned) expect(packages[path], path).toEqual(locked[path]);
    expect(existsSync(join(root, 'npm-shrinkwrap.json')), 'npm would prefer it to package-lock.json').toBe(false);
  });

  it('contains the licences of the packages in the bundle', () => {
    const texts = readFileSync(join(folder, 'package/dist/THIRD-PARTY-LICENCES.txt'), 'utf8');
    expect(texts).toMatch(/^kysely [\d.]+: MIT\n\n.*Permission is hereby granted/ms);
    expect(texts, 'ships no text').toMatch(/^boolbase [\d.]+: ISC\n\n---/m);
  });

  it('contains the sample newsroom', () => {
    const sample = join(folder, 'package');
    expect(daywire(sample, 'start', '--once')).toMatch(/loaded 45 sample articles and 7 subscribers\n.*7 submitted/s);
    expect(existsSync(join(sample, 'feeds/latest.rss'))).toBe(true);
  });
});

interface Lock {
  packages: Record<string, Record<string, unknown> | undefined>;
  dependencies?: unknown;
}

function daywire(cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_')));
  return execFileSync(process.execPath, [join(folder, 'package/bin/daywire.js'), ...args], {
    cwd,
    env,
    encoding: 'utf8',
  });
}
