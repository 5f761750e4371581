/**
 * The proof of well-formedness: most parsers accept what XML forbids, xmllint does not.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const HAS_XMLLINT = spawnSync('xmllint', ['--version']).error === undefined;

/** Says once, plainly, what is not tested. */
export function sayIfMissing(): void {
  if (!HAS_XMLLINT)
    console.warn('skipped: xmllint is not installed (Debian: libxml2-utils), so well-formedness is not proven');
}

/** What xmllint says of the documents, all in one call; empty where it accepts every one. @param options such as `--relaxng` */
export function xmllint(documents: string[], options: string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-xmllint-'));
  try {
    const files = documents.map((document, index) => {
      const file = join(folder, `${index}.xml`);
      writeFileSync(file, document);
      return file;
    });
    const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', ...options, ...files], { encoding: 'utf8' });
    return status === 0 ? '' : stderr.replace(/^.* validates\n/gm, '');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
