/**
 * The draft that a request is about.
 */
import type { NewsletterConfig } from '../../../core/config/config.ts';
import type { DeskRequest } from '../../../web/desk/desk-request.ts';
import { sentence } from '../../../web/desk/parts/operator-text.ts';
import { type DraftTarget, findDraftTarget } from '../../draft/draft-target.ts';
import { comingSlot, SlotError } from '../../slots.ts';

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
