/**
 * Liquid templates. The newsroom's own folder has precedence over the built-in templates, so an editor overrides single
 * files. HTML and MJML templates escape every output; text templates do not.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Liquid } from 'liquidjs';
import { clockTime, clockTimeOn, datelineTime, longDate, rfc3339 } from './time.ts';

export interface Templates {
  /** Opens the same templates again, as in a thread. */
  readonly source: { folder: string; zone: string };
  /** Grows when the templates are parsed again: what was rendered before may look different now. */
  readonly generation: number;
  /**
   * Renders `templates/<name>` with output escaping. Templates are parsed once, and again after a failure, so that one
   * that was corrected is used without a restart.
   * @throws Error that names template and line
   */
  html(name: string, data: object): Promise<string>;
  /** Renders `templates/<name>` as plain text, without escaping. */
  text(name: string, data: object): Promise<string>;
  /** Parses every template of both folders. @returns the problems, one sentence each with file and line */
  problems(): string[];
}

/** The folder of the templates that daywire ships. */
export const BUILT_IN_TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));

/**
 * Opens both template folders.
 * @param folder the newsroom's own templates
 * @param zone the publication's zone, in which the filters `dateline`, `clock`, `clockon` and `longdate` show instants
 */
export function openTemplates(folder: string, zone: string): Templates {
  let engines = createEngines(folder, zone);
  let generation = 0;
  const render = (kind: 'html' | 'text', name: string, data: object): string => {
    try {
      // Liquid's asynchronous methods await every value and take twice as long.
      return engines[kind].renderFileSync(name, data);
    } catch (error) {
      engines = createEngines(folder, zone);
      generation += 1;
      throw error;
    }
  };
  return {
    source: { folder, zone },
    get generation() {
      return generation;
    },
    html: async (name, data) => render('html', name, data),
    text: async (name, data) => render('text', name, data),
    problems: () => [folder, BUILT_IN_TEMPLATES].flatMap((root) => parseProblems(root, engines.html)),
  };
}

/**
 * Changes when a template in the newsroom's folder is written, added or removed. The built-in ones change with daywire.
 * @param folder the newsroom's own templates; it need not exist
 */
export function templateVersion(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const facts = names.sort().map((name) => {
    // One that is removed meanwhile is missing the next time.
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return [name, found?.mtimeMs, found?.size];
  });
  return JSON.stringify(facts);
}

function createEngines(folder: string, zone: string): Record<'html' | 'text', Liquid> {
  const options = {
    root: [folder, BUILT_IN_TEMPLATES],
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    cache: true,
  };
  const html = new Liquid({ ...options, outputEscape: 'escape', extname: '.liquid' });
  const text = new Liquid({ ...options, extname: '.liquid' });
  for (const engine of [html, text]) {
    engine.registerFilter('dateline', (instant: number) => datelineTime(instant, zone));
    engine.registerFilter('clock', (instant: number) => clockTime(instant, zone));
    // `{{ instant | clockon: day }}`: with the date, if that is another day.
    engine.registerFilter('clockon', (instant: number, day: number) => clockTimeOn(instant, day, zone));
    engine.registerFilter('longdate', (instant: number) => longDate(instant, zone));
    engine.registerFilter('rfc3339', (instant: number) => rfc3339(instant));
  }
  return { html, text };
}

/** Such as where the configuration names a file. */
export function unreadableFolder(folder: string, error: unknown): string {
  return `paths.templates is ${folder}: must be a folder that can be read (${(error as NodeJS.ErrnoException).code})`;
}

function parseProblems(root: string, engine: Liquid): string[] {
  if (!existsSync(root)) return [];
  let names: string[];
  try {
    names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  } catch (error) {
    return [unreadableFolder(root, error)];
  }
  return names.flatMap((name) => {
    if (!/\.(liquid|mjml|txt)$/.test(name)) return [];
    try {
      // Opens what it includes, too.
      engine.analyzeSync(engine.parse(readFileSync(join(root, name), 'utf8'), join(root, name)));
      return [];
    } catch (error) {
      return [(error as Error).message.split('\n', 1)[0] ?? ''];
    }
  });
}
