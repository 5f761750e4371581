/**
 * A command about one edition: its argument, and the edition that it names.
 */

import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import type { CliContext } from '../../core/cli/context.ts';
import { fullEditionName } from '../queries.ts';
import { editionNamed } from './edition-named.ts';

/** `fullName`: such as daily-roundup/2026-11-24; see `fullEditionName`. */
export type NamedEdition = Awaited<ReturnType<typeof editionNamed>> & { fullName: string };

/** Adds a command to the group `editions`, with the edition as its first argument. */
export function addEditionCommand(editions: Command, verb: string, description: string): Command {
  return editions
    .command(verb)
    .description(description)
    .argument('<edition>', 'such as daily-roundup/2026-11-24, or its slot where only one newsletter has it');
}

export function withEdition(
  cli: CliContext,
  name: string,
  work: (app: AppContext, edition: NamedEdition) => Promise<void>,
): Promise<void> {
  return cli.withApp(async (app) => {
    const edition = await editionNamed(app.store.db, app.config, name);
    await work(app, { ...edition, fullName: fullEditionName(edition) });
  });
}
