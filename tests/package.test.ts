import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'daywire-package-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The package of `npm pack`, next to its dependencies. */
describe('the package', () => {
  beforeAll(() => {
    const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    execFileSync('tar', ['-xzf', join(folder, packed.trim().split('\n').at(-1) ?? ''), '-C', folder]);
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  });

  it('contains no sources, and runs the compiled output', () => {
    expect(existsSync(join(folder, 'package/src'))).toBe(false);
    const times = join(folder, 'times');
    daywire(folder, 'init', times, '--name', 'The Example Times', '--zone', 'Europe/Berlin');
    expect(daywire(times, 'check')).toMatch(/templates: all parse, and all newsletters render/);
    expect(daywire(times, 'start', '--once')).toMatch(/21 of 21 documents changed/);
    expect(existsSync(join(times, 'feeds/latest.rss'))).toBe(true);
  });

  it('contains the sample newsroom', () => {
    const sample = join(folder, 'package');
    expect(daywire(sample, 'start', '--once')).toMatch(/loaded 45 sample articles and 7 subscribers\n.*7 submitted/s);
  });
});

function daywire(cwd: string, ...args: string[]): string {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DAYWIRE_')));
  return execFileSync(process.execPath, [join(folder, 'package/bin/daywire.js'), ...args], {
    cwd,
    env,
    encoding: 'utf8',
  });
}
