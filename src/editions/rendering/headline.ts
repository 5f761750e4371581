/** The headline of an edition for pages and feeds, and the email's subject, which is the headline shortened. */
import type { Article } from '../../articles/article.ts';
import { isolate } from '../../lib/locale/direction.ts';
import type { Locale } from '../../lib/locale/locale.ts';
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
 * roundup. Isolates keep two adjacent right-to-left items in order.
 * @param locale of the edition
 * @param stories in the order of `leadingStories`; the first two count
 */
export function roundupHeadline(locale: Locale, stories: readonly HeadlineStory[]): string {
  const [first = '', second] = stories.map(itemOf);
  return second === undefined ? isolate(first, locale.dir) : locale.text('subject.headline', { first, second });
}

/** `Roundup Name: first item, second item`, not shortened. @param kicker name of the roundup */
export function editionHeadline(locale: Locale, kicker: string, stories: readonly HeadlineStory[]): string {
  return joined(locale, kicker, stories.map(itemOf));
}

/**
 * As `editionHeadline`, in at most 70 graphemes. The first item gets the space that the second does not need. Items are
 * cut between words; only a cut item ends in an ellipsis.
 */
export function editionSubject(locale: Locale, kicker: string, stories: readonly HeadlineStory[]): string {
  const name = shorten(plainLine(kicker), KICKER_LENGTH);
  const items = stories.slice(0, 2).map(itemOf);
  const frame = joined(locale, name, ['', ''].slice(2 - items.length));
  const isolates = joined(locale, name, items).length - frame.length - items.join('').length;
  const available = SUBJECT_LENGTH - graphemeCount(frame) - isolates;
  const [first = '', second] = items;
  if (second === undefined) return joined(locale, name, [shorten(first, available)]);
  const kept = Math.min(graphemeCount(second), Math.floor(available * SECOND_SHARE));
  const shortFirst = shorten(first, available - kept);
  return joined(locale, name, [shortFirst, shorten(second, available - graphemeCount(shortFirst))]);
}

function joined(locale: Locale, kicker: string, [first = '', second]: readonly string[]): string {
  return second === undefined
    ? locale.text('subject.one', { kicker, first })
    : locale.text('subject.two', { kicker, first, second });
}

/** The subject of a correction, which also goes to those who have an earlier revision. An editor may have said so. */
export function correctionSubject(locale: Locale, subject: string): string {
  // A label may be in brackets: 【訂正】.
  const begin = (text: string): string => text.toLocaleLowerCase(locale.language).replace(/^[^\p{L}\p{N}]+/u, '');
  const label = begin(locale.text('subject.correction', { subject: '' })).replace(/[^\p{L}]+$/u, '');
  const isSaid = begin(subject).startsWith(label) && !/^[\p{L}\p{N}]/u.test(begin(subject).slice(label.length));
  return isSaid ? subject : locale.text('subject.correction', { subject });
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
  return plainLine(story.shortHeadline ?? story.headline).replace(/[.。,;，；、،؛۔\s]+$/u, '');
}
