/**
 * The configuration: read once at the edge, checked key by key, then across keys; inside, its types are trusted.
 * Secrets come from the environment, or from a file that `<NAME>_FILE` points at, and are never part of this object's YAML.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { crossChecks } from './rules.ts';
import { type FileConfig, type Publication, type ScheduleConfig, schema } from './schema.ts';
import { readSecrets, type Secrets } from './secrets.ts';

// Whoever works with a Config needs no other file.
export type {
  FeedConfig,
  NewsletterConfig,
  Publication,
  ScheduleConfig,
  Selection,
} from './schema.ts';
export { KINDS } from './schema.ts';

/** Every problem of a configuration, one sentence each: file and line, key, value, rule. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** `publication.url` has no slash at its end; `paths` are absolute. */
export interface Config extends FileConfig {
  /** The file it was read from. */
  readonly file: string;
  readonly secrets: Secrets;
}

/**
 * Reads and checks a configuration file.
 * @param file its path; the paths in it are taken relative to `cwd`
 * @throws ConfigError with every problem found
 */
export function loadConfig(file: string, env: NodeJS.ProcessEnv, cwd: string): Config {
  let text: string;
  try {
    text = readFileSync(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw new ConfigError([
      `${file}: cannot be read (${(error as NodeJS.ErrnoException).code}): make one with "daywire init"`,
    ]);
  }
  return parseConfig(text, { file, env, cwd });
}

/** As `loadConfig`, from the text itself. */
export function parseConfig(text: string, from: { file: string; env: NodeJS.ProcessEnv; cwd: string }): Config {
  const { file, env, cwd } = from;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error.message)}`),
    );
  }
  const raw = plainValue(document, file);
  const at = (path: PropertyKey[]): string => `${file}:${lineOf(document, lines, path)}`;
  const checked = schema.safeParse(raw);
  if (!checked.success) {
    throw new ConfigError(
      checked.error.issues.flatMap(alternativeMeant).flatMap((issue) => {
        if (issue.code === 'unrecognized_keys') {
          return issue.keys.map(
            (key) => `${at([...issue.path, key])}: ${dotted([...issue.path, key])}: there is no such key`,
          );
        }
        const value = valueAt(raw, issue.path);
        const shown = value === undefined ? 'is missing' : `is ${shorten(JSON.stringify(value))}`;
        return [`${at(issue.path)}: ${dotted(issue.path)} ${shown}: ${ruleOf(issue)}`];
      }),
    );
  }
  const config = checked.data;
  const problems = crossChecks(config).map(
    ({ path, rule, hidden }) =>
      `${at(path)}: ${dotted(path)} ${hidden ? 'is not shown' : `is ${shorten(JSON.stringify(valueAt(raw, path)))}`}: ${rule}`,
  );
  const secrets = readSecrets(env, cwd, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const place = (path: string): string => (isAbsolute(path) ? path : join(cwd, path));
  const { paths } = config;
  return {
    ...config,
    publication: { ...config.publication, url: config.publication.url.replace(/\/+$/, '') },
    paths: {
      store: place(paths.store),
      data: place(paths.data),
      feeds: place(paths.feeds),
      templates: place(paths.templates),
      media: paths.media === undefined ? undefined : place(paths.media),
    },
    import: { ...config.import, watch: config.import.watch.map(place) },
    delivery: {
      ...config.delivery,
      dkim: config.delivery.dkim.map((key) => ({ ...key, keyFile: place(key.keyFile) })),
    },
    file,
    secrets,
  };
}

/** What the YAML says, as plain values. An alias that leads nowhere, or to far too much, shows only here. */
function plainValue(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError([`${file}: ${firstLine((error as Error).message)}`]);
  }
}

/** The JSON Schema of the configuration file, for editors that complete and check it. */
export function configJsonSchema(): object {
  return { title: 'daywire configuration', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}

/** The zone in which a schedule's cron expression is read. */
export function scheduleZone(schedule: ScheduleConfig, publication: Publication): string {
  return schedule.zone ?? publication.zone;
}

/** The title of a section, or null. */
export function sectionTitle(config: Pick<Config, 'sections'>, section: string | null): string | null {
  return config.sections.find((s) => s.id === section)?.title ?? null;
}

/** Of a key that takes several forms, what is wrong with the one that was meant; where none was, the key itself. */
function alternativeMeant(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find((alternative) =>
    alternative.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  const asked = { ...issue, message: 'must have one of the forms that the JSON Schema names' };
  return meant?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [asked];
}

/** zod's word for a wrong type, in the form of our own rules. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const what = {
    object: 'a map of keys',
    array: 'a list',
    string: 'text',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return `must be ${(what as Record<string, string>)[issue.expected] ?? `a ${issue.expected}`}`;
}

/** The line on which the key at `path` of a YAML document stands, or the nearest parent of one that is missing. */
export function lineOf(document: ReturnType<typeof parseDocument>, lines: LineCounter, path: PropertyKey[]): number {
  // The key's own line; where the path leads nowhere (a missing key), that of the nearest parent.
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const key = path[length - 1];
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (isScalar(pair?.key) && pair.key.range) return lines.linePos(pair.key.range[0]).line;
    }
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | undefined;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function dotted(path: PropertyKey[]): string {
  return path.length === 0
    ? 'the configuration'
    : path
        .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
        .join('');
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
