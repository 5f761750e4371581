/**
 * Composes an edition: reads, selects, renders, and writes nothing. What it returns is closed by delivery, in one transaction that
 * refuses it if an article of it has changed since (record.ts).
 */
import type { Article } from '../articles/article.ts';
import { toArticle } from '../articles/queries.ts';
import type { Rejection } from '../articles/rejections.ts';
import type { Config, NewsletterConfig } from '../config/config.ts';
import { siteView } from '../config/site-view.ts';
import type { Templates } from '../lib/templates.ts';
import { rfc3339 } from '../lib/time.ts';
import type { Db, Store } from '../store/store.ts';
import { type ArticleVersion, findCandidates, findDueCorrections } from './candidates.ts';
import { blocksOf, type GatheredStories, type GatherOptions, gatherStories, notShown, refuseGaps } from './gather.ts';
import { type Edition, findEdition, lastEdition } from './queries.ts';
import type { CorrectionEntry, EditionLinks, EditionView } from './rendering/edition-view.ts';
import { blocksInRoom, filledBytes, fitToSize, type Room } from './rendering/fit.ts';
import { editionSubject, preheaderOf, roundupHeadline } from './rendering/headline.ts';
import { type RenderedEdition, renderEdition } from './rendering/render.ts';
import { correctionEntry } from './rendering/story-view.ts';
import { editionPath, roundupArticle } from './roundup-article.ts';
import { type Block, countStories, leadingStories, type SelectionRules } from './selection.ts';
import type { EditionSlot } from './slot.ts';
import { type EditionWindow, editionWindow } from './window.ts';

/** An edition that is ready to be closed. */
export interface Composed {
  kind: 'composed';
  newsletter: string;
  slot: string;
  slotAt: number;
  cutoffAt: number;
  number: number;
  /** Whole: `Tech Roundup: first item, second item`. */
  headline: string;
  subject: string;
  preheader: string;
  nonce: string;
  html: string;
  text: string;
  archiveHtml: string;
  /** Its articles as they stood, in the order of the edition; each counts from 0. */
  articles: (ArticleVersion & { block: Block; position: number })[];
  /** Candidates for which there was no room: eligible for the next edition, until they age out. */
  didNotFit: string[];
  /** The corrections it lists. */
  corrections: (ArticleVersion & { notedAt: number })[];
  /** Notes that stand with a story of this edition itself; the next one need not list them. */
  notesShown: { articleId: string; notedAt: number }[];
  /** Articles that could not be shown. */
  rejected: Rejection[];
  /** What it took its stories from; older ones age out when it closes. */
  window: EditionWindow;
  /** The newsletter's last edition when this one was composed. */
  lastEditionId: number | null;
  /** Stands for the edition in feeds. */
  roundupArticle: Article;
}

export interface ComposeOptions {
  slot: EditionSlot;
  /** Stories published before this instant may enter; never later than `now`. */
  cutoffAt: number;
  now: number;
  /** At least 16 random letters and digits, drawn for this edition. */
  nonce: string;
}

/**
 * Composes the edition of a newsletter's slot from what the store holds at `now`.
 * @throws Error where a template is wrong, or the nonce occurs in the edition's own words
 */
export async function composeEdition(
  store: Store,
  config: Config,
  templates: Templates,
  newsletter: NewsletterConfig,
  options: ComposeOptions,
): Promise<Composed | { kind: 'skipped'; reason: string } | { kind: 'closed'; edition: Edition }> {
  const { db } = store;
  const { slot, now, nonce } = options;
  const edition = await findEdition(db, newsletter.id, slot.label);
  if (edition !== null) return { kind: 'closed', edition };

  const last = await lastEdition(db, newsletter.id);
  // What is still under embargo at this moment waits, whatever the cut-off.
  const cutoffAt = Math.min(options.cutoffAt, now);
  const window = editionWindow(cutoffAt, last?.cutoffAt ?? null);
  const rules = rulesOf(config, newsletter, window);
  const candidates = await findCandidates(db, newsletter.id, window, last?.id ?? null);
  const ready = await gatherStories(db, candidates, { config, newsletter, rules, now, excerpts: 'whole' });
  if (countStories(ready.plan) < newsletter.minimumStories) {
    return { kind: 'skipped', reason: tooFew(ready, newsletter, window) };
  }

  const due = await gatherCorrections(db, config, newsletter);
  const number = (last?.number ?? 0) + 1;
  const make = async (room: Room): Promise<MadeEdition> => {
    const gathered = await gatherInRoom(db, ready, room, { config, newsletter, rules, now });
    const corrections = oldestInRoom(due, room);
    const leading = leadingArticles(gathered, rules);
    const view = editionView(config, newsletter, { slot, number, leading, gathered, corrections: corrections.views });
    const rendered = await renderEdition(view, siteView(config), templates, { template: newsletter.template, nonce });
    const bytes = filledBytes(rendered.html, nonce, config.publication.url);
    return { gathered, corrections, leading, view, rendered, bytes, left: countStories(gathered.plan) - 1 };
  };
  const { gathered, corrections, leading, view, rendered } = await fitToSize(make);
  return {
    kind: 'composed',
    newsletter: newsletter.id,
    slot: slot.label,
    slotAt: slot.slotAt,
    cutoffAt,
    number,
    headline: view.headline,
    subject: view.subject,
    preheader: view.preheader,
    nonce,
    ...rendered,
    articles: gathered.placed.map(({ block, stored }, position) => ({ ...versionOf(stored), block, position })),
    didNotFit: gathered.plan.didNotFit.map((candidate) => candidate.id),
    corrections: corrections.due,
    notesShown: gathered.placed.flatMap(({ article: { id, status } }) =>
      status.state === 'corrected' ? [{ articleId: id, notedAt: status.at }] : [],
    ),
    rejected: [...gathered.rejected, ...corrections.rejected],
    window,
    lastEditionId: last?.id ?? null,
    roundupArticle: roundupArticle(view, {
      config,
      id: await freeArticleId(db, `${newsletter.id}-${slot.label}`),
      headline: roundupHeadline(leading),
      image: gathered.placed.find(({ block }) => block === 'lead')?.article.image ?? null,
      now,
    }),
  };
}

