/**
 * The article of kind `roundup` that represents a closed edition in feeds and on the front page. Its page is the
 * edition's archive page.
 */
import { type Article, fullHeadline, type Image, type Outlet, tagUri } from '../articles/article.ts';
import type { Config } from '../core/config/config.ts';
import { escapeHtml } from '../lib/text/html.ts';
import type { EditionView, StoryLine } from './rendering/edition-view.ts';

export interface RoundupArticleOptions {
  config: Config;
  /** BCP 47, of the edition. */
  language: string;
  /** Must not be the id or slug of another article. */
  id: string;
  /** Without the name of the roundup. */
  headline: string;
  /** Image of the lead. */
  image: Image | null;
  /** The closing instant. */
  now: number;
  /** False for an alert: its one story is in the feeds already. */
  isPublic: boolean;
}

/** Builds the article of an edition. Its body lists the stories with links and credits, and says its revision. */
export function buildRoundupArticle(view: EditionView, options: RoundupArticleOptions): Article {
  const { config, language, id, headline, image, now, isPublic } = options;
  const { masthead } = view;
  const bodyHtml = storyList(view);
  return {
    id,
    tagUri: tagUri(config.publication.tagAuthority, id),
    slug: id,
    url: null,
    kind: 'roundup',
    kicker: masthead.kicker,
    topic: null,
    headline,
    shortHeadline: null,
    pinned: false,
    dek: view.lead?.dek ?? null,
    body: { format: 'html', source: bodyHtml },
    bodyHtml,
    publishedAt: now,
    updatedAt: now,
    section: null,
    tags: [],
    bylines: [],
    fullStory: null,
    related: [],
    outlet: null,
    also: [],
    eventKey: null,
    image,
    enclosures: [],
    language,
    status: { state: isPublic ? 'published' : 'draft' },
    page: editionPath(masthead.newsletter, masthead.slot),
  };
}

/** The site path of an edition's archive page. */
export function editionPath(newsletter: string, slot: string): string {
  return `/editions/${newsletter}/${slot}`;
}

function storyList(view: EditionView): string {
  const { lead, news, analysis, roundup, latest, corrections } = view;
  const dek = lead?.dek ? `<p>${escapeHtml(lead.dek)}</p>` : '';
  const { revisionNote } = view.masthead;
  return [
    revisionNote === null ? '' : `<p><em>${escapeHtml(revisionNote)}</em></p>`,
    lead === null ? '' : `<p><strong>${linked(lead)}</strong></p>${dek}`,
    block(view.newsTitle, news.map(withDek)),
    block('Analysis', analysis.map(withDek)),
    block(
      'Roundup',
      roundup.map((item) => {
        const text = item.sentences?.html ?? escapeHtml(item.dek ?? '');
        const headline = link(item.headlineUrl, fullHeadline(item));
        const readOn = item.more && item.headlineUrl !== item.url ? link(item.url, 'Read on') : '';
        const parts = [headline, text, readOn, credits(item.outlet, item.also)];
        return parts.filter((part) => part !== '').join(' ');
      }),
    ),
    block('Latest', latest.map(linked)),
    block(
      'Corrections',
      corrections.map(({ kind, url, headline, note }) => {
        const label = kind === 'correction' ? 'Corrected' : 'Retracted';
        return `${label}: ${link(url, headline)} ${escapeHtml(note)}`;
      }),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** Empty blocks are omitted, with their headings. */
function block(heading: string, items: string[]): string {
  return items.length === 0 ? '' : `<h2>${heading}</h2><ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function withDek(story: StoryLine): string {
  return story.dek === null ? linked(story) : `${linked(story)} ${escapeHtml(story.dek)}`;
}

function credits(outlet: Outlet | null, also: Outlet[]): string {
  if (outlet === null) return '';
  const others = also.length === 0 ? '' : `; also: ${also.map(credit).join(', ')}`;
  return `(${credit(outlet)}${others})`;
}

function credit({ url, name }: Outlet): string {
  return url === null ? escapeHtml(name) : link(url, name);
}

function linked(story: StoryLine): string {
  return link(story.url, fullHeadline(story));
}

function link(url: string, text: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}
