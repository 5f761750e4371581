/**
 * What every command of the command line is given: the newsroom, a voice, and a way to say that it failed.
 */
import type { Command } from 'commander';
import type { AppContext, ProcessEnv } from '../app/app-context.ts';
import type { Progress } from '../app/progress.ts';
import type { Config, NewsletterConfig } from '../config/config.ts';
import { type Edition, findEdition } from '../editions/queries.ts';
import type { Clock } from '../lib/time.ts';
import type { Db } from '../store/store.ts';

export interface CliContext {
  /** Calls `work` with the newsroom open. One-shot commands say what they did: only warnings need a log. */
  withApp(work: (app: AppContext) => Promise<void>, level?: string): Promise<void>;
  /** What the process gives to a newsroom. */
  processEnv(level: string): ProcessEnv;
  /** The variables of the environment. */
  env: NodeJS.ProcessEnv;
  /** A line to stdout. */
  print(line: string): void;
  /** A line to stderr. */
  printError(line: string): void;
  /** The process ends with this code, by default 1, when the command has ended. */
  fail(code?: number): void;
  /** Aborted by the first SIGINT or SIGTERM; the second one ends the process at once. */
  endOnSignal(): AbortSignal;
  /** False once whoever read our lines has gone. */
  hasListener(): boolean;
  /** What comes in on stdin, cut off at `limit` octets. */
  readInput(limit: number): Promise<Buffer>;
  progress: Progress;
  clock: Clock;
  version: string;
}

/** Puts commands into the program. */
export type AddCommands = (program: Command, cli: CliContext) => void;

/** What the operator asked for cannot be done. */
export class CommandError extends Error {
  override name = 'CommandError';
}

/** The feed, newsletter or other thing of that id. @throws CommandError that names those there are */
export function named<T extends { id: string }>(all: T[], id: string, what: string): T {
  const found = all.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new CommandError(
    `there is no ${what} ${id}: the configuration has ${all.map((one) => one.id).join(', ') || 'none'}`,
  );
}

/** The newsletter of that id. @throws CommandError */
export function newsletterNamed(config: Config, id: string): NewsletterConfig {
  return named(config.newsletters, id, 'newsletter');
}

/**
 * The edition that an operator names: `daily-roundup/2026-11-24`, or the slot alone where but one newsletter has it.
 * @throws CommandError where there is none, or more than one
 */
export async function editionNamed(db: Db, config: Config, name: string): Promise<Edition> {
  const [first = '', second] = name.split('/', 2);
  const newsletters = second === undefined ? config.newsletters.map((one) => one.id) : [first];
  const found: Edition[] = [];
  for (const newsletter of newsletters) {
    const edition = await findEdition(db, newsletter, second ?? first);
    if (edition !== null) found.push(edition);
  }
  const [edition, another] = found;
  if (edition === undefined) throw new CommandError(`there is no edition ${name}: "daywire status" lists them`);
  if (another !== undefined) {
    const names = found.map((one) => `${one.newsletter}/${one.slot}`).join(' or ');
    throw new CommandError(`several newsletters have an edition ${name}: say ${names}`);
  }
  return edition;
}
