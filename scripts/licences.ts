/**
 * Lists the licences of all packages that an installation of daywire gets, with the packages of each: those that npm
 * installs, and those that are part of the bundle.
 *
 *     npm run -s licences
 *
 * Exits with 1 and names the packages whose licence is not one of `ALLOWED`.
 */
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { bundle } from './package/bundle.ts';

const ALLOWED: ReadonlySet<string> = new Set([
  ...['MIT', 'MIT-0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'Apache-2.0', 'BlueOak-1.0.0'],
  // Packages that are data alone: properties of browsers and of CSS.
  ...['CC0-1.0', 'CC-BY-4.0'],
  // A parser of arguments that was translated from Python's.
  ...['PSF-2.0', 'Python-2.0'],
]);
/** Unmodified libraries that a package loads. */
const LIBRARIES: ReadonlySet<string> = new Set(['LGPL-3.0-or-later', 'MPL-2.0']);

interface LockedPackage {
  dev?: boolean;
  license?: string;
}

export interface LicenceReport {
  /** Names with their versions' folders, by licence, both sorted. */
  byLicence: Map<string, string[]>;
  /** `name: licence`. */
  refused: string[];
}

/**
 * @param packages of a package-lock.json, by folder
 * @param bundled folders of those that are part of the bundle
 */
export function listLicences(
  packages: Readonly<Record<string, LockedPackage>>,
  bundled: readonly string[],
): LicenceReport {
  const installed = Object.entries(packages)
    .filter(([folder, { dev }]) => folder !== '' && (dev !== true || bundled.includes(folder)))
    .map(([folder, { license = 'none' }]) => ({ name: folder.replace(/^node_modules\//, ''), licence: license }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const groups = Map.groupBy(installed, ({ licence }) => licence);
  return {
    byLicence: new Map([...groups].sort().map(([licence, all]) => [licence, all.map(({ name }) => name)])),
    refused: installed.filter(({ licence }) => !isAllowed(licence)).map(({ name, licence }) => `${name}: ${licence}`),
  };
}

/** SPDX expressions: of alternatives one is enough, of a conjunction all count. */
function isAllowed(licence: string): boolean {
  // Some name the text's address, too.
  const terms = licence
    .replace(/\(https?:[^)]*\)/g, '')
    .replace(/[()]/g, '')
    .trim();
  return terms
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((term) => ALLOWED.has(term.trim()) || LIBRARIES.has(term.trim())));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'));
  const { byLicence, refused } = listLicences(lock.packages, (await bundle(['sharp'])).packages);
  for (const [licence, names] of byLicence) console.log(`${licence} (${names.length}): ${names.join(', ')}`);
  if (refused.length > 0) console.error(`not allowed, see ALLOWED in scripts/licences.ts: ${refused.join('; ')}`);
  process.exitCode = refused.length > 0 ? 1 : 0;
}
