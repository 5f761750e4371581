/** Random commands of an editor, and the replay of a draft's log. */
import { approvalHash } from '../../src/editions/draft/approval.ts';
import type { VisibleStory } from '../../src/editions/draft/commands.ts';
import {
  DRAFT_BLOCKS,
  type Draft,
  type DraftCommand,
  type ListedStory,
  type StoryPlace,
  withField,
} from '../../src/editions/draft/decisions.ts';
import type { LogEntry } from '../../src/editions/draft/history.ts';
import type { Random } from './random.ts';

const TEXTS = ['Chips', 'Solar', '  Solar  ', 'a\u202eb', '\ud800', '<b>&amp;</b>', '', 'x'.repeat(400), '\0', '初稿'];
const ODD_IDS = ['__proto__', 'constructor', '', 'x'.repeat(10_000), 'story:1', '\ud800'];

/** The edition that the editors see. */
export const SHOWN: VisibleStory[] = [
  { id: 'lead', block: 'lead', isRoundupItem: false },
  ...Array.from({ length: 5 }, (_, n): VisibleStory => ({ id: `news-${n}`, block: 'news', isRoundupItem: false })),
  ...Array.from({ length: 2 }, (_, n): VisibleStory => ({ id: `view-${n}`, block: 'analysis', isRoundupItem: false })),
  ...Array.from({ length: 3 }, (_, n): VisibleStory => ({ id: `item-${n}`, block: 'roundup', isRoundupItem: true })),
  ...Array.from({ length: 2 }, (_, n): VisibleStory => ({ id: `late-${n}`, block: 'latest', isRoundupItem: false })),
];

export const isRoundupItem = (command: DraftCommand): boolean =>
  'story' in command && SHOWN.some((one) => one.id === command.story && one.isRoundupItem);

/** @param seen the draft as the editor saw it last: it is approved as such */
export function randomCommand(random: Random, seen: Draft): DraftCommand {
  const kind = random.pick(KINDS);
  switch (kind) {
    case 'subject':
    case 'preheader':
    case 'note':
      return { kind, text: random.chance(0.2) ? null : random.pick(TEXTS) };
    case 'drop':
    case 'pin':
    case 'restore':
      return { kind, story: storyId(random) };
    case 'move':
      return { kind, story: storyId(random), block: random.pick(DRAFT_BLOCKS), place: place(random) };
    case 'hold':
      return { kind, reason: random.chance(0.5) ? null : random.pick(TEXTS) };
    case 'unhold':
      return { kind };
    case 'approve': {
      const stories: ListedStory[] = SHOWN.map(({ id, block }) => ({ id, block, digest: `${id}'s` }));
      return { kind, stories, hash: approvalHash(seen.decisions, stories) };
    }
  }
}

const KINDS: DraftCommand['kind'][] = [
  ...(['subject', 'preheader', 'note', 'drop', 'drop', 'pin', 'restore', 'move', 'move', 'move', 'move'] as const),
  ...(['hold', 'unhold', 'approve', 'approve'] as const),
];

function storyId(random: Random): string {
  return random.chance(0.05) ? random.pick(ODD_IDS) : random.pick(SHOWN).id;
}

function place(random: Random): StoryPlace {
  const kind = random.pick(['first', 'last', 'before', 'after'] as const);
  return kind === 'first' || kind === 'last' ? { kind } : { kind, story: storyId(random) };
}

/** The draft that results from a log. */
export function replayLog(untouched: Draft, log: readonly LogEntry[]): Draft {
  let draft = untouched;
  for (const { number, changes } of log) {
    const fieldRevisions = { ...draft.fieldRevisions };
    for (const { field, after, to } of changes) {
      draft = withField(draft, field, after);
      if (to === 0) delete fieldRevisions[field];
      else fieldRevisions[field] = to;
    }
    draft = { ...draft, fieldRevisions, revision: number };
  }
  return draft;
}
