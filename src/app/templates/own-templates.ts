/**
 * A newsroom's own templates: which built-in ones they replace, and whether daywire has changed those since.
 *
 * `.ejected.json` in the newsroom's folder holds a hash of each built-in template at the time it was ejected. A copy
 * that was made by hand has none, and nobody can tell what it was made from.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import { closestName } from '../../lib/names/closest-name.ts';
import { sha256 } from '../../lib/sha256.ts';
import { BUILT_IN_TEMPLATES, unreadableFolder } from '../../lib/templates.ts';

export interface TemplateEntry {
  /** Its path below the folder, such as `pages/article.liquid`. */
  name: string;
  /**
   * - built-in: the newsroom has no copy
   * - same: its copy does not differ
   * - edited: its copy differs from the built-in template, which is the one that was ejected
   * - outdated: daywire has changed the built-in template since it was ejected
   * - unknown: its copy differs, and was not ejected
   * - removed: it was ejected from a version that had a template of that name; this one does not use it
   * - own: there is no built-in template of that name
   */
  state: 'built-in' | 'same' | 'edited' | 'outdated' | 'unknown' | 'removed' | 'own';
}

/** An error that an operator can correct. */
class TemplateError extends Error {
  override name = 'TemplateError';
}

/**
 * Lists the templates of both folders, by name.
 * @throws TemplateError if the folder cannot be read, or `.ejected.json` is broken
 */
export function listTemplates(folder: string): TemplateEntry[] {
  const builtIn = builtInNames();
  const own = existsSync(folder) ? ownNames(folder) : [];
  const ejected = readEjected(folder);
  return [...new Set([...builtIn, ...own])].sort().map((name): TemplateEntry => {
    if (!own.includes(name)) return { name, state: 'built-in' };
    if (!builtIn.includes(name)) return { name, state: Object.hasOwn(ejected, name) ? 'removed' : 'own' };
    const current = readFileSync(join(BUILT_IN_TEMPLATES, name), 'utf8');
    if (readFileSync(join(folder, name), 'utf8') === current) return { name, state: 'same' };
    const hash = ejected[name];
    return { name, state: hash === undefined ? 'unknown' : hash === sha256(current) ? 'edited' : 'outdated' };
  });
}

/**
 * Copies a built-in template into the newsroom's folder.
 * @param name with or without the extension, if that is unambiguous
 * @returns the written file
 * @throws TemplateError if there is no such template, or the file exists and `isForced` is not set
 */
export function ejectTemplate(folder: string, name: string, isForced: boolean): string {
  const known = builtInName(name);
  const path = join(folder, known);
  if (existsSync(path) && !isForced) {
    throw new TemplateError(
      `${path} exists already: see how it differs with "daywire templates diff ${known}", or overwrite it with --force`,
    );
  }
  const ejected = readEjected(folder);
  const text = readFileSync(join(BUILT_IN_TEMPLATES, known), 'utf8');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  writeEjected(folder, { ...ejected, [known]: sha256(text) });
  return path;
}

/**
 * Records that the newsroom's copy takes the present built-in template into account.
 * @returns the name of the template
 * @throws TemplateError if there is no such template, or no copy of it
 */
export function keepTemplate(folder: string, name: string): string {
  const { name: known, builtIn } = readBoth(folder, name);
  writeEjected(folder, { ...readEjected(folder), [known]: sha256(builtIn) });
  return known;
}

/** @throws TemplateError if there is no such template, or no copy of it */
export function readBoth(folder: string, name: string): { name: string; path: string; own: string; builtIn: string } {
  const known = builtInName(name);
  const path = join(folder, known);
  if (!existsSync(path)) {
    throw new TemplateError(
      `${path} does not exist: daywire uses the built-in template; copy it with ` +
        `"daywire templates eject ${known}"`,
    );
  }
  const builtIn = readFileSync(join(BUILT_IN_TEMPLATES, known), 'utf8');
  return { name: known, path, own: readFileSync(path, 'utf8'), builtIn };
}

/** What an operator should know of the newsroom's templates: one sentence each. */
export function ownTemplateWarnings(folder: string): string[] {
  try {
    return listTemplates(folder).flatMap(({ name, state }) => {
      switch (state) {
        case 'outdated':
          return (
            `templates: daywire has changed ${name} since you ejected it: see "daywire templates diff ${name}", ` +
            `take over what you need, then run "daywire templates keep ${name}"`
          );
        case 'removed':
          return (
            `templates: daywire no longer uses ${name}, of which you have a copy: eject the template that has taken ` +
            'its place (CHANGELOG.md names it), edit that one, and delete the copy'
          );
        default:
          return [];
      }
    });
  } catch (error) {
    if (error instanceof TemplateError) return [error.message];
    throw error;
  }
}

function builtInName(name: string): string {
  const names = builtInNames();
  const found = names.filter((one) => one === name || one.replace(/(\.[a-z]+)?\.\w+$/, '') === name);
  if (found.length === 1) return found[0] as string;
  if (found.length > 1) throw new TemplateError(`there are several templates ${name}: ${found.join(', ')}`);
  const meant = closestName(name, names);
  const hint = meant === null ? 'see "daywire templates list"' : `did you mean ${meant}?`;
  throw new TemplateError(`there is no built-in template ${name}: ${hint}`);
}

function builtInNames(): string[] {
  return templateNames(BUILT_IN_TEMPLATES);
}

function ownNames(folder: string): string[] {
  try {
    return templateNames(folder);
  } catch (error) {
    throw new TemplateError(unreadableFolder(folder, error));
  }
}

/** Without those of `init`, which are used once, and of which no copy is used. */
function templateNames(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => name.split(sep).join('/'));
  return names.filter((name) => /\.(liquid|mjml|txt)$/.test(name) && !name.startsWith('init/'));
}

const ejectedSchema = z.record(z.string(), z.string());

function ejectedFile(folder: string): string {
  return join(folder, '.ejected.json');
}

/** Hashes of built-in templates, by name. */
function readEjected(folder: string): Record<string, string> {
  const file = ejectedFile(folder);
  if (!existsSync(file)) return {};
  try {
    return ejectedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    throw new TemplateError(
      `${file} is not as daywire writes it: restore it from a copy, or delete it, and daywire no longer tells which ` +
        'templates have changed since they were ejected',
    );
  }
}

function writeEjected(folder: string, hashes: Record<string, string>): void {
  const sorted = Object.fromEntries(Object.entries(hashes).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(ejectedFile(folder), `${JSON.stringify(sorted, null, 2)}\n`);
}
