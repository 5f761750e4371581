/** A command about one edition: its argument, and the edition or the draft that it names. */
import type { Command } from 'commander';
import type { AppContext } from '../../core/app-context.ts';
import { type CliContext, CommandError, jsonCommand, newsletterNamed } from '../../core/cli/context.ts';
import type { Config } from '../../core/config/config.ts';
import type { Db } from '../../core/store/store.ts';
import { type DraftTarget, findDraftTarget } from '../draft/draft-target.ts';
import { type Edition, findEdition, fullEditionName } from '../queries.ts';

/** `fullName`: such as daily-roundup/2026-11-24; see `fullEditionName`. */
export type NamedEdition = Edition & { fullName: string };

/** Adds a command to the group `editions`, with a closed edition as its first argument. */
export function addEditionCommand(editions: Command, verb: string, description: string): Command {
  return jsonCommand(editions, verb, description).argument(
    '<edition>',
    'such as daily-roundup/2026-11-24, or its slot where only one newsletter has it',
  );
}

/** Adds a command to the group `editions`, with a draft as its first argument. */
export function addDraftCommand(editions: Command, verb: string, description: string): Command {
  return jsonCommand(editions, verb, description).argument(
    '<edition>',
    'its newsletter, for the next slot; or with the slot, such as daily-roundup/2026-11-24',
  );
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

export function withDraft(
  cli: CliContext,
  name: string,
  work: (app: AppContext, target: DraftTarget) => Promise<void>,
): Promise<void> {
  return cli.withApp(async (app) => work(app, await draftNamed(app, name)));
}

/** `daily-roundup`, with the slot or without, or `daily-roundup/2026-11-24`. @throws CommandError; SlotError */
export function draftNamed(app: AppContext, name: string): Promise<DraftTarget> {
  const [, id = '', label] = /^([^/]*)(?:\/(.*))?$/s.exec(name) ?? [];
  return findDraftTarget(app, newsletterNamed(app.config, id), label);
}

/**
 * The edition named `daily-roundup/2026-11-24`, or by its slot alone where only one newsletter has that slot. Returns
 * its newest revision; with a suffix such as `@1`, that revision.
 * @throws CommandError where none or several match
 */
async function editionNamed(db: Db, config: Config, name: string): Promise<Edition> {
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
