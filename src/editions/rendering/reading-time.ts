/** How long it takes to read what an edition shows. Pure. */
import type { EditionView } from './edition-view.ts';

/** Silent reading of English non-fiction: Brysbaert, "How many words do we read per minute?", 2019. */
const WORDS_PER_MINUTE = 238;
/** Chinese, by characters: Trauzettel-Klosinski and Dietz, "Standardized Assessment of Reading Performance", 2012. */
const CHARACTERS_PER_MINUTE = 255;

/** Scripts without spaces between words. Korean has them. */
const CJK = /[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]/gu;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’.,%-]*/gu;

export type ShownText = Pick<EditionView, 'note' | 'lead' | 'news' | 'analysis' | 'roundup' | 'latest' | 'corrections'>;

/** Minutes, rounded, at least 1. Words count, and each character of Chinese and Japanese. Addresses do not. */
export function readingMinutes(shown: ShownText): number {
  const text = textsOf(shown).join('\n');
  const characters = text.match(CJK)?.length ?? 0;
  const words = text.replace(CJK, ' ').match(WORD)?.length ?? 0;
  return Math.max(1, Math.round(words / WORDS_PER_MINUTE + characters / CHARACTERS_PER_MINUTE));
}

function textsOf({ note, lead, news, analysis, roundup, latest, corrections }: ShownText): string[] {
  const stories = lead === null ? analysis : [lead, ...analysis];
  return [
    ...note.map(withoutTags),
    ...stories.flatMap(({ headline, dek, paragraphs }) => [headline, dek ?? '', ...paragraphs.map(withoutTags)]),
    ...news.flatMap(({ headline, dek }) => [headline, dek ?? '']),
    ...roundup.flatMap((item) => [
      item.headline,
      item.sentences === null ? (item.dek ?? '') : withoutTags(item.sentences),
    ]),
    ...latest.map(({ headline }) => headline),
    ...corrections.flatMap(({ headline, note: text }) => [headline, text]),
  ];
}

/** The text of a paragraph has the addresses of its links, which nobody reads. */
function withoutTags({ html }: EditionView['note'][number]): string {
  return html.replace(/<[^>]*>/g, '');
}
