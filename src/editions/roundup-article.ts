/**
 * The article of kind `roundup` that represents a closed edition in feeds and on the front page. Its page is the
 * edition's archive page.
 */
import { type Article, type Image, type Outlet, tagUri } from '../articles/article.ts';
import type { Config } from '../core/config/config.ts';
import { isolate } from '../lib/locale/direction.ts';
import { type Locale, Markup } from '../lib/locale/locale.ts';
import { escapeHtml } from '../lib/text/html.ts';
import type { EditionView, StoryLine } from './rendering/edition-view.ts';
import { headlineWithKicker } from './rendering/story-view.ts';

export interface RoundupArticleOptions {
  config: Config;
  /** That of the edition. */
  locale: Locale;
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
  const { config, locale, id, headline, image, now, isPublic } = options;
  const { masthead } = view;
  const bodyHtml = storyList(view, locale);
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
    language: locale.language,
    status: { state: isPublic ? 'published' : 'draft' },
    page: editionPath(masthead.newsletter, masthead.slot),
  };
}

/** The site path of an edition's archive page. */
export function editionPath(newsletter: string, slot: string): string {
  return `/editions/${newsletter}/${slot}`;
}

function storyList(view: EditionView, locale: Locale): string {
  const { lead, news, analysis, roundup, latest, corrections } = view;
  const dek = lead?.dek ? `<p>${escapeHtml(lead.dek)}</p>` : '';
  const { revisionNote } = view.masthead;
  const linked = (story: StoryLine): string => link(story.url, headlineWithKicker(story, locale));
  const withDek = (story: StoryLine): string =>
    story.dek === null ? linked(story) : `${linked(story)}<br>${locale.value(story.dek)}`;
  return [
    revisionNote === null ? '' : `<p><em>${escapeHtml(revisionNote)}</em></p>`,
    lead === null ? '' : `<p><strong>${linked(lead)}</strong></p>${dek}`,
    block(escapeHtml(view.newsTitle), news.map(withDek)),
    block(locale.html('edition.analysis'), analysis.map(withDek)),
    block(
      locale.html('edition.roundup'),
      roundup.map((item) => {
        const text = item.sentences?.html ?? escapeHtml(item.dek ?? '');
        const headline = link(item.headlineUrl, headlineWithKicker(item, locale));
        const readOn = item.more && item.headlineUrl !== item.url ? link(item.url, locale.text('edition.readOn')) : '';
        const below = [text, readOn, credits(item.outlet, item.also, locale)].filter((part) => part !== '').join(' ');
        return below === '' ? headline : `${headline}<br>${below}`;
      }),
    ),
    block(locale.html('edition.latest'), latest.map(linked)),
    block(
      locale.html('edition.corrections'),
      corrections.map(({ kind, url, headline: text, note }) => {
        const values = { headline: new Markup(link(url, text)), note };
        return kind === 'correction'
          ? locale.html('edition.correctedStory', values)
          : locale.html('edition.retractedStory', values);
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

function credits(outlet: Outlet | null, also: Outlet[], locale: Locale): string {
  if (outlet === null) return '';
  const credit = ({ url, name }: Outlet): string =>
    url === null ? locale.value(name) : link(url, isolate(name, locale.dir));
  const values = { outlet: new Markup(credit(outlet)), others: locale.markupList(also.map(credit), 'plain') };
  return locale.html(also.length === 0 ? 'edition.creditAlone' : 'edition.credit', values);
}

function link(url: string, text: string): string {
  return `<a href="${escapeHtml(url)}">${escapeHtml(text)}</a>`;
}
