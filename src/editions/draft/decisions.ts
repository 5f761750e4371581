/**
 * The decisions of an editor about an edition. They refer to stories by id and contain none of their text, so that a
 * correction of a story shows up in the edition, and a retracted story drops out.
 */

/** The blocks of an edition that an editor can fill. */
export const DRAFT_BLOCKS = ['lead', 'news', 'analysis', 'roundup', 'latest'] as const;
export type DraftBlock = (typeof DRAFT_BLOCKS)[number];

export type StoryDecision =
  /** Not in this edition, nor by itself in a later one. */
  | { kind: 'dropped' }
  /** In this edition, as if the article were pinned, in the block that suits it. */
  | { kind: 'pinned' }
  /** In this block, also beyond its limit. */
  | { kind: 'placed'; block: DraftBlock };

export interface Decisions {
  /** Instead of the automatic subject; one line. */
  subject: string | null;
  /** Instead of the automatic preheader; one line. */
  preheader: string | null;
  /** Editor's note, in Markdown. */
  note: string | null;
  /**
   * The order of each block that an editor touched, as story ids: what is not in the list follows below. A block
   * without a list is in automatic order.
   */
  blocks: Partial<Record<DraftBlock, string[]>>;
  /** By story id. */
  stories: Record<string, StoryDecision>;
}

export const NO_DECISIONS: Decisions = { subject: null, preheader: null, note: null, blocks: {}, stories: {} };

/** A story of an edition in its place, in display order. `digest` identifies its content. */
export interface ListedStory {
  id: string;
  /** `also`: another outlet's report of the event of the roundup item before it. */
  block: DraftBlock | 'also';
  digest: string;
}

export type DraftState =
  | { kind: 'automatic' }
  /** The edition waits until the editor lets it go. Instants are epoch milliseconds. */
  | { kind: 'held'; by: string; at: number; reason: string | null }
  /** The edition closes with exactly these stories. */
  | { kind: 'approved'; by: string; at: number; hash: string; stories: ListedStory[] }
  /** The edition, or its newest revision, closed with these stories; decisions made since are for a reissue. */
  | { kind: 'closed'; at: number; stories: ListedStory[] };

/** Where a story is moved within its block. */
export type StoryPlace = { kind: 'first' } | { kind: 'last' } | { kind: 'before' | 'after'; story: string };

export type DraftCommand =
  /** A null text restores the automatic one; a null note removes it. */
  | { kind: 'subject' | 'preheader' | 'note'; text: string | null }
  | { kind: 'drop' | 'pin' | 'restore'; story: string }
  | { kind: 'move'; story: string; block: DraftBlock; place: StoryPlace }
  | { kind: 'hold'; reason: string | null }
  | { kind: 'unhold' }
  /** `stories`: what the editor has seen. */
  | { kind: 'approve'; hash: string; stories: ListedStory[] };

/** What one command changes. Commands that change different fields do not affect each other. */
export type DraftField = 'subject' | 'preheader' | 'note' | 'state' | `block:${DraftBlock}` | `story:${string}`;

/** The value of a field: null where no editor has decided. */
export type FieldValue = string | string[] | StoryDecision | DraftState | null;

export interface Draft {
  newsletter: string;
  /** Label of the slot. */
  slot: string;
  /** Epoch milliseconds. */
  slotAt: number;
  state: DraftState;
  decisions: Decisions;
  /** The log entry that each changed field has its value from; 0 for the others. */
  fieldRevisions: Partial<Record<DraftField, number>>;
  /** The number of the newest log entry; 0 for a draft that nobody has touched. */
  revision: number;
  /** When an editor lets it close before its slot, epoch milliseconds; null: at its slot. */
  closeAt: number | null;
}

/** The draft of a slot that nobody has touched. */
export function untouchedDraft(newsletter: string, slot: string, slotAt: number): Draft {
  return {
    newsletter,
    slot,
    slotAt,
    state: { kind: 'automatic' },
    decisions: NO_DECISIONS,
    fieldRevisions: {},
    revision: 0,
    closeAt: null,
  };
}

/** Reads a field. */
export function fieldValue({ state, decisions }: Pick<Draft, 'state' | 'decisions'>, field: DraftField): FieldValue {
  if (field === 'state') return state;
  if (field === 'subject' || field === 'preheader' || field === 'note') return decisions[field];
  const [kind, name] = splitField(field);
  if (kind === 'block') return decisions.blocks[name as DraftBlock] ?? null;
  return Object.hasOwn(decisions.stories, name) ? (decisions.stories[name] as StoryDecision) : null;
}

/** Returns the draft with another value of a field; null removes the editor's decision. */
export function withField(draft: Draft, field: DraftField, value: FieldValue): Draft {
  const { decisions } = draft;
  if (field === 'state') return { ...draft, state: value as DraftState };
  if (field === 'subject' || field === 'preheader' || field === 'note') {
    return { ...draft, decisions: { ...decisions, [field]: value as string | null } };
  }
  const [kind, name] = splitField(field);
  const part = kind === 'block' ? 'blocks' : 'stories';
  const others = Object.entries(decisions[part]).filter(([key]) => key !== name);
  const entries = value === null ? others : [...others, [name, value]];
  // In the order of names, so that the same decisions are the same bytes, independent of the order of the commands.
  entries.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
  return { ...draft, decisions: { ...decisions, [part]: Object.fromEntries(entries) } };
}

function splitField(field: `block:${DraftBlock}` | `story:${string}`): ['block' | 'story', string] {
  const at = field.indexOf(':');
  return [field.slice(0, at) as 'block' | 'story', field.slice(at + 1)];
}
