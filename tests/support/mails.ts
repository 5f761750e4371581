import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The messages that the file transport has written below a folder. */
export function mailsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.eml'))
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}
