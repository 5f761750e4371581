/**
 * npm run build
 *
 * Makes dist/ for the package: the program with the packages that it uses, and their licences. The packages that
 * package.json names as `dependencies` stay outside: they have native code. Prints each step.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type Bundle, bundle, inOneByte } from './package/bundle.ts';
import { licenceTexts } from './package/licence-texts.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const DIST = join(PROJECT, 'dist');
const { dependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const outside = Object.keys(dependencies);

print('bundle src/ and the packages that it uses');
const { files, packages } = await bundle(outside);
refuseOthers(files);
print(`write dist/: ${files.length} files of the program and of ${packages.length} packages`);
rmSync(DIST, { recursive: true, force: true });
for (const { fileName, code } of files) {
  const path = join(DIST, fileName);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, inOneByte(code));
}
print('write dist/THIRD-PARTY-LICENCES.txt');
writeFileSync(join(DIST, 'THIRD-PARTY-LICENCES.txt'), licenceTexts(PROJECT, packages));

/** An import that nothing resolves in an installation. */
function refuseOthers(files: Bundle['files']): void {
  const own = new Set(files.map(({ fileName }) => fileName));
  const imports = new Set(files.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]));
  const others = [...imports].filter((name) => !own.has(name) && !isBuiltin(name) && !outside.includes(name));
  if (others.length > 0) throw new Error(`not part of the bundle, and no dependency: ${others.join(', ')}`);
}

/** On stderr: the stdout of `npm pack` names the package. */
function print(step: string): void {
  process.stderr.write(`build: ${step}\n`);
}
