import { userInfo } from 'node:os';
import { plainLine } from '../../lib/text/clean-text.ts';
import { type CliContext, CommandError, type JsonOption } from './context.ts';

export interface EditorOptions extends JsonOption {
  by?: string;
}

/** The option of a command that an editor gives. */
export const BY = [
  '--by <name>',
  'who gives the command; default: DAYWIRE_EDITOR, or the name of the system user',
] as const;

const MAX_NAME = 100;

/** Name of the editor who gives a command. @throws CommandError */
export function editorName({ env }: CliContext, by: string | undefined): string {
  const name = plainLine(by ?? env.DAYWIRE_EDITOR ?? userInfo().username);
  if (name !== '' && name.length <= MAX_NAME) return name;
  throw new CommandError(`--by must be a name of at most ${MAX_NAME} characters`);
}
