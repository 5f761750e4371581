/** What each command gets. */
import { type Command, InvalidArgumentError } from 'commander';
import type { Clock } from '../../lib/time.ts';
import type { AppContext, ProcessEnv } from '../app-context.ts';
import type { Config } from '../config/config.ts';
import type { NewsletterConfig } from '../config/schema.ts';
import type { ProgressLine } from './progress.ts';
import { formatJson } from './text.ts';

export interface CliContext {
  /** Opens the app, calls `work`, closes it. @param level of the log; default: errors @param isLasting of ProcessEnv */
  withApp(work: (app: AppContext) => Promise<void>, level?: string, isLasting?: boolean): Promise<void>;
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
  /** Calls `listener` for SIGHUP, which would end the process otherwise. */
  onHangup(listener: () => void): void;
  /** Calls `listener` for promises that are rejected without a handler, which would end the process otherwise. */
  onUnhandledRejection(listener: (reason: unknown) => void): void;
  /** Prints a part of a long output to stdout; see output.ts. @returns false once its reader has left */
  printPart(text: string): Promise<boolean>;
  /** Reads stdin, cut off at `limit` bytes. */
  readInput(limit: number): Promise<Buffer>;
  /** Asks on the terminal. @returns the typed line, or null without a terminal or at the end of its input */
  ask(question: string): Promise<string | null>;
  progress: ProgressLine;
  clock: Clock;
  version: string;
}

/** Adds commands to the program. @typeParam C what they need */
export type AddCommands<C extends CliContext = CliContext> = (program: Command, cli: C) => void;

/** The command cannot be done, for a reason the operator can correct. */
export class CommandError extends Error {
  override name = 'CommandError';
}

export interface JsonOption {
  json?: boolean;
}

/** Adds a command with the option `--json`. */
export function jsonCommand(parent: Command, verb: string, description: string): Command {
  return parent.command(verb).description(description).option('--json', 'print JSON');
}

/** Prints `value` where `--json` was given, else the text. */
export function printResult({ print }: CliContext, { json }: JsonOption, value: unknown, text: () => string): void {
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

/** Parses the argument of an option. @throws InvalidArgumentError unless it is a whole number from 1 to `most` */
export function parseWholeNumber(most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${most}.`);
  };
}
