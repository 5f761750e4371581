/**
 * Writes npm-shrinkwrap.json, which npm publishes and obeys, unlike package-lock.json: the same versions, without what
 * only development needs. `npm pack` calls it, and removes the file afterwards: npm would prefer it to the lock file.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockFile {
  packages: Record<string, { dev?: boolean; devDependencies?: Record<string, string>; [key: string]: unknown }>;
  [key: string]: unknown;
}

/** The lock file of those who install the package. */
function withoutDevelopment(lock: LockFile): LockFile {
  const packages = Object.entries(lock.packages).filter(([, { dev }]) => dev !== true);
  return {
    ...lock,
    packages: Object.fromEntries(packages.map(([path, { devDependencies: _, ...entry }]) => [path, entry])),
  };
}

const root = new URL('../', import.meta.url);
const lock = JSON.parse(readFileSync(new URL('package-lock.json', root), 'utf8')) as LockFile;
writeFileSync(new URL('npm-shrinkwrap.json', root), `${JSON.stringify(withoutDevelopment(lock), null, 2)}\n`);