interface MadeEdition {
  gathered: GatheredStories;
  corrections: Corrections;
  leading: Article[];
  view: EditionView;
  rendered: RenderedEdition;
  bytes: number;
  left: number;
}

/** What was gathered, as far as it finds room. */
async function gatherInRoom(
  db: Db,
  ready: GatheredStories,
  room: Room,
  options: Omit<GatherOptions, 'excerpts'>,
): Promise<GatheredStories> {
  if (room.excerpts === 'whole') return ready;
  const rules = { ...options.rules, blocks: blocksInRoom(ready.plan, room) };
  const gathered = await gatherStories(db, ready.candidates, { ...options, rules, excerpts: room.excerpts });
  return { ...gathered, rejected: [...ready.rejected, ...gathered.rejected] };
}

/** The newest of them wait for the next edition, as those do that one edition never lists. */
function oldestInRoom({ views, due, rejected }: Corrections, { share }: Room): Corrections {
  const from = views.length - Math.ceil(views.length * share);
  return { views: views.slice(from), due: due.slice(from), rejected };
}

function rulesOf(config: Config, newsletter: NewsletterConfig, window: EditionWindow): SelectionRules {
  const { leadKickers, sections } = config;
  return { window, blocks: newsletter.blocks, leadKickers, sections: sections.map((section) => section.id) };
}

function tooFew({ plan, rejected }: GatheredStories, newsletter: NewsletterConfig, window: EditionWindow): string {
  const count = countStories(plan);
  const stories = count === 0 ? 'no story is' : count === 1 ? 'only 1 story is' : `only ${count} stories are`;
  const aside =
    rejected.length === 0 ? '' : `; rejected: ${rejected.map((s) => `${s.articleId} (${s.problems[0]})`).join(', ')}`;
  return (
    `${stories} ready since ${rfc3339(window.from)}, and ${newsletter.id} needs ` +
    `at least ${newsletter.minimumStories}${aside}`
  );
}

function leadingArticles({ plan, placed }: GatheredStories, rules: SelectionRules): Article[] {
  return leadingStories(plan, rules).map(
    (story) => placed.find(({ article }) => article.id === story.id)?.article as Article,
  );
}

interface Corrections {
  views: CorrectionEntry[];
  due: Composed['corrections'];
  rejected: Rejection[];
}

async function gatherCorrections(db: Db, config: Config, newsletter: NewsletterConfig): Promise<Corrections> {
  const corrections: Corrections = { views: [], due: [], rejected: [] };
  for (const stored of await findDueCorrections(db, newsletter.id)) {
    try {
      corrections.views.push(refuseGaps(correctionEntry(toArticle(stored.document), config)));
      corrections.due.push({ ...versionOf(stored), notedAt: stored.notedAt });
    } catch (error) {
      corrections.rejected.push(notShown(newsletter.id, stored, error));
    }
  }
  return corrections;
}

interface ViewParts {
  slot: EditionSlot;
  number: number;
  leading: Article[];
  gathered: GatheredStories;
  corrections: CorrectionEntry[];
}

function editionView(config: Config, newsletter: NewsletterConfig, parts: ViewParts): EditionView {
  const { slot, number, leading, gathered, corrections } = parts;
  const { id, title, kicker } = newsletter;
  const blocks = blocksOf(gathered);
  const { top, news, roundup } = blocks;
  return {
    masthead: { title, newsletter: id, kicker, date: slot.slotAt, number, slot: slot.label },
    headline: `${kicker}: ${roundupHeadline(leading)}`,
    subject: editionSubject(kicker, leading),
    preheader: preheaderOf([
      ...(top === null ? [] : [top.dek, top.paragraphs[0]?.text ?? null]),
      ...roundup.slice(0, 1).flatMap((entry) => [entry.dek, entry.sentences?.text ?? null]),
      ...news.map((story) => story.dek),
      newsletter.description,
    ]),
    ...blocks,
    corrections,
    links: linksOf(config.publication.url, id, slot.label),
  };
}

function linksOf(publicUrl: string, newsletter: string, slot: string): EditionLinks {
  return {
    home: `${publicUrl}/`,
    archive: publicUrl + editionPath(newsletter, slot),
    editions: `${publicUrl}/editions/${newsletter}`,
    feeds: `${publicUrl}/feeds/`,
    newsletters: `${publicUrl}/newsletters`,
  };
}

/** An id that no article has, and no article ever had as its slug: a newsroom may have used the edition's own. */
async function freeArticleId(db: Db, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const id = n === 1 ? wanted : `${wanted}-${n}`;
    const taken = await db
      .selectFrom('articles')
      .select('id')
      .where('id', '=', id)
      .unionAll(db.selectFrom('article_slugs').select('article_id as id').where('slug', '=', id))
      .executeTakeFirst();
    if (taken === undefined) return id;
  }
}

function versionOf({ articleId, digest, state }: ArticleVersion): ArticleVersion {
  return { articleId, digest, state };
}
