/**
 * Liquid templates. The newsroom's own folder has precedence over the built-in templates, so an editor overrides single
 * files. HTML and MJML templates escape every output; text templates do not.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Liquid } from 'liquidjs';
import { isolate, textDirection } from './locale/direction.ts';
import { type Locale, localeOf, Markup, type MessageValues, type OwnMessages } from './locale/locale.ts';
import { registerSegmentTag } from './segment-tag.ts';
import { rfc3339 } from './time.ts';

interface TemplateSource {
  /** The newsroom's own templates. */
  folder: string;
  /** The publication's zone, in which the filters `dateline`, `clock`, `clockon` and `longdate` show instants. */
  zone: string;
  /** The newsroom's own messages. */
  ownMessages: OwnMessages;
}

export interface Templates {
  /** Opens the same templates again, as in a thread. */
  readonly source: TemplateSource;
  /** Grows when the templates are parsed again: what was rendered before may look different now. */
  readonly generation: number;
  /**
   * Renders `templates/<name>` with output escaping. Templates are parsed once, and again after a failure, so that one
   * that was corrected is used without a restart.
   * @param language BCP 47, of messages, dates and lists
   * @throws Error that names template and line
   */
  html(name: string, data: object, language: string): Promise<string>;
  /** Renders `templates/<name>` as plain text, without escaping. */
  text(name: string, data: object, language: string): Promise<string>;
  /** Parses every template of both folders. @returns the problems, one sentence each with file and line */
  problems(): string[];
}

/** The folder of the templates that daywire ships. */
export const BUILT_IN_TEMPLATES = fileURLToPath(new URL('../../templates', import.meta.url));

/** Opens both template folders. Parameters: see `TemplateSource`. */
export function openTemplates(folder: string, zone: string, ownMessages: OwnMessages = {}): Templates {
  const source = { folder, zone, ownMessages };
  let engines = createEngines(source);
  let generation = 0;
  const render = (kind: 'html' | 'text', name: string, data: object, language: string): string => {
    const globals = { locale: localeOf(language, ownMessages) };
    try {
      // Liquid's asynchronous methods await every value and take twice as long.
      const output: string = engines[kind].renderFileSync(name, data, { globals });
      if (output.length > MAX_OUTPUT) throw new Error(`it renders more than ${MAX_OUTPUT} characters`);
      return output;
    } catch (error) {
      engines = createEngines(source);
      generation += 1;
      // What is wrong with a whole file has no place in it.
      const { message } = error as Error;
      throw /^(?:parse length|it renders)/.test(message) ? new Error(`${name}: ${message}`) : error;
    }
  };
  return {
    source,
    get generation() {
      return generation;
    },
    html: async (name, data, language) => render('html', name, data, language),
    text: async (name, data, language) => render('text', name, data, language),
    problems: () => [folder, BUILT_IN_TEMPLATES].flatMap((root) => parseProblems(root, engines.html)),
  };
}

/**
 * Changes when a template in the newsroom's folder is written, added or removed. The built-in ones change with daywire.
 * @param folder the newsroom's own templates; it need not exist
 */
export function templateVersion(folder: string): string {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [];
  const templates = names.filter((name) => TEMPLATE.test(name));
  const facts = templates.sort().map((name) => {
    // One that is removed meanwhile is missing the next time.
    const found = statSync(join(folder, name), { throwIfNoEntry: false });
    return [name, found?.mtimeMs, found?.size];
  });
  return JSON.stringify(facts);
}

/**
 * Of a template that loops or grows without end, before it takes the memory of the process. `parseLimit`: characters of
 * a file; `renderLimit`: milliseconds; `memoryLimit`: characters and elements of lists that are made meanwhile.
 */
const LIMITS = { parseLimit: 1_000_000, renderLimit: 10_000, memoryLimit: 10_000_000 };
/** Characters of what a template renders. */
const MAX_OUTPUT = 20_000_000;

const TEMPLATE = /\.(?:liquid|mjml|txt)$/;

function createEngines({ folder, zone }: TemplateSource): Record<'html' | 'text', Liquid> {
  const options = {
    root: [folder, BUILT_IN_TEMPLATES],
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    cache: true,
    ...LIMITS,
  };
  const html = new Liquid({ ...options, outputEscape: 'escape', extname: '.liquid' });
  const text = new Liquid({ ...options, extname: '.liquid' });
  for (const engine of [html, text]) {
    registerSegmentTag(engine);
    // Liquid passes what the template has.
    const register = (name: string, show: (locale: Locale, ...args: never[]) => string, raw = false): void => {
      engine.registerFilter(name, {
        raw,
        handler(...args: unknown[]) {
          return show((this.context.globals as { locale: Locale }).locale, ...(args as never[]));
        },
      });
    };
    register('dateline', (locale, instant: number) => locale.dateline(instant, zone));
    register('clock', (locale, instant: number) => locale.clock(instant, zone));
    // `{{ instant | clockon: day }}`: with the date, if that is another day.
    register('clockon', (locale, instant: number, day: number) => locale.clockOn(instant, day, zone));
    register('day', (locale, instant: number) => locale.day(instant, zone));
    register('longdate', (locale, instant: number) => locale.dateHeading(instant, zone, { dateStyle: 'full' }));
    register('rfc3339', (_locale, instant: number) => rfc3339(instant));
    // `{{ 'article.by' | t: names: names }}`; `name_html` is the value of `name` as HTML. For attributes and
    // titles: `t_text`.
    const isHtml = engine === html;
    register('t', (locale, name: string, ...values) => locale[isHtml ? 'html' : 'text'](name, asValues(values)), true);
    register('t_text', (locale, name: string, ...values) => locale.text(name, asValues(values)));
    // Where the text around it may run in the other direction or be in another language: `{{ x | isolate: language }}`.
    const isolated = (locale: Locale, text: string, language?: string) =>
      isHtml ? locale.value(text, language) : isolate(text, locale.dir);
    register('isolate', isolated, true);
    // `{{ names | list: 'plain' }}`: without "and".
    const listed = (locale: Locale, items: string[], kind?: 'plain') =>
      isHtml ? locale.markupList(items, kind).html : locale.list(items, kind);
    const shown = (locale: Locale, items: string[]) => items.map((one) => isolated(locale, one));
    register('list', (locale, items: string[], kind) => listed(locale, shown(locale, items), kind), true);
    register('list_html', listed, true);
    register('direction', (_locale, language: string) => textDirection(language));
    register('script', (_locale, language: string) => new Intl.Locale(language).maximize().script ?? '');
    register('upcase', (locale, text?: string) => `${text ?? ''}`.toLocaleUpperCase(locale.language));
  }
  return { html, text };
}

/** The values that follow the name of a message in a template. */
function asValues(pairs: [name: string, value: string | number][]): MessageValues {
  return Object.fromEntries(
    pairs.map(([name, value]) =>
      name.endsWith('_html') ? [name.slice(0, -'_html'.length), new Markup(`${value}`)] : [name, value],
    ),
  );
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
    if (!TEMPLATE.test(name)) return [];
    try {
      // Opens what it includes, too.
      engine.analyzeSync(engine.parse(readFileSync(join(root, name), 'utf8'), join(root, name)));
      return [];
    } catch (error) {
      return [(error as Error).message.split('\n', 1)[0] ?? ''];
    }
  });
}
