/**
 * The composition of a draft: page, preview, checks and the hash of an approval come from one. What an editor approves
 * is composed again then, so that a stale one is never approved.
 */
import { LRUCache } from 'lru-cache';
import type { AppContext } from '../../../core/app-context.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import type { ComposedEdition } from '../../compose.ts';
import { editionHash } from '../../draft/approval.ts';
import { arrangeDraft } from '../../draft/arranged-draft.ts';
import type { Draft } from '../../draft/decisions.ts';
import { readDraft } from '../../draft/draft-store.ts';
import type { DraftTarget } from '../../draft/draft-target.ts';
import { composeUnrecorded, type DraftArrangement } from '../../preview.ts';
import { contentKey, RenderCache } from './render-cache.ts';

export interface DraftComposition {
  kind: 'composed';
  /** Of its HTML and text: the same bytes have the same id, in every process. */
  id: string;
  composed: ComposedEdition;
  /** Whether it has fewer stories than the newsletter's minimum: its slot would be skipped. */
  isSkipped: boolean;
  /** In the revision that was composed. */
  draft: Draft;
  /** What an approval of it covers, as `editionHash` makes it. */
  hash: string;
}

/** There is nothing to show: no story, or the edition is closed. In one line. */
export interface EmptyComposition {
  kind: 'empty';
  reason: string;
}

/** Each keeps about 300 KB. */
const MAX_COMPOSITIONS = 32;
// Composing takes some 50 ms, and another command must come each time.
const MAX_TRIES = 5;

/** Composes drafts for the desk of one process. */
export class DraftComposer {
  readonly #app: AppContext;
  /** For compositions elsewhere: the same content is not rendered again. */
  readonly rendering = new RenderCache();
  readonly #known = new LRUCache<string, DraftComposition>({ max: MAX_COMPOSITIONS });

  constructor(app: AppContext) {
    this.#app = app;
  }

  /**
   * Composes the edition of a draft as it would close now, or at its slot if that is yet to come. The store is read
   * each time; the same content is rendered once.
   * @param arrangement of the draft; default: it is arranged now
   * @param closeAt when it would close, epoch milliseconds, if not then
   * @throws SlotError where the newsletter has no such slot; Error if a template is invalid
   */
  async compose(
    { newsletter, slot, edition }: DraftTarget,
    arrangement?: DraftArrangement,
    closeAt?: number,
  ): Promise<DraftComposition | EmptyComposition> {
    if (edition !== null) return { kind: 'empty', reason: 'the edition is closed' };
    const { store } = this.#app;
    const { nonce, render } = this.rendering;
    for (let tries = 1; ; tries++) {
      // It is arranged again where a command came meanwhile.
      const again =
        closeAt === undefined ? undefined : () => arrangeDraft(this.#app, { newsletter, slot, edition }, closeAt);
      const given = tries === 1 && arrangement !== undefined ? arrangement : await again?.();
      const outcome = await composeUnrecorded(this.#app, newsletter, slot.label, { nonce, render }, given);
      if (outcome.kind === 'refused') return { kind: 'empty', reason: outcome.reason };
      const { composed, isSkipped } = outcome;
      if (composed.kind === 'skipped') return { kind: 'empty', reason: composed.reason };
      const draft = await readDraft(store.db, newsletter.id, slot);
      if (draft.revision !== composed.draftRevision && tries < MAX_TRIES) continue;
      const stories = composed.articles.map(({ articleId: id, block, digest }) => ({ id, block, digest }));
      const id = contentKey([composed.html, composed.text].map((part) => part.replaceAll(nonce, '')));
      const composition: DraftComposition = {
        ...{ kind: 'composed', id, composed, isSkipped, draft },
        // Nobody can approve what has changed while it was composed.
        hash: draft.revision === composed.draftRevision ? editionHash(draft.decisions, stories) : '',
      };
      this.#known.set(keyOf(newsletter.id, slot.label, id), composition);
      return composition;
    }
  }

  /** The composition of that id, if it was composed here lately. */
  find(newsletter: string, slot: string, id: string): DraftComposition | undefined {
    return this.#known.get(keyOf(newsletter, slot, id));
  }
}

function keyOf(newsletter: string, slot: string, id: string): string {
  return JSON.stringify([newsletter, slot, id]);
}

const composers = new WeakMap<DeskContext, DraftComposer>();

/** The composer of a process. */
export function composerOf(desk: DeskContext): DraftComposer {
  let composer = composers.get(desk);
  if (composer === undefined) {
    composer = new DraftComposer(desk.app);
    composers.set(desk, composer);
  }
  return composer;
}
