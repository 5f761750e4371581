/**
 * The roundup's headline, whole for pages and feeds, and the email's subject, which is the same, shortened.
 */
import type { Article } from '../../articles/article.ts';
import { lengthOf, shorten } from './shorten.ts';

/** Mail programs show about so much of a subject. */
const SUBJECT_LENGTH = 70;
/** A roundup's name takes no more of it. */
const KICKER_LENGTH = 28;
/** The second item is sure of so much of what the two share. */
const SECOND_SHARE = 0.4;
const PREHEADER_LENGTH = 140;

/** What the headline takes from a story. */
export type HeadlineStory = Pick<Article, 'headline' | 'shortHeadline'>;

/**
 * `first item, second item`: the short headlines where the stories have them. Whole, on one line, without the roundup's name.
 * @param stories the edition's leading stories, one or two
 */
export function roundupHeadline(stories: readonly HeadlineStory[]): string {
  return stories.map((story) => isolated(itemOf(story))).join(', ');
}

/**
 * `Roundup Name: first item, second item` in at most 70 graphemes. The first item keeps what the second can spare; each is cut at a
 * word, and only what is cut ends in an ellipsis.
 * @param kicker the roundup's name
 */
export function editionSubject(kicker: string, stories: readonly HeadlineStory[]): string {
  const prefix = `${shorten(plainLine(kicker), KICKER_LENGTH)}: `;
  const items = stories.map(itemOf);
  const room = SUBJECT_LENGTH - lengthOf(prefix);
  const [first = '', second] = items;
  if (second === undefined) return prefix + isolated(shorten(first, room - isolation(first)));
  const share = room - ', '.length - isolation(first) - isolation(second);
  const kept = Math.min(lengthOf(second), Math.floor(share * SECOND_SHARE));
  const shortFirst = shorten(first, share - kept);
  const shortSecond = shorten(second, share - lengthOf(shortFirst));
  return `${prefix}${isolated(shortFirst)}, ${isolated(shortSecond)}`;
}

/**
 * What mail programs show beside the subject: the first of these texts that says anything, on one line, at most 140 graphemes.
 * @param texts the lead's dek first, then what may stand in for it
 */
export function preheaderOf(texts: readonly (string | null)[]): string {
  const text = texts.map((candidate) => plainLine(candidate ?? '')).find((line) => line !== '') ?? '';
  return shorten(text, PREHEADER_LENGTH);
}

function itemOf(story: HeadlineStory): string {
  // A full stop would stand before the comma that joins the items.
  return plainLine(story.shortHeadline ?? story.headline).replace(/[.。,;，；\s]+$/u, '');
}

// Controls, line and paragraph separators, and the characters that turn the direction of all that follows them (UAX #9 §2).
const BREAKING = /[\p{Cc}\u2028\u2029\s]+/gu;
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

function plainLine(text: string): string {
  return text.toWellFormed().replace(TURNING, '').replace(BREAKING, ' ').trim();
}

// Two right-to-left items in a row would be read in the wrong order without isolates (FSI … PDI, UAX #9 §2.4).
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

function isolation(text: string): number {
  return RIGHT_TO_LEFT.test(text) ? 2 : 0;
}
