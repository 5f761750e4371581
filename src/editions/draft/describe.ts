/**
 * Commands to a draft, and the values of its fields, in words. Pure. The texts have no line breaks or control
 * characters, which a terminal would obey.
 */
import { plainLine } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { Draft, DraftField, DraftState, FieldValue, StoryDecision, StoryPlace } from './decisions.ts';
import { type LogEntry, withdrawnApproval } from './history.ts';

/** How texts name stories and instants. */
export interface DescriptionNames {
  /** Default: the id. */
  story?: (id: string) => string;
  /** Epoch milliseconds. Default: RFC 3339. */
  instant?: (at: number) => string;
}

const MAX_TEXT = 60;

/** Such as `dropped fuel-price`. */
export function describeCommand(
  { command, undoes }: Pick<LogEntry, 'command' | 'undoes'>,
  { story = plainLine, instant = rfc3339 }: DescriptionNames = {},
): string {
  switch (command.kind) {
    case 'subject':
    case 'preheader':
      return command.text === null ? `${command.kind}: automatic again` : `${command.kind}: ${asTyped(command.text)}`;
    case 'note':
      return command.text === null ? 'note removed' : `note: ${asTyped(command.text)}`;
    case 'drop':
      return `dropped ${story(command.story)}`;
    case 'pin':
      return `pinned ${story(command.story)}`;
    case 'restore':
      return `restored ${story(command.story)}`;
    case 'move':
      return `moved ${story(command.story)} to ${command.block}, ${describePlace(command.place, story)}`;
    case 'hold':
      return command.reason === null ? 'held' : `held: ${asTyped(command.reason)}`;
    case 'unhold':
      return 'let go';
    case 'approve': {
      // As everywhere, without the "also" links.
      const number = command.stories.filter(({ block }) => block !== 'also').length;
      return `approved with ${number} ${number === 1 ? 'story' : 'stories'}`;
    }
    case 'close':
      return command.revision === 1 ? 'closed' : `closed as revision ${command.revision}`;
    case 'send':
      return `sending: closes at ${instant(command.closeAt)}`;
    case 'cancel':
      return 'sending ended without an edition';
    default:
      return `${command.kind} of ${undoes}`;
  }
}

/** No text of a command has it: it is a control character. */
const MARK = '\u0001';

/** The words of a command, with the ids of its stories apart: pages link to them. */
export function describeInParts(
  entry: Pick<LogEntry, 'command' | 'undoes'>,
  instant: DescriptionNames['instant'],
): (string | { story: string })[] {
  const words = describeCommand(entry, { story: (id) => MARK + id + MARK, ...(instant && { instant }) });
  return words.split(MARK).map((part, index) => (index % 2 === 1 ? { story: part } : part));
}

/** An approval that a command has withdrawn. */
export interface LostApproval {
  /** Editor who had approved. */
  by: string;
  /** When it was withdrawn, epoch milliseconds. */
  at: number;
  /** By what, such as `Ben dropped “Fuel price rises”`. */
  cause: string;
}

/** The approval that a draft has lost, in words. @param log as for `withdrawnApproval` */
export function describeLostApproval(
  draft: Draft,
  log: readonly LogEntry[],
  names: DescriptionNames,
): LostApproval | null {
  const lost = withdrawnApproval(draft, log);
  if (lost === null) return null;
  const { by, entry } = lost;
  return { by, at: entry.at, cause: `${entry.editor} ${describeCommand(entry, names)}` };
}

/** `the subject`, `the order of news`, or the story. */
export function describeField(field: DraftField, { story = plainLine }: DescriptionNames = {}): string {
  const at = field.indexOf(':');
  if (at < 0) return `the ${field}`;
  const name = field.slice(at + 1);
  return field.startsWith('block:') ? `the order of ${name}` : story(name);
}

/** A value of a field as one line. */
export function describeValue(value: FieldValue, { story = plainLine }: DescriptionNames = {}): string {
  if (value === null) return 'automatic';
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(story).join(', ');
  return describeDecision(value);
}

function describePlace(place: StoryPlace, story: (id: string) => string): string {
  return 'story' in place ? `${place.kind} ${story(place.story)}` : place.kind;
}

function describeDecision(value: StoryDecision | DraftState): string {
  if (value.kind === 'placed') return `placed in ${value.block}`;
  return 'by' in value ? `${value.kind} by ${value.by}` : value.kind;
}

function asTyped(text: string): string {
  return shorten(plainLine(text), MAX_TEXT);
}
