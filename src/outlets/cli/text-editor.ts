/** Lets a person write text in the editor of their choice. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CliContext, CommandError } from '../../core/cli/context.ts';
import { PRIVATE_FILE } from '../../lib/private-files.ts';

/** A file that only its user can read, in a folder of its own: editors write copies next to it. */
export interface TypedText {
  path: string;
  text: string;
  /** Deletes the file. Until then nothing that was typed is lost. */
  remove(): Promise<void>;
}

/** Characters. Far more than anybody types. */
const MAX_TEXT = 1_000_000;

/**
 * Opens a text in $VISUAL or $EDITOR, and waits until it is closed.
 * @throws CommandError without a terminal or an editor, or if the editor fails; if anything was written, the file stays
 *   then, and is named
 */
export async function typeText(cli: CliContext, initial: string): Promise<TypedText> {
  const command = cli.env.VISUAL?.trim() || cli.env.EDITOR?.trim();
  if (!cli.isTerminal()) throw new CommandError('there is no terminal to write in: give the sentence with --text');
  if (command === undefined || command === '') {
    throw new CommandError('no editor is set: set VISUAL or EDITOR, such as EDITOR=nano, or use --text');
  }
  const path = join(await mkdtemp(join(tmpdir(), 'daywire-')), 'roundup.txt');
  await writeFile(path, initial, { mode: PRIVATE_FILE, flag: 'wx' });
  const remove = () => rm(dirname(path), { recursive: true, force: true });
  const problem = await runEditor(command, path);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (problem !== null && text === initial) {
    await remove();
    throw new CommandError(`${command} ${problem}, and nothing was written`);
  }
  if (problem !== null) throw new CommandError(`${command} ${problem}: what you wrote is in ${path}`);
  if (typeof text !== 'string') {
    throw new CommandError(`${path} cannot be read (${text.code}): did the editor save it?`);
  }
  if (text.length > MAX_TEXT) throw new CommandError(`${path} has more than ${MAX_TEXT} characters: shorten it`);
  return { path, text, remove };
}

/** @returns what went wrong, or null */
function runEditor(command: string, path: string): Promise<string | null> {
  // Through a shell, as git does: the variable may have arguments, such as "code --wait".
  const child = spawn('sh', ['-c', `${command} "$@"`, 'sh', path], { stdio: 'inherit' });
  // Ctrl-C is for the editor.
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  return new Promise<string | null>((done) => {
    child.once('error', (error) => done(`cannot be started (${error.message})`));
    child.once('exit', (code, signal) => done(code === 0 ? null : `ended with ${signal ?? `code ${code}`}`));
  }).finally(() => process.off('SIGINT', ignore));
}
