/** Data of the parts of a draft's page, and their addresses below the desk's path. */
import type { Article } from '../../../articles/article.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { DeskRequest, SignedInRequest } from '../../../web/desk/desk-request.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import type { ArrangedDraft } from '../../draft/arranged-draft.ts';
import type { DraftComposition, EmptyComposition } from '../../draft/compose-draft.ts';
import { type DraftTarget, draftPath, findDraftTarget, type NamedSlot } from '../../draft/draft-target.ts';
import type { EditionProblem } from '../../edition-checks/edition-problem.ts';
import type { LeftOutReason } from '../../selection/left-out.ts';
import { comingSlot, SlotError } from '../../slots.ts';
import type { CopyReach } from '../sending/copy-reach.ts';

export interface DraftPageView {
  request: SignedInRequest;
  draft: ArrangedDraft;
  /** As the edition would be sent. */
  composition: DraftComposition | EmptyComposition;
  reach: CopyReach;
  /** What an editor should correct: errors first. */
  problems: EditionProblem[];
  /** Headlines by article id, of the stories and of those that did not fit. */
  headlines: ReadonlyMap<string, string>;
  find: FoundStories;
  /** Whether the account may change the draft. */
  mayEdit: boolean;
}

/** What the words of the address find. Without words, every story matches and nothing is found. */
export interface FoundStories {
  words: string;
  matches(article: Article): boolean;
  /** Found among all articles, newest first. `reason`: why it is not in the edition; null if it is, or may be. */
  articles: { id: string; article: Article; reason: LeftOutReason | null }[];
}

/** A story in words. One that the page does not know is named by its id. */
export function storyName({ headlines }: Pick<DraftPageView, 'headlines'>, id: string): string {
  return headlines.get(id) ?? id;
}

/** The address of an act on the page of a draft. Browsers name that page, with its preview, as referrer. */
export function actPath(target: NamedSlot, act: string): string {
  return `${draftPath(target)}/${act}`;
}

/** The id of a story's row on the page. */
export function rowId(story: string): string {
  return `story-${story}`;
}

/** In words that a page shows: there is no such newsletter or slot. */
interface MissingDraft {
  kind: 'missing';
  message: string;
}

/** Finds the draft by the parameters `newsletter` and `slot` of the address; without a slot, the coming one. */
export async function findTarget({ c, desk }: DeskRequest): Promise<DraftTarget | MissingDraft> {
  const { app } = desk;
  const id = c.req.param('newsletter') ?? '';
  const newsletter = app.config.newsletters.find((one) => one.id === id);
  if (newsletter === undefined) return { kind: 'missing', message: `There is no newsletter ${id}.` };
  try {
    return await findDraftTarget(app, newsletter, c.req.param('slot'));
  } catch (error) {
    if (error instanceof SlotError) return { kind: 'missing', message: sentence(error) };
    throw error;
  }
}

export function isMissing(found: DraftTarget | MissingDraft): found is MissingDraft {
  return 'message' in found;
}

/** The newsletter whose slot comes first; null if none has one. */
export async function newsletterThatIsNext({ desk: { app } }: DeskRequest): Promise<NewsletterConfig | null> {
  const slots = await Promise.all(
    app.config.newsletters.map(async (newsletter) => {
      try {
        return [{ newsletter, slot: await comingSlot(app, newsletter, app.clock()) }];
      } catch (error) {
        // An alert newsletter without an open alert.
        if (error instanceof SlotError) return [];
        throw error;
      }
    }),
  );
  return slots.flat().sort((a, b) => a.slot.slotAt - b.slot.slotAt)[0]?.newsletter ?? null;
}
