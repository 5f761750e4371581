/** The licences of the packages that are part of the bundle: most demand that their text goes with the code. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const TEXT_FILE = /^(licen[cs]e|copying|notice)/i;

interface PackageLicence {
  name: string;
  version: string;
  licence: string;
}

/** @param folder of a package */
function packageLicence(folder: string): PackageLicence {
  const { name, version, license, licenses } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const terms = [license ?? licenses].flat().map((term) => (typeof term === 'string' ? term : (term?.type ?? 'none')));
  return { name, version, licence: terms.join(' OR ') };
}

/**
 * Each package with its licence and the text; a package that ships no text has its licence's name alone.
 * @param folders of packages, relative to the project
 */
export function licenceTexts(project: string, folders: readonly string[]): string {
  const parts = folders.map((path) => {
    const folder = join(project, path);
    const { name, version, licence } = packageLicence(folder);
    const texts = readdirSync(folder)
      .filter((file) => TEXT_FILE.test(file))
      .sort()
      .map((file) => readFileSync(join(folder, file), 'utf8').trim());
    return [`${name} ${version}: ${licence}`, ...texts].join('\n\n');
  });
  return `daywire contains these packages:\n\n${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
