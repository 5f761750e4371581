/** The headline of an edition for pages and feeds, and the email's subject, which is the headline shortened. */
import type { Article } from '../../articles/article.ts';
import { isolate } from '../../lib/locale/direction.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { displayWidth } from './wrap-text.ts';

/** About as many columns as mail programs show of a subject. Chinese and Japanese characters take two. */
const SUBJECT_COLUMNS = 70;
/** A longer name of a roundup is left out where the headline would be cut. */
const KICKER_COLUMNS = 28;
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
 * As `editionHeadline`, in at most 70 columns: the second item only if both fit. Of all that it has, only the first
 * item may be cut.
 */
export function editionSubject(locale: Locale, kicker: string, stories: readonly HeadlineStory[]): string {
  const [first = '', second = ''] = stories.map(itemOf);
  const name = plainLine(kicker);
  const isFitting = (text: string): boolean => displayWidth(text) <= SUBJECT_COLUMNS;
  const both = joined(locale, name, [first, second]);
  if (second !== '' && second !== first && isFitting(both)) return both;
  const one = joined(locale, name, [first]);
  if (isFitting(one)) return one;
  if (displayWidth(name) > KICKER_COLUMNS) return isolate(shorten(first, SUBJECT_COLUMNS, displayWidth), locale.dir);
  const available = SUBJECT_COLUMNS - displayWidth(joined(locale, name, ['']));
  return joined(locale, name, [shorten(first, available, displayWidth)]);
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
 * The text that mail programs show next to the subject: the first of the texts that has words, on one line, without the
 * addresses of its links, in at most 140 graphemes.
 * @param texts the lead's dek, then its substitutes
 */
export function editionPreheader(texts: readonly (string | null)[]): string {
  const lines = texts.map((text) => plainLine(text ?? '').replace(LINKED_ADDRESS, ''));
  const preheader = lines.find((line) => /[\p{L}\p{N}]/u.test(line.replace(BARE_ADDRESS, ''))) ?? '';
  return shorten(preheader, PREHEADER_LENGTH);
}

/** As excerpts have it: `word (https://example.com/)`. */
const LINKED_ADDRESS = / ?\((?:https?:\/\/|mailto:)(?:[^\s()]|\([^\s()]*\))*\)/g;
const BARE_ADDRESS = /(?:https?:\/\/|mailto:|www\.)\S*|[^\s@]{1,64}@\S+/g;

function itemOf(story: HeadlineStory): string {
  // Without a full stop before the comma that joins the items.
  return plainLine(story.shortHeadline ?? story.headline).replace(/[.。,;，；、،؛۔\s]+$/u, '');
}
