import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

// Who may import whom: a room knows only the rooms named here, and the files at the top of src/ that are listed as its ground.
const GROUND = [
  'config',
  'config-schema',
  'config-rules',
  'cidr',
  'contrast',
  'facet-slug',
  'time',
  'templates',
  'log',
];
const MAY_IMPORT: Record<string, string[]> = {
  ground: [],
  store: [],
  articles: ['store'],
  feeds: ['store', 'articles'],
  editions: ['store', 'articles'],
  subscribers: ['store'],
  delivery: ['store', 'articles', 'editions', 'subscribers'],
  schedule: ['store'],
  hub: ['store', 'feeds', 'subscribers', 'schedule'],
  http: ['store', 'articles', 'feeds', 'editions', 'subscribers', 'delivery', 'schedule', 'hub'],
};

const src = resolve(import.meta.dirname, '../src');

describe('the rooms', () => {
  it('import only the rooms before them', () => {
    const trespasses = sourceFiles().flatMap((file) => {
      const room = roomOf(file);
      if (room === 'top') return [];
      return importsOf(file)
        .map((target) => ({ target, to: roomOf(target) }))
        .filter(({ to }) => to !== room && to !== 'ground' && !(MAY_IMPORT[room] ?? []).includes(to))
        .map(({ target }) => `${relative(src, file)} imports ${relative(src, target)}`);
    });
    expect(trespasses).toEqual([]);
  });

  it('are all known to this test', () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(folders.map((folder) => folder.name).sort()).toEqual(
      Object.keys(MAY_IMPORT)
        .filter((room) => room !== 'ground')
        .sort(),
    );
  });

  it('do not import each other in circles', () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(src, f)).join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const target of importsOf(file)) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of sourceFiles()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('never end the process: bin/daywire.js does', () => {
    const ending = sourceFiles().filter((file) => /process\.exit\b|process\.exitCode/.test(readFileSync(file, 'utf8')));
    expect(ending.map((file) => relative(src, file))).toEqual([]);
  });
});

function sourceFiles(): string[] {
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(src, name));
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  // Types are erased: a cycle of types alone is none, but a room's border holds for them too.
  return [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+)'/g)].map((match) =>
    resolve(dirname(file), match[1] as string),
  );
}

function roomOf(file: string): string {
  const [first = '', ...rest] = relative(src, file).split('/');
  if (rest.length > 0) return first;
  return GROUND.includes(first.replace(/\.ts$/, '')) ? 'ground' : 'top';
}
