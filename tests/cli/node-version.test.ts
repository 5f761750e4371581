import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/sample.ts';

const { nodeProblem } = (await import(join(ROOT, 'bin/node-version.js'))) as {
  nodeProblem(version: string): string | null;
};

/** Without comments. */
function codeOf(file: string): string {
  return readFileSync(join(ROOT, 'bin', file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

describe('the start on an old Node', () => {
  it('says which Node is needed and how to get it', () => {
    for (const version of ['12.22.12', '18.20.8', '22.23.3', '24.0.0', '24.14.9']) {
      expect(nodeProblem(version)).toMatch(
        new RegExp(
          `this is Node ${version}, and daywire needs 24\\.15 or newer\\.\n.*npm install node@24.*npx daywire`,
        ),
      );
    }
    for (const version of ['24.15.0', '24.21.0', '25.0.0', '26.1.0']) expect(nodeProblem(version)).toBeNull();
  });

  it('needs the version that package.json and its lock name', () => {
    const read = (name: string) => JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
    expect(read('package.json').engines).toEqual({ node: '>=24.15' });
    expect(read('package-lock.json').packages[''].engines).toEqual({ node: '>=24.15' });
  });

  it('reads no file with syntax that Node 12 does not know', () => {
    const [start, version] = [codeOf('daywire.js'), codeOf('node-version.js')];
    expect(start.match(/(?<=from ')[^']+/g)).toEqual(['./node-version.js']);
    expect(version).not.toMatch(/\bimport\b/);
    const newer = /\?\?|\?\.(?!\d)|\|\|=|&&=|\bawait\b|\d_\d|\d+n\b|\bstatic\s*\{|#\w+\s*[;=(]/;
    for (const code of [start, version]) expect(code).not.toMatch(newer);
    expect(codeOf('run.js')).toMatch(newer);
  });
});
