import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const BEFORE_HTTP = [
  ...['lib', 'config', 'store', 'schedule', 'articles', 'sources', 'feeds', 'editions', 'subscribers', 'delivery'],
  ...['websub', 'accounts'],
];

// Which modules a module may import. The order is the import order: each module knows only modules above it.
const MAY_IMPORT: Record<string, string[]> = {
  lib: [],
  config: ['lib'],
  store: ['lib'],
  schedule: ['lib', 'config', 'store'],
  articles: ['lib', 'config', 'store'],
  sources: ['lib', 'config', 'store', 'schedule', 'articles'],
  feeds: ['lib', 'config', 'store', 'articles'],
  editions: ['lib', 'config', 'store', 'articles'],
  subscribers: ['lib', 'config', 'store'],
  delivery: ['lib', 'config', 'store', 'articles', 'editions', 'subscribers'],
  websub: ['lib', 'config', 'store', 'schedule', 'feeds', 'subscribers'],
  accounts: ['lib', 'config', 'store', 'subscribers'],
  http: BEFORE_HTTP,
  app: [...BEFORE_HTTP, 'http'],
  desk: [...BEFORE_HTTP, 'http', 'app'],
  cli: [...BEFORE_HTTP, 'http', 'app', 'desk'],
};

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

describe('the modules of src/', () => {
  it('import only the modules before them', () => {
    const files = sourceFiles(src);
    expect(files.length).toBeGreaterThan(200);
    const violations = files.flatMap((file) => {
      const module = moduleOf(file);
      return importsOf(file)
        .map((target) => ({ target, to: moduleOf(target) }))
        .filter(({ target, to }) => target.startsWith(src) && to !== module && !MAY_IMPORT[module]?.includes(to))
        .map(({ target }) => `${relative(src, file)} imports ${relative(src, target)}`);
    });
    expect(violations).toEqual([]);
  });

  it('are exactly the folders that the table above names, with no loose files beside them', () => {
    expect(readdirSync(src).sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it('do not import each other in cycles', () => {
    const cycles: string[] = [];
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].map((f) => relative(src, f)).join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const target of importsOf(file).filter((one) => one.startsWith(src))) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of sourceFiles(src)) visit(file, []);
    expect(cycles).toEqual([]);
  });

  it('keep migrations apart from code that changes: a migration imports nothing outside of store/migrations/', () => {
    const folder = join(src, 'store/migrations');
    const migrations = sourceFiles(folder);
    expect(migrations).not.toEqual([]);
    const imported = migrations.flatMap((file) => importsOf(file).filter((target) => dirname(target) !== folder));
    expect(imported).toEqual([]);
  });

  it('never end the process: bin/daywire.js does', () => {
    const ending = sourceFiles(src).filter((file) =>
      /process\.exit\b|process\.exitCode/.test(readFileSync(file, 'utf8')),
    );
    expect(ending.map((file) => relative(src, file))).toEqual([]);
  });

  it('know nothing of tests, benchmarks and scripts', () => {
    const outside = ['tests', 'bench', 'scripts'].map((folder) => join(root, folder));
    const violations = sourceFiles(src).filter((file) =>
      importsOf(file).some((target) => outside.some((folder) => target.startsWith(folder))),
    );
    expect(violations).toEqual([]);
  });

  it('declare no type, interface, class or enum name twice', () => {
    const declared = sourceFiles(src).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(DECLARATION)].map(([, name = '']) => ({
        name,
        file: relative(src, file),
      })),
    );
    expect(declared.length).toBeGreaterThan(200);
    const twice = [...Map.groupBy(declared, ({ name }) => name)].filter(([, places]) => places.length > 1);
    expect(twice.map(([name, places]) => `${name}: ${places.map(({ file }) => file).join(', ')}`)).toEqual([]);
  });

  it('have at most 20 files in a folder, except for migrations, which only grow', () => {
    const sizes = Map.groupBy(sourceFiles(src), dirname);
    expect(sizes.size).toBeGreaterThan(20);
    const large = [...sizes]
      .filter(([, files]) => files.length > 20)
      .map(([folder]) => relative(src, folder))
      .filter((folder) => folder !== 'store/migrations');
    expect(large).toEqual([]);
  });
});

describe('scripts and benchmarks', () => {
  it('import nothing from tests', () => {
    const files = ['scripts', 'bench'].flatMap((folder) => sourceFiles(join(root, folder)));
    expect(files.length).toBeGreaterThan(10);
    const violations = files.filter((file) => importsOf(file).some((target) => target.startsWith(join(root, 'tests'))));
    expect(violations.map((file) => relative(root, file))).toEqual([]);
  });
});

describe('lines', () => {
  it('have at most 120 characters in src/, and everywhere in comments and the names of tests', () => {
    const files = ['src', 'scripts', 'bench', 'tests'].flatMap((folder) => sourceFiles(join(root, folder)));
    expect(files.length).toBeGreaterThan(400);
    const long = files.flatMap((file) =>
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line, index) => ({ line, at: `${relative(root, file)}:${index + 1}` }))
        .filter(({ line }) => line.length > 120 && (file.startsWith(src) || /^\s*(\/\/|\/?\*|it\()/.test(line))),
    );
    expect(long.map(({ at }) => at)).toEqual([]);
  });
});

const DECLARATION = /^(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm;

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

/** Absolute paths of the files that a file imports, type imports included: the order holds for them too. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?'(\.{1,2}\/[^']+)'/g)].map((match) =>
    resolve(dirname(file), match[1] as string),
  );
}

function moduleOf(file: string): string {
  return relative(src, file).split('/')[0] ?? '';
}
