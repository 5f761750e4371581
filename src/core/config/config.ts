/**
 * Loads the configuration: the YAML file is checked against the schema, then against the rules across keys. Secrets
 * come from the environment or from files, never from the YAML file.
 */
import { readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { OwnMessages } from '../../lib/locale/locale.ts';
import { readOwnFiles } from '../../lib/locale/message-file.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { lineOf } from '../../lib/yaml-line.ts';
import { firstLine } from '../finding.ts';
import { listViolations } from './rules.ts';
import { type FileConfig, type Publication, type ScheduleConfig, schema } from './schema.ts';
import { readSecrets, type Secrets } from './secrets.ts';

type Document = ReturnType<typeof parseDocument>;

export type {
  ArticleSource,
  FeedConfig,
  MailProvider,
  NewsletterConfig,
  Publication,
  RoundupSource,
  ScheduleConfig,
  Selection,
} from './schema.ts';
export { KINDS } from './values.ts';

/** Lists every problem of a configuration, one sentence each: file and line, key, value, rule. */
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
  /** From `paths.locales`. */
  readonly ownMessages: OwnMessages;
}

/**
 * Reads and checks a configuration file.
 * @param file the file's path; relative paths, also those inside the file, start at `cwd`
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

/**
 * Checks a configuration given as text, as `loadConfig` does.
 * @throws ConfigError with every problem found
 */
export function parseConfig(text: string, from: { file: string; env: NodeJS.ProcessEnv; cwd: string }): Config {
  const { file, env, cwd } = from;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => `${file}:${error.linePos?.[0].line ?? 1}: ${firstLine(error)}`),
    );
  }
  const raw = plainValue(document, file);
  const key = (path: PropertyKey[]): string => `${file}:${lineOf(document, lines, path)}: ${keyName(path)}`;
  const value = (path: PropertyKey[]): string => {
    const given = valueAt(raw, path);
    if (given === undefined) return 'is missing';
    return holdsSecret(path) ? 'is not shown' : `is ${shorten(JSON.stringify(given), 80)}`;
  };

  const checked = schema.safeParse(raw);
  if (!checked.success) {
    const issues = checked.error.issues.flatMap(issuesOfIntendedForm);
    throw new ConfigError(
      issues.flatMap((issue) => {
        const { path } = issue;
        if (issue.code === 'unrecognized_keys') {
          return issue.keys.map((name) => `${key([...path, name])}: there is no such key`);
        }
        return [`${key(path)} ${value(path)}: ${ruleOf(issue)}`];
      }),
    );
  }
  const isGiven = (path: PropertyKey[]): boolean => valueAt(raw, path) !== undefined;
  const problems = listViolations(checked.data, isGiven).map(
    ({ path, rule }) => `${key(path)} ${value(path)}: ${rule}`,
  );
  const secrets = readSecrets(env, cwd, problems);
  const config = withAbsolutePaths(checked.data, cwd);
  const own = readOwnFiles(config.paths.locales);
  problems.push(...own.problems);
  if (problems.length > 0) throw new ConfigError(problems);
  const ownMessages = Object.fromEntries(Object.entries(own.files).map(([tag, { messages }]) => [tag, messages]));
  return { ...config, file, secrets, ownMessages };
}

/** Whether the value of a key may contain a password by mistake. Such a value is never printed. */
function holdsSecret(path: PropertyKey[]): boolean {
  return path.join('.') === 'delivery.smtpUrl';
}

function withAbsolutePaths(config: FileConfig, cwd: string): FileConfig {
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(cwd, path));
  const page = (document: string | undefined): string | undefined =>
    document === undefined || /^https?:/.test(document) ? document : absolute(document);
  const { publication, paths, delivery, newsletters } = config;
  return {
    ...config,
    publication: {
      ...publication,
      url: publication.url.replace(/\/+$/, ''),
      imprint: page(publication.imprint),
      privacy: page(publication.privacy),
      pages: Object.fromEntries(
        Object.entries(publication.pages).map(([path, one]) => [path, { ...one, file: page(one.file) as string }]),
      ),
    },
    newsletters: newsletters.map((one) => ({ ...one, imprint: page(one.imprint) })),
    paths: {
      store: absolute(paths.store),
      data: absolute(paths.data),
      feeds: absolute(paths.feeds),
      templates: absolute(paths.templates),
      locales: absolute(paths.locales),
      media: paths.media === undefined ? undefined : absolute(paths.media),
    },
    import: { ...config.import, watch: config.import.watch.map(absolute) },
    delivery: { ...delivery, dkim: delivery.dkim.map((one) => ({ ...one, keyFile: absolute(one.keyFile) })) },
  };
}

/** Converts the YAML document to plain values. Undefined aliases and alias bombs are only found here. */
function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError([`${file}: ${firstLine(error)}`]);
  }
}

/** The JSON Schema of the configuration file, for completion and checks in editors. */
export function configJsonSchema(): object {
  return { title: 'daywire configuration', ...z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) };
}

/** The IANA zone of a schedule's cron expression. */
export function scheduleZone(schedule: ScheduleConfig, publication: Publication): string {
  return schedule.zone ?? publication.zone;
}

/** The title of a section, or null. */
export function sectionTitle(config: Pick<Config, 'sections'>, section: string | null): string | null {
  return config.sections.find((s) => s.id === section)?.title ?? null;
}

/**
 * For a key that accepts several forms (a union): the issues of the form that was intended, or one issue about the key
 * if no form has the right type.
 */
function issuesOfIntendedForm(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  // Without errors no form has that value of its discriminating key, and the message says which exist.
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const intended = issue.errors.find((form) =>
    form.every(({ code, path }) => code !== 'invalid_type' || path.length > 0),
  );
  const unknownForm = { ...issue, message: 'must have one of the forms that the JSON Schema names' };
  return intended?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [unknownForm];
}

/** The rule that an issue violates. zod's type names become plain words. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message ?? issue.message;
  if (issue.code === 'too_big' && issue.origin === 'array') return `must have at most ${issue.maximum} values`;
  if (issue.code !== 'invalid_type') return issue.message;
  const names: Record<string, string> = {
    ...{ object: 'a map of keys', array: 'a list', string: 'text' },
    ...{ int: 'a whole number', boolean: 'true or false' },
  };
  return `must be ${names[issue.expected] ?? `a ${issue.expected}`}`;
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

function keyName(path: PropertyKey[]): string {
  return path.length === 0
    ? 'the configuration'
    : path
        .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? String(key) : `.${String(key)}`))
        .join('');
}
