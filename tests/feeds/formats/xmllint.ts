/** Checks that XML is well-formed with xmllint: most parsers accept more than XML allows. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const HAS_XMLLINT = spawnSync('xmllint', ['--version']).error === undefined;

/** Warns once that tests are skipped. */
export function sayIfMissing(): void {
  if (!HAS_XMLLINT)
    console.warn('skipped: xmllint is not installed (Debian: libxml2-utils), so well-formedness is not tested');
}

/** Checks documents in one call. @param options such as `--relaxng` @returns the messages; empty without problems */
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
