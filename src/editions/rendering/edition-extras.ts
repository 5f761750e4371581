/** What the configuration of a newsletter adds to its editions. Pure. */
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { editionLocale, pictureUrl } from '../../core/config/site-view.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { shownMinutes } from '../copies/copy.ts';
import type { EditionView, Story } from './edition-view.ts';

type Extras = Pick<EditionView, 'newsTitle' | 'hasContents' | 'readingMinutes' | 'sponsor'>;

/** @param shown what the edition shows: its reading time counts that, not the articles */
export function editionExtras(config: Config, newsletter: NewsletterConfig, shown: ShownText): Extras {
  const { show, newsHours, sponsor } = newsletter;
  return {
    newsTitle: newsTitle(newsHours, editionLocale(config, newsletter)),
    hasContents: show.contents,
    readingMinutes: show.readingTime ? readingMinutes(shown) : null,
    sponsor: sponsor === undefined ? null : sponsorView(sponsor, config),
  };
}

/** `24-Hour News`; for about a week `This Week`. */
function newsTitle(hours: number, locale: Locale): string {
  const days = Math.round(hours / 24);
  if (days < 6) return locale.text('edition.newsOfHours', { hours });
  return days <= 8 ? locale.text('edition.newsOfWeek') : locale.text('edition.newsOfDays', { days });
}

function sponsorView(
  { label, text, url, image }: NonNullable<NewsletterConfig['sponsor']>,
  { publication }: Config,
): EditionView['sponsor'] {
  const picture = image && { url: pictureUrl(image.file, publication.url), alt: image.alt, width: image.width };
  return { label, text, url, host: new URL(url).host.replace(/^www\./, ''), image: picture ?? null };
}

/** Silent reading of English non-fiction: Brysbaert, "How many words do we read per minute?", 2019. */
const WORDS_PER_MINUTE = 238;
/** Trauzettel-Klosinski and Dietz, "Standardized Assessment of Reading Performance", 2012: words, and characters. */
const [ARABIC, HEBREW, CHINESE, JAPANESE] = [138, 187, 255, 357];

/** Their characters are counted. Thai and others without spaces have words by dictionary. Korean has spaces. */
const CJK = /[\p{sc=Hani}\p{sc=Hira}\p{sc=Kana}]/gu;
const UNSPACED = /[\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/u;
const dictionary = new Intl.Segmenter('und', { granularity: 'word' });
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}'’.,%-]*/gu;

type ShownText = Pick<EditionView, 'note' | 'lead' | 'news' | 'analysis' | 'roundup' | 'latest' | 'corrections'>;

/** Minutes, rounded, at least 1. */
export function readingMinutes(shown: ShownText): number {
  const { stories, others } = readingTimes(shown);
  return shownMinutes(stories.reduce((sum, minutes) => sum + minutes, others));
}

/**
 * Minutes for each story in display order, and for all else. Words count, and each character of Chinese and Japanese.
 * Addresses do not.
 */
export function readingTimes({ note, lead, news, analysis, roundup, latest, corrections }: ShownText): {
  stories: number[];
  others: number;
} {
  const timeOf = (texts: (string | null)[]): number => texts.reduce((sum, text) => sum + minutesOf(text ?? ''), 0);
  const withText = ({ headline, dek, paragraphs }: Story): number =>
    timeOf([headline, dek, ...paragraphs.map(withoutTags)]);
  return {
    stories: [
      ...(lead === null ? [] : [withText(lead)]),
      ...news.map(({ headline, dek }) => timeOf([headline, dek])),
      ...analysis.map(withText),
      ...roundup.map(({ headline, sentences, dek }) =>
        timeOf([headline, sentences === null ? dek : withoutTags(sentences)]),
      ),
      ...latest.map(({ headline }) => timeOf([headline])),
    ],
    others: timeOf([...note.map(withoutTags), ...corrections.flatMap(({ headline, note: text }) => [headline, text])]),
  };
}

function minutesOf(text: string): number {
  const characters = (text.match(CJK)?.length ?? 0) / (/[\p{sc=Hira}\p{sc=Kana}]/u.test(text) ? JAPANESE : CHINESE);
  return (text.replace(CJK, ' ').match(WORD) ?? []).reduce((sum, word) => sum + minutesOfWord(word), characters);
}

function minutesOfWord(word: string): number {
  if (/\p{sc=Arab}/u.test(word)) return 1 / ARABIC;
  if (/\p{sc=Hebr}/u.test(word)) return 1 / HEBREW;
  if (!UNSPACED.test(word)) return 1 / WORDS_PER_MINUTE;
  return [...dictionary.segment(word)].filter(({ isWordLike }) => isWordLike).length / WORDS_PER_MINUTE;
}

/** The text of a paragraph has the addresses of its links, which nobody reads. */
function withoutTags({ html }: EditionView['note'][number]): string {
  return html.replace(/<[^>]*>/g, '');
}
