/**
 * Golden files: output that a person has read, and that the code must reproduce byte for byte.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';

/**
 * Compares `actual` with the golden file. `UPDATE_GOLDEN=1` rewrites the file instead; read its diff before you commit
 * it.
 * @param path below tests/golden/, such as `articles/body.html`
 */
export function expectGolden(path: string, actual: string): void {
  const file = join(import.meta.dirname, '../golden', path);
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, actual);
    return;
  }
  expect(actual, `differs from tests/golden/${path}; UPDATE_GOLDEN=1 rewrites it`).toBe(readGolden(file, path));
}

function readGolden(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Error(`tests/golden/${path} does not exist: create it with UPDATE_GOLDEN=1, and read it`);
  }
}
