/**
 * The program and the packages that it uses, as few files: an installation gets one package beside daywire, and a start
 * reads fewer files. Modules that threads and processes start with are files of their own, under the same path as in
 * src/; what is imported on demand stays apart.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';

const PROJECT = resolve(import.meta.dirname, '../..');
const SOURCES = join(PROJECT, 'src');
const MAIN = 'cli/main.ts';

/** How the sources name a module that a thread or a process starts with, relative to their own file. */
const STARTED = [
  /threadJob<typeof import\('(?<path>\.[^']+)\.ts'\)/g,
  /new URL\(`(?<path>\.\/[\w-]+)\$\{extname\(new URL\(import\.meta\.url\)/g,
];
/** Stands for the address of a source until the file is known that it becomes part of. */
const ADDRESS = /"daywire-source:(?<path>[^"]+)"/g;

export interface Bundle {
  files: OutputChunk[];
  /** Folders of the packages that are part of the files, relative to the project, sorted. */
  packages: string[];
}

/** @param external packages that stay outside */
export async function bundle(external: readonly string[]): Promise<Bundle> {
  const build = await rolldown({
    cwd: PROJECT,
    input: Object.fromEntries(entryPoints().map((path) => [path.replace(/\.ts$/, ''), join(SOURCES, path)])),
    platform: 'node',
    external: external.map((name) => new RegExp(`^${name}(/|$)`)),
    plugins: [sourceAddresses()],
    // pg asks for pg-native, which nobody has.
    logLevel: 'silent',
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
    entryFileNames: '[name].js',
    chunkFileNames: 'shared/[name]-[hash].js',
  });
  await build.close();
  const files = output.filter((file) => file.type === 'chunk');
  const folders = files.flatMap(({ moduleIds }) => moduleIds.flatMap((id) => packageFolder(id) ?? []));
  return { files, packages: [...new Set(folders)].sort() };
}

/** Relative to src/. */
function entryPoints(): string[] {
  const started = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => {
      const text = readFileSync(join(SOURCES, path), 'utf8');
      const names = STARTED.flatMap((pattern) => [...text.matchAll(pattern)].map(({ groups }) => groups?.path ?? ''));
      return names.map((name) => `${join(dirname(path), name)}.ts`);
    });
  return [...new Set([MAIN, ...started])].sort();
}

/** Sources find files by their own address: it is that which they would have if each were compiled for itself. */
function sourceAddresses(): Plugin {
  return {
    name: 'source-addresses',
    transform(code, id) {
      if (!id.startsWith(SOURCES) || !code.includes('import.meta.url')) return null;
      const path = relative(SOURCES, id).replace(/\.ts$/, '.js');
      return code.replaceAll('import.meta.url', JSON.stringify(`daywire-source:${path}`));
    },
    renderChunk(code, { fileName }) {
      return code.replace(ADDRESS, (_, path: string) => {
        const from = posix.relative(posix.dirname(fileName), path);
        return `new URL(${JSON.stringify(from)}, import.meta.url).href`;
      });
    },
  };
}

/** V8 keeps the text of a file in one byte for each character if none is beyond Latin-1, otherwise in two. */
export function inOneByte(code: string): string {
  const beyond = /(\\*)([^\0-\xff])/g;
  // It would read the escapes as they are written.
  if (/String\.raw`[^`]*[^\0-\xff`]/.test(code)) return code;
  return code.replace(beyond, (_, backslashes: string, unit: string) => {
    // A backslash before the character itself means nothing.
    const before = backslashes.length % 2 === 0 ? backslashes : backslashes.slice(1);
    return `${before}\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A package that was compiled into another one counts as a part of it. */
function packageFolder(id: string): string | null {
  for (let path = relative(PROJECT, id); ; ) {
    path = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? '';
    if (path === '') return null;
    if (existsSync(join(PROJECT, path, 'package.json'))) return path;
    path = path.slice(0, path.lastIndexOf('node_modules/'));
  }
}
