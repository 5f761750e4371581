/** The copies of an edition: what those get who chose some of its stories. Pure. */
import { type Choice, type ChoiceFacets, choiceText, isChosen } from '../../articles/choice.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { correctionSubject, editionSubject, type HeadlineStory } from '../rendering/headline.ts';
import { fillHtml, fillText } from '../rendering/placeholders.ts';
import { type CopyContent, chooseParts, chooseText, type Part } from './segments.ts';

/** What is stored with an edition of a newsletter with choices, to make its copies. */
export interface EditionSegments {
  /** By number, in display order. An event of several outlets is one story. */
  stories: CopyStory[];
  /** Minutes of reading besides the stories. */
  minutes: number;
  /** The first whose story the copy has, or that has none, is its preheader. */
  preheaders: { story: number | null; text: string }[];
  html: Part[];
  /** Lines, wrapped; see `joinLines`. */
  text: Part[];
}

export interface CopyStory extends ChoiceFacets {
  articleId: string;
  /** Pinned: every copy has it. */
  isForAll: boolean;
  /** Minutes of reading. */
  minutes: number;
}

/** What all get who made the same choice. */
export interface EditionCopy {
  /** Canonical. */
  choice: string;
  /** Numbers of its stories, ascending: chosen ones, and those for all. */
  stories: number[];
  subject: string;
  /** Null if it is mailed; else why it is not. */
  suppressed: string | null;
}

/** Reason of the deliveries of copies that have too few stories. */
export const TOO_FEW = 'too few chosen stories';

/** What the subjects of copies are made of. */
export interface CopySubjects {
  /** The editor's, for all copies; null without. */
  own: string | null;
  /** Name of the roundup. */
  kicker: string;
  isCorrection: boolean;
  /** Those that the subject may name, most important first. `story`: its number. */
  leading: (HeadlineStory & { story: number })[];
}

/**
 * Returns the function that decides what those get who made a choice.
 * @param locale of the edition
 * @throws Error for an edition of a newsletter without choices
 */
export function openCopies(
  { segments, subjects }: { segments: EditionSegments | null; subjects: CopySubjects },
  locale: Locale,
): (choice: Choice) => EditionCopy {
  if (segments === null) throw new Error('the edition was composed without segments: its copies are all the same');
  // Thousands of choices have the same two leading stories, and shortening a subject takes a tenth of a millisecond.
  const known = new Map<string, string>();
  const subjectOf = (stories: ReadonlySet<number>): string => {
    const leading = subjects.leading.filter(({ story }) => stories.has(story)).slice(0, 2);
    const key = leading.map(({ story }) => story).join(' ');
    const subject = known.get(key) ?? copySubject(subjects, leading, locale);
    known.set(key, subject);
    return subject;
  };
  return (choice) => {
    const chosen = segments.stories.map((story) => isChosen(story, choice));
    const stories = segments.stories.flatMap(({ isForAll }, number) => (isForAll || chosen[number] ? number : []));
    const count = chosen.filter(Boolean).length;
    return {
      choice: choiceText(choice) ?? '',
      stories,
      subject: subjectOf(new Set(stories)),
      suppressed: count >= choice.atLeast ? null : `${TOO_FEW}: ${count} of at least ${choice.atLeast}`,
    };
  };
}

function copySubject({ own, kicker, isCorrection }: CopySubjects, leading: HeadlineStory[], locale: Locale): string {
  const subject = own ?? editionSubject(locale, kicker, leading);
  return isCorrection ? correctionSubject(locale, subject) : subject;
}

/** What the copy with these stories has. */
export function copyContent(
  segments: Pick<EditionSegments, 'stories' | 'minutes'>,
  stories: readonly number[],
): CopyContent {
  const minutes = stories.reduce((sum, number) => sum + (segments.stories[number]?.minutes ?? 0), segments.minutes);
  return { stories: new Set(stories), minutes: shownMinutes(minutes) };
}

/** Minutes of reading as they are shown: rounded, at least 1. */
export function shownMinutes(minutes: number): number {
  return Math.max(1, Math.round(minutes));
}

/** The preheader of the copy with these stories. */
export function copyPreheader(
  { preheaders }: Pick<EditionSegments, 'preheaders'>,
  stories: ReadonlySet<number>,
): string {
  return preheaders.find(({ story }) => story === null || stories.has(story))?.text ?? '';
}

/**
 * Makes the mail of a copy.
 * @param nonce of the edition
 * @param links values of the personal placeholders
 * @throws Error as `fillPlaceholders`
 */
export function fillCopy(
  segments: EditionSegments,
  { stories, subject }: Pick<EditionCopy, 'stories' | 'subject'>,
  nonce: string,
  links: Readonly<Record<string, string>>,
): { subject: string; preheader: string; html: string; text: string } {
  const content = copyContent(segments, stories);
  const preheader = copyPreheader(segments, content.stories);
  const values = { ...links, preheader, headline: subject };
  const html = fillHtml(chooseParts(segments.html, content).join(''), nonce, values);
  const text = fillText(chooseText(segments.text, content), nonce, values);
  return { subject, preheader, html, text };
}
