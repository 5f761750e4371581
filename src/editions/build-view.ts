/** The data of an edition's templates: its stories and corrections, the editor's texts, the links. */
import type { Article } from '../articles/article.ts';
import type { Config, NewsletterConfig } from '../core/config/config.ts';
import { editionLocale } from '../core/config/site-view.ts';
import type { PreheaderText } from './copies/build-segments.ts';
import type { Draft } from './draft/decisions.ts';
import { editionExtras } from './rendering/edition-extras.ts';
import type {
  Correction,
  EditionLinks,
  EditionView,
  Paragraph,
  RoundupItem,
  StoryLine,
} from './rendering/edition-view.ts';
import { correctionSubject, editionHeadline, editionPreheader, editionSubject } from './rendering/headline.ts';
import { renderNote } from './rendering/note.ts';
import { editionPath } from './roundup-article.ts';
import { type LoadedStories, storyBlocks } from './selection/load-stories.ts';
import type { EditionSlot } from './slot.ts';

/** Parts of a view besides stories and corrections. */
interface AboutEdition extends Pick<EditionView['masthead'], 'number' | 'revision' | 'revisionNote' | 'isCorrection'> {
  slot: EditionSlot;
  draft: Draft;
}

/** What a preview of an edition without stories says in their place. */
const NO_STORIES = { headline: 'no stories', shortHeadline: null, html: 'No stories yet.', text: 'No stories yet.' };

/** Builds the view of an edition from its stories and the texts of its draft. Pure. */
export function buildEditionView(
  config: Config,
  newsletter: NewsletterConfig,
  { slot, draft, ...numbers }: AboutEdition,
  stories: LoadedStories,
  leading: Article[],
  corrections: Correction[],
): EditionView {
  const { id, title, kicker } = newsletter;
  const locale = editionLocale(config, newsletter);
  const blocks = storyBlocks(stories);
  const isEmpty = stories.placed.length === 0;
  const headlines = isEmpty ? [NO_STORIES] : leading;
  const subject = draft.decisions.subject ?? editionSubject(locale, kicker, headlines);
  const note = draft.decisions.note === null ? [] : renderNote(draft.decisions.note, config);
  if (isEmpty) note.push(NO_STORIES);
  return {
    masthead: { title, newsletter: id, kicker, date: slot.slotAt, slot: slot.label, ...numbers },
    note,
    ...editionExtras(config, newsletter, { ...blocks, note, corrections }),
    headline: editionHeadline(locale, kicker, headlines),
    subject: numbers.isCorrection ? correctionSubject(locale, subject) : subject,
    preheader: editionPreheader(preheaderTexts(newsletter, draft, blocks).map(({ text }) => text)),
    ...blocks,
    corrections,
    links: editionLinks(config.publication.url, id, slot.label),
  };
}

/** The subject and the preheader of an edition for which no editor has written any. */
export function automaticTexts(
  config: Config,
  newsletter: NewsletterConfig,
  stories: LoadedStories,
  leading: Article[],
): Pick<EditionView, 'subject' | 'preheader'> {
  return {
    subject: editionSubject(editionLocale(config, newsletter), newsletter.kicker, leading),
    preheader: editionPreheader(preheaderTexts(newsletter, null, storyBlocks(stories)).map(({ text }) => text)),
  };
}

/** The texts that may be the preheader, in order of preference. @param draft null without what an editor wrote */
export function preheaderTexts(
  { description }: NewsletterConfig,
  draft: Draft | null,
  { lead, roundup, news }: Pick<EditionView, 'lead' | 'roundup' | 'news'>,
): PreheaderText[] {
  const of = ({ articleId }: StoryLine, ...texts: (string | null | undefined)[]): PreheaderText[] =>
    texts.map((text = null) => ({ articleId, text }));
  const ofItem = (item: RoundupItem): PreheaderText[] => of(item, item.dek, item.sentences?.text);
  return [
    { articleId: null, text: draft?.decisions.preheader ?? null },
    ...(lead === null ? [] : of(lead, lead.dek, ...lead.paragraphs.filter(isNoHeading).map(({ text }) => text))),
    ...roundup.slice(0, 1).flatMap(ofItem),
    ...news.flatMap((story) => of(story, story.dek)),
    ...roundup.slice(1).flatMap(ofItem),
    { articleId: null, text: description },
  ];
}

/** A heading, or a bold paragraph in its place, says little on its own. */
function isNoHeading({ html }: Paragraph): boolean {
  return !/^<strong>(?:(?!<\/strong>).)*<\/strong>$/s.test(html);
}

function editionLinks(publicUrl: string, newsletter: string, slot: string): EditionLinks {
  return {
    home: `${publicUrl}/`,
    archive: publicUrl + editionPath(newsletter, slot),
    editions: `${publicUrl}/editions/${newsletter}`,
    feeds: `${publicUrl}/feeds/`,
    newsletters: `${publicUrl}/newsletters`,
  };
}
