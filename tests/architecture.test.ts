import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');
const TEXT = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');

/** Paths that begin at src/, unless they name another folder. */
const PATHS = [...TEXT.matchAll(/`((?:[a-z][a-z0-9-]*\/)+(?:[a-z0-9-]+\.(?:ts|liquid|mjml))?)`/g)].map(
  ([, path = '']) => path,
);
const OWN_FOLDERS = /^(?:src|tests|templates|config|docs|bin)\//;
const FACES = ['pages/', 'desk/', 'hooks/', 'cli/'];

describe('docs/ARCHITECTURE.md', () => {
  it('names files and folders that exist', () => {
    expect(PATHS.length).toBeGreaterThan(80);
    const isThere = (path: string): boolean => existsSync(join(ROOT, OWN_FOLDERS.test(path) ? path : `src/${path}`));
    // In the map, a folder is named as it is inside of its capability.
    const isInside = (path: string): boolean => new RegExp(`^\\| \`[a-z-]+/\`.*\`${path}\``, 'm').test(TEXT);
    expect(PATHS.filter((path) => !FACES.includes(path) && !isThere(path) && !isInside(path))).toEqual([]);
  });

  it('names functions that are in the files beside them', () => {
    const named = [...TEXT.matchAll(/`(\w+)` \(`([\w/-]+\.ts)`\)/g)];
    expect(named.length).toBeGreaterThan(25);
    const wrong = named.filter(([, name, path]) => {
      const text = readFileSync(join(ROOT, 'src', path ?? ''), 'utf8');
      return !new RegExp(`function ${name}\\b`).test(text);
    });
    expect(wrong.map(([all]) => all)).toEqual([]);
  });

  it('has walks of at most ten steps, and at most 40 rows of what to change', () => {
    const walks = TEXT.split('### ').slice(1, 4);
    expect(walks.map((walk) => walk.match(/^\d+\. /gm)?.length)).toEqual([10, 9, 8]);
    const rows =
      TEXT.split('## Where to change what')[1]
        ?.split('\n## ')[0]
        ?.match(/^\| [a-z]/gm) ?? [];
    expect(rows.length).toBeGreaterThan(30);
    // The first is the head of the table.
    expect(rows.length - 1).toBeLessThanOrEqual(40);
  });
});
