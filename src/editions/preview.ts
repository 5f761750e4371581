/**
 * A coming edition, as far as its articles are known, as files. Nothing is closed, queued or recorded.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findArticles } from '../articles/queries.ts';
import { countRejectionsByStage } from '../articles/rejections.ts';
import type { AppContext } from '../core/app-context.ts';
import type { NewsletterConfig } from '../core/config/config.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../lib/private-files.ts';
import { type ComposedEdition, type CompositionOptions, composeEdition, type SkippedEdition } from './compose.ts';
import { fillHtml, fillText } from './rendering/placeholders.ts';
import type { ArrangedEdition } from './selection/arrange.ts';
import { type LeftOutArticle, listLeftOut } from './selection/left-out.ts';
import type { Block } from './selection/selection.ts';
import type { EditionWindow } from './selection/window.ts';
import type { EditionSlot } from './slot.ts';
import { comingSlot, slotLabelled } from './slots.ts';

/** What an edition would contain. */
interface PreviewContent {
  slot: EditionSlot;
  window: EditionWindow;
  /** Stories; several reports of one event count once. */
  stories: number;
  /** Whether the slot would be skipped: it has fewer stories than the newsletter's minimum. */
  isSkipped: boolean;
  /** An earlier slot that is yet to come, whose edition may take stories of this one; or null. */
  earlierSlot: string | null;
  /** In display order. */
  articles: { id: string; block: Block; headline: string }[];
  leftOut: LeftOutArticle[];
  /** Number of articles that are older than those in `leftOut`. */
  olderArticles: number;
  /** Number of articles that the import rejected: they are in no edition. */
  rejectedArticles: number;
}

export type Preview =
  | (PreviewContent & { kind: 'written'; composed: ComposedEdition; htmlPath: string; textPath: string; text: string })
  /** There is no story to show. */
  | (PreviewContent & { kind: 'empty' });

/** The slot is closed, or has no story. */
export interface NotComposed {
  kind: 'refused';
  reason: string;
}

/**
 * Writes `<data folder>/preview/<newsletter>.html` and `.txt`, also with fewer stories than the newsletter's minimum.
 * @param label the slot, such as `2026-11-24`, past or coming; default: the next one. A coming slot is composed as it
 * would be if no article changed until then.
 * @throws SlotError where the newsletter has no such slot
 */
export async function writePreview(
  app: AppContext,
  newsletter: NewsletterConfig,
  label?: string,
): Promise<Preview | NotComposed> {
  const outcome = await composeUnrecorded(app, newsletter, label);
  if (outcome.kind === 'refused') return outcome;
  const content = await contentOf(app, newsletter, outcome);
  const { composed } = outcome;
  if (composed.kind === 'skipped') return { kind: 'empty', ...content };
  return { kind: 'written', ...content, composed, ...writePreviewFiles(app, composed) };
}

/** What a preview has in place of a subscriber's own links: they lead nowhere. */
export function previewLinks(publicUrl: string): { unsubscribe: string; preferences: string } {
  return { unsubscribe: `${publicUrl}/unsubscribe/preview`, preferences: `${publicUrl}/preferences/preview` };
}

/** Writes `<data folder>/preview/<newsletter>.html` and `.txt`. */
export function writePreviewFiles(
  { config: { paths, publication } }: Pick<AppContext, 'config'>,
  { newsletter, nonce, ...composed }: Pick<ComposedEdition, 'newsletter' | 'nonce' | 'html' | 'text'>,
): { htmlPath: string; textPath: string; text: string } {
  const values = previewLinks(publication.url);
  const folder = join(paths.data, 'preview');
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const [htmlPath, textPath] = [join(folder, `${newsletter}.html`), join(folder, `${newsletter}.txt`)];
  const text = fillText(composed.text, nonce, values);
  // New files: an existing one could be readable by other users.
  for (const path of [htmlPath, textPath]) rmSync(path, { force: true });
  writeFileSync(htmlPath, fillHtml(composed.html, nonce, values), { mode: PRIVATE_FILE });
  writeFileSync(textPath, text, { mode: PRIVATE_FILE });
  return { htmlPath, textPath, text };
}

export interface UnrecordedEdition {
  kind: 'composed';
  slot: EditionSlot;
  composed: ComposedEdition | SkippedEdition;
  /** Whether it has fewer stories than the newsletter's minimum. */
  isSkipped: boolean;
}

/** The stories of a draft, as a page shows them and an edition is composed of them. */
export interface DraftArrangement {
  /** The instant for which they were arranged, epoch milliseconds. */
  at: number;
  arranged: ArrangedEdition;
}

/**
 * Composes an edition as it would close at its slot, also with fewer stories than the newsletter's minimum. Records
 * nothing.
 * @param label of the slot; default: the next one
 * @param rendering default: with a nonce of its own
 * @param arrangement of the slot's draft; default: it is arranged now
 * @throws SlotError where the newsletter has no such slot
 */
export async function composeUnrecorded(
  app: AppContext,
  newsletter: NewsletterConfig,
  label?: string,
  rendering: Pick<CompositionOptions, 'nonce' | 'render'> = { nonce: randomBytes(16).toString('hex') },
  arrangement?: DraftArrangement,
): Promise<UnrecordedEdition | NotComposed> {
  const { store, config, templates, clock } = app;
  const now = clock();
  const slot = await (label === undefined
    ? comingSlot(app, newsletter, now)
    : slotLabelled(app, newsletter, now, label));
  // What is under embargo until then will be public.
  const at = arrangement?.at ?? Math.max(now, slot.slotAt);
  const options = { slot, cutoffAt: at, now: at, ...rendering };
  const { arranged } = arrangement ?? {};
  const composed = await composeEdition(store, config, templates, newsletter, { ...options, arranged });
  if (composed.kind === 'closed') {
    return { kind: 'refused', reason: `the edition of ${slot.label} is closed; without a slot, the next one is used` };
  }
  if (composed.kind === 'composed') return { kind: 'composed', slot, composed, isSkipped: false };
  const short = await composeEdition(store, config, templates, { ...newsletter, minimumStories: 1 }, options);
  return { kind: 'composed', slot, composed: short.kind === 'closed' ? composed : short, isSkipped: true };
}

async function contentOf(
  app: AppContext,
  newsletter: NewsletterConfig,
  { slot, composed, isSkipped }: UnrecordedEdition,
): Promise<PreviewContent> {
  const { db } = app.store;
  const shown = composed.kind === 'composed' ? composed.articles : [];
  const found = await findArticles(
    db,
    shown.map(({ articleId }) => articleId),
  );
  const headlines = new Map(found.map(({ id, headline }) => [id, headline]));
  const next = await comingSlot(app, newsletter, app.clock());
  const { articles: leftOut, older } = await listLeftOut(db, newsletter, composed);
  return {
    slot,
    window: composed.window,
    stories: countShown(composed),
    isSkipped,
    earlierSlot: next.slotAt < slot.slotAt ? next.label : null,
    articles: shown.map(({ articleId: id, block }) => ({ id, block, headline: headlines.get(id) ?? '' })),
    leftOut,
    olderArticles: older,
    rejectedArticles: (await countRejectionsByStage(db)).import,
  };
}

/** The number of its stories. */
export function countShown(composed: ComposedEdition | SkippedEdition): number {
  return composed.kind === 'composed' ? composed.articles.filter(({ block }) => block !== 'also').length : 0;
}
