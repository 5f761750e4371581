import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Rules, in import order: each module imports only those before it. */
const RULES = [
  ...['lib', 'core', 'accounts', 'sources', 'articles', 'own-sites', 'outlets', 'feeds', 'editions', 'audience'],
  'delivery',
];

/** Modules that join the capabilities, in import order. Each may import everything before it, faces included. */
const JOINING = ['front', 'app', 'cli'];

/** The folders of a capability's faces, and the file of a small one. */
const FACE = /^[^/]+\/(?:(?:pages|desk|hooks|cli)\/|cli\.ts$)/;

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

describe('the modules of src/', () => {
  it('import only what precedes them: rules, then web, then faces, then what joins them', () => {
    const files = sourceFiles(src);
    expect(files.length).toBeGreaterThan(200);
    const violations = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith(src) && !mayImport(relative(src, file), relative(src, target)))
        .map((target) => `${relative(src, file)} imports ${relative(src, target)}`),
    );
    expect(violations).toEqual([]);
  });

  it('are exactly the folders named above, with no loose files beside them', () => {
    expect(readdirSync(src).sort()).toEqual([...RULES, 'web', ...JOINING].sort());
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

  it('keep migrations apart from code that changes: a migration imports nothing from other folders', () => {
    const folder = join(src, 'core/store/migrations');
    const migrations = sourceFiles(folder);
    expect(migrations).not.toEqual([]);
    const imported = migrations.flatMap((file) => importsOf(file).filter((target) => !target.startsWith(folder)));
    expect(imported).toEqual([]);
  });

  it('never end the process: bin/daywire.js does', () => {
    const ending = sourceFiles(src).filter((file) =>
      /process\.exit\b|process\.exitCode/.test(readFileSync(file, 'utf8')),
    );
    expect(ending.map((file) => relative(src, file))).toEqual([]);
  });

  it('load the library for pictures in one process only, because hostile pictures may crash it', () => {
    const importers = (pattern: RegExp) =>
      sourceFiles(src)
        .filter((file) => pattern.test(readFileSync(file, 'utf8')))
        .map((file) => relative(src, file));
    expect(importers(/from 'sharp'|import\('sharp'\)/)).toEqual(['lib/pictures/picture-process.ts']);
    expect(importers(/from '.*picture-process\.ts'/)).toEqual([]);
  });

  it('know nothing of tests, benchmarks and scripts', () => {
    const outside = ['tests', 'bench', 'scripts'].map((folder) => join(root, folder));
    const violations = sourceFiles(src).filter((file) =>
      importsOf(file).some((target) => outside.some((folder) => target.startsWith(folder))),
    );
    expect(violations).toEqual([]);
  });

  it('declare no type, interface, class or enum name twice', () => {
    const declared = declarationsIn(sourceFiles(src), TYPE);
    expect(declared.length).toBeGreaterThan(200);
    expect(declaredTwice(declared)).toEqual([]);
  });

  it('declare no exported function or constant name twice', () => {
    const declared = declarationsIn(sourceFiles(src), EXPORTED_VALUE);
    expect(declared.length).toBeGreaterThan(1_000);
    expect(declaredTwice(declared)).toEqual([]);
  });

  it('have at most 20 files in a folder', () => {
    const sizes = Map.groupBy(sourceFiles(src), dirname);
    expect(sizes.size).toBeGreaterThan(20);
    const large = [...sizes].filter(([, files]) => files.length > 20).map(([folder]) => relative(src, folder));
    expect(large).toEqual([]);
  });

  it('have no file under 30 lines with one user, except for lists that app/ joins, migrations, and those named', () => {
    const files = sourceFiles(src);
    const users = Map.groupBy(
      files.flatMap((file) => [...new Set(importsOf(file))]),
      (target) => target,
    );
    const small = files
      .filter((file) => readFileSync(file, 'utf8').split('\n').length - 1 < 30 && (users.get(file)?.length ?? 0) <= 1)
      .map((file) => relative(src, file));
    expect(small.filter((file) => !JOINED.test(file)).sort()).toEqual(Object.keys(SMALL_FILES).sort());
  });
});

/** Each has one user, because app/ joins them, or core the migrations. */
const JOINED = /(?:^|\/)(?:capability|routes)\.ts$|^core\/store\/migrations(?:\/|\.ts)/;

/** Small files with one user in src/, and why they are files of their own. */
const SMALL_FILES = {
  'editions/rendering/render-job.ts': 'a child process loads it',
  'sources/inspect-feed.ts': 'a thread loads it',
};

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

const TYPE = /^(?:export )?(?:declare )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm;

const EXPORTED_VALUE = /^export (?:async )?(?:function\*?|const|let) (\w+)/gm;

interface Declared {
  name: string;
  /** Relative to src/. */
  file: string;
}

/** @param declaration its group is the name */
function declarationsIn(files: readonly string[], declaration: RegExp): Declared[] {
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(declaration)].map(([, name = '']) => ({ name, file: relative(src, file) })),
  );
}

function declaredTwice(declared: readonly Declared[]): string[] {
  return [...Map.groupBy(declared, ({ name }) => name)]
    .filter(([, places]) => places.length > 1)
    .map(([name, places]) => `${name}: ${places.map(({ file }) => file).join(', ')}`);
}

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

/** Whether a file may import another; both paths are relative to src/. */
function mayImport(file: string, target: string): boolean {
  const [module = '', imported = ''] = [moduleOf(file), moduleOf(target)];
  if (JOINING.includes(module)) return JOINING.indexOf(imported) <= JOINING.indexOf(module);
  if (JOINING.includes(imported)) return false;
  const isRule = (path: string): boolean => RULES.includes(moduleOf(path)) && !isFace(path);
  if (isFace(file)) return isRule(target) || imported === 'web' || imported === module;
  if (module === 'web') return isRule(target) || imported === 'web';
  return isRule(target) && RULES.indexOf(imported) <= RULES.indexOf(module);
}

function isFace(path: string): boolean {
  return RULES.includes(moduleOf(path)) && moduleOf(path) !== 'core' && FACE.test(path);
}

/** @param path relative to src/ */
function moduleOf(path: string): string {
  return path.split('/')[0] ?? '';
}
