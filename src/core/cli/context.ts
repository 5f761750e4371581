/**
 * What each command gets.
 */
import { type Command, Option } from 'commander';
import type { OpenSendingProbes } from '../../delivery/domain/probes.ts';
import { type Edition, findEdition } from '../../editions/queries.ts';
import type { Clock } from '../../lib/time.ts';
import type { AppContext, AppContextOptions, ProcessEnv } from '../app-context.ts';
import type { Config, NewsletterConfig } from '../config/config.ts';
import type { Db } from '../store/store.ts';
import type { ProgressLine } from './progress.ts';
import { formatJson } from './text.ts';

export interface CliContext {
  /** Opens the app, calls `work`, and closes the app. @param level of the log; default: warnings */
  withApp(work: (app: AppContext) => Promise<void>, level?: string, options?: AppContextOptions): Promise<void>;
  processEnv(level: string): ProcessEnv;
  /** Environment variables. */
  env: NodeJS.ProcessEnv;
  /** Prints a line to stdout. */
  print(line: string): void;
  /** Prints a line to stderr. */
  printError(line: string): void;
  /** Sets the exit code, by default to 1. The command continues. */
  fail(code?: number): void;
  /** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
  stopSignal(): AbortSignal;
  /** Calls `listener` for promises that are rejected without a handler, which would end the process otherwise. */
  onUnhandledRejection(listener: (reason: unknown) => void): void;
  /** Prints a part of a long output to stdout; see output.ts. @returns false once its reader has left */
  printPart(text: string): Promise<boolean>;
  /** Reads stdin, cut off at `limit` bytes. */
  readInput(limit: number): Promise<Buffer>;
  /** Whether somebody can be asked: stdin is a terminal. */
  isTerminal(): boolean;
  /** Asks on the terminal. @returns the typed line, or null without a terminal or at the end of its input */
  ask(question: string): Promise<string | null>;
  /** How the DNS and mail exchanges are asked about the sending domain. */
  openProbes: OpenSendingProbes;
  progress: ProgressLine;
  clock: Clock;
  version: string;
}

/** Adds commands to the program. */
export type AddCommands = (program: Command, cli: CliContext) => void;

/** The command cannot be done, for a reason the operator can correct. */
export class CommandError extends Error {
  override name = 'CommandError';
}

export interface JsonOption {
  json?: boolean;
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON');
}

/** Prints `value` where `--json` was given, else the text. */
export function printResult(
  { print }: CliContext,
  { json }: JsonOption,
  { value, text }: { value: unknown; text: () => string },
): void {
  print(json ? formatJson(value, 2) : text());
}

/** The feed, newsletter or other object with that id. @throws CommandError that lists those that exist */
export function findById<T extends { id: string }>(all: T[], id: string, kind: string): T {
  const found = all.find((one) => one.id === id);
  if (found !== undefined) return found;
  const ids = all.map((one) => one.id).join(', ') || 'none';
  throw new CommandError(`there is no ${kind} ${id}: the configuration has ${ids}`);
}

/** @throws CommandError */
export function newsletterNamed(config: Config, id: string): NewsletterConfig {
  return findById(config.newsletters, id, 'newsletter');
}

/**
 * The edition named `daily-roundup/2026-11-24`, or by its slot alone where only one newsletter has that slot. Returns
 * its newest revision; with a suffix such as `@1`, that revision.
 * @throws CommandError where none or several match
 */
export async function editionNamed(db: Db, config: Config, name: string): Promise<Edition> {
  const edition = await findEditionNamed(db, config, name);
  if (edition === null) throw new CommandError(`there is no edition ${name}: see "daywire editions list"`);
  return edition;
}

/** As `editionNamed`; null where none matches. */
export async function findEditionNamed(db: Db, config: Config, name: string): Promise<Edition | null> {
  const [, whole = name, number] = /^(.*)@([1-9]\d{0,5})$/s.exec(name) ?? [];
  const revision = number === undefined ? undefined : Number(number);
  const [first = '', second] = whole.split('/', 2);
  const newsletters = second === undefined ? config.newsletters.map((one) => one.id) : [first];
  const found: Edition[] = [];
  for (const newsletter of newsletters) {
    const edition = await findEdition(db, newsletter, second ?? first, revision);
    if (edition !== null) found.push(edition);
  }
  const [edition = null, another] = found;
  if (another !== undefined) {
    const names = found.map((one) => `${one.newsletter}/${one.slot}${number === undefined ? '' : `@${number}`}`);
    throw new CommandError(`several newsletters have an edition ${name}: use ${names.join(' or ')}`);
  }
  return edition;
}
