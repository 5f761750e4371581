/**
 * A closed edition as an article of kind `roundup`: an item of the feeds and of the front page, whose own page is the archive page.
 */
import { type Article, fullHeadline, type Image, tagUri } from '../articles/article.ts';
import type { Config } from '../config/config.ts';
import type { EditionView, Outlet, StoryLine } from './rendering/edition-view.ts';
import { escapeHtml } from './rendering/excerpt.ts';

export interface RoundupArticleOptions {
  config: Config;
  /** Free among the ids and the slugs of all articles. */
  id: string;
  /** Without the roundup's name. */
  headline: string;
  /** The lead's. */
  image: Image | null;
  /** The closing instant. */
  now: number;
}

/** The article of an edition. Its body lists the stories with their links and credits. */
export function roundupArticle(view: EditionView, options: RoundupArticleOptions): Article {
  const { config, id, headline, image, now } = options;
  const { masthead } = view;
  const bodyHtml = listOfStories(view);
  return {
    id,
    tagUri: tagUri(config.publication.tagAuthority, id),
    slug: id,
    kind: 'roundup',
    kicker: masthead.kicker,
    topic: null,
    headline,
    shortHeadline: null,
    pinned: false,
    dek: view.top?.dek ?? null,
    body: { format: 'html', source: bodyHtml },
    bodyHtml,
    publishedAt: now,
    updatedAt: now,
    section: null,
    tags: [],
    bylines: [],
    fullStory: null,
    related: [],
    source: null,
    eventKey: null,
    image,
    enclosures: [],
    language: config.publication.language,
    status: { state: 'published' },
    page: editionPath(masthead.newsletter, masthead.slot),
  };
}

/** The site path of an edition's archive page. */
export function editionPath(newsletter: string, slot: string): string {
  return `/editions/${newsletter}/${slot}`;
}

function listOfStories(view: EditionView): string {
  const { top, news, analysis, roundup, latest, corrections } = view;
  const lead =
    top === null ? '' : `<p><strong>${linked(top)}</strong></p>${top.dek ? `<p>${escapeHtml(top.dek)}</p>` : ''}`;
  return [
    lead,
    block('24-hour news', news.map(withDek)),
    block('Analysis', analysis.map(withDek)),
    block(
      'Roundup',
      roundup.map((entry) => {
        const said = entry.sentences?.html ?? escapeHtml(entry.dek ?? '');
        return [linked(entry), said, credits(entry.outlet, entry.also)].filter((part) => part !== '').join(' ');
      }),
    ),
    block('Latest', latest.map(linked)),
    block(
      'Corrections',
      corrections.map((entry) => {
        const word = entry.kind === 'correction' ? 'Corrected' : 'Retracted';
        return `${word}: ${link(entry.url, entry.headline)} ${escapeHtml(entry.note)}`;
      }),
    ),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/** A block with nothing in it is left out, with its heading. */
function block(heading: string, items: string[]): string {
  return items.length === 0 ? '' : `<h2>${heading}</h2><ul>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function withDek(story: StoryLine): string {
  return story.dek === null ? linked(story) : `${linked(story)} ${escapeHtml(story.dek)}`;
}

function credits(outlet: Outlet | null, also: Outlet[]): string {
  if (outlet === null) return '';
  const others = also.length === 0 ? '' : `; also: ${also.map(({ url, name }) => link(url, name)).join(', ')}`;
  return `(${link(outlet.url, outlet.name)}${others})`;
}

function linked(story: StoryLine): string {
  return link(story.url, fullHeadline(story));
}

function link(url: string, text: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}
