/** The headline of an edition for pages and feeds, and the email's subject, which is the headline shortened. */
import type { Article } from '../../articles/article.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { graphemeCount, shorten } from '../../lib/text/shorten.ts';

/** About as many graphemes as mail programs show of a subject. */
const SUBJECT_LENGTH = 70;
/** Part of the subject available for the name of the roundup. */
const KICKER_LENGTH = 28;
/** Minimum share of the second item in the space of both. */
const SECOND_SHARE = 0.4;
/** Graphemes of a preheader; the rest is cut off. */
const PREHEADER_LENGTH = 140;

export type HeadlineStory = Pick<Article, 'headline' | 'shortHeadline'>;

/**
 * `first item, second item`: short headlines if the stories have them. One line, not shortened, without the name of the
 * roundup.
 * @param stories the edition's leading stories, one or two
 */
export function roundupHeadline(stories: readonly HeadlineStory[]): string {
  return stories.map((story) => isolate(itemOf(story))).join(', ');
}

/**
 * `Roundup Name: first item, second item` in at most 70 graphemes. The first item gets the space that the second does
 * not need. Items are cut between words; only a cut item ends in an ellipsis.
 * @param kicker name of the roundup
 */
export function editionSubject(kicker: string, stories: readonly HeadlineStory[]): string {
  const prefix = `${shorten(plainLine(kicker), KICKER_LENGTH)}: `;
  const items = stories.map(itemOf);
  const available = SUBJECT_LENGTH - graphemeCount(prefix);
  const [first = '', second] = items;
  if (second === undefined) return prefix + isolate(shorten(first, available - isolationLength(first)));
  const both = available - ', '.length - isolationLength(first) - isolationLength(second);
  const kept = Math.min(graphemeCount(second), Math.floor(both * SECOND_SHARE));
  const shortFirst = shorten(first, both - kept);
  const shortSecond = shorten(second, both - graphemeCount(shortFirst));
  return `${prefix}${isolate(shortFirst)}, ${isolate(shortSecond)}`;
}

/** The subject of a correction, which also goes to those who have an earlier revision. An editor may have said so. */
export function correctionSubject(subject: string): string {
  return /^correction\b/iu.test(subject) ? subject : `Correction: ${subject}`;
}

/**
 * The text that mail programs show next to the subject: the first of the texts that is not empty, on one line, in at
 * most 140 graphemes.
 * @param texts the lead's dek, then its substitutes
 */
export function editionPreheader(texts: readonly (string | null)[]): string {
  const preheader = texts.map((text) => plainLine(text ?? '')).find((line) => line !== '') ?? '';
  return shorten(preheader, PREHEADER_LENGTH);
}

function itemOf(story: HeadlineStory): string {
  // Without a full stop before the comma that joins the items.
  return plainLine(story.shortHeadline ?? story.headline).replace(/[.。,;，；\s]+$/u, '');
}

// Without isolates (FSI … PDI, UAX #9 §2.4), two adjacent right-to-left items would appear in the wrong order.
const RIGHT_TO_LEFT =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;

function isolate(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

function isolationLength(text: string): number {
  return RIGHT_TO_LEFT.test(text) ? 2 : 0;
}
