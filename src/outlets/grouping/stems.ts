/** Stems and stop words of the languages that most outlets write. In others, each word is its own stem. */
import { stemmer as danish } from '@orama/stemmers/danish';
import { stemmer as dutch } from '@orama/stemmers/dutch';
import { stemmer as english } from '@orama/stemmers/english';
import { stemmer as finnish } from '@orama/stemmers/finnish';
import { stemmer as french } from '@orama/stemmers/french';
import { stemmer as german } from '@orama/stemmers/german';
import { stemmer as italian } from '@orama/stemmers/italian';
import { stemmer as norwegian } from '@orama/stemmers/norwegian';
import { stemmer as portuguese } from '@orama/stemmers/portuguese';
import { stemmer as russian } from '@orama/stemmers/russian';
import { stemmer as spanish } from '@orama/stemmers/spanish';
import { stemmer as swedish } from '@orama/stemmers/swedish';
import { stopwords as danishStops } from '@orama/stopwords/danish';
import { stopwords as dutchStops } from '@orama/stopwords/dutch';
import { stopwords as englishStops } from '@orama/stopwords/english';
import { stopwords as finnishStops } from '@orama/stopwords/finnish';
import { stopwords as frenchStops } from '@orama/stopwords/french';
import { stopwords as germanStops } from '@orama/stopwords/german';
import { stopwords as italianStops } from '@orama/stopwords/italian';
import { stopwords as norwegianStops } from '@orama/stopwords/norwegian';
import { stopwords as portugueseStops } from '@orama/stopwords/portuguese';
import { stopwords as russianStops } from '@orama/stopwords/russian';
import { stopwords as spanishStops } from '@orama/stopwords/spanish';
import { stopwords as swedishStops } from '@orama/stopwords/swedish';
import { withoutApostrophes } from './words.ts';

interface WordRules {
  stem(word: string): string;
  stops: ReadonlySet<string>;
}

const RULES: ReadonlyMap<string, WordRules> = new Map([
  ['da', rules(danish, danishStops)],
  ['de', rules(german, germanStops)],
  ['en', rules(english, englishStops)],
  ['es', rules(spanish, spanishStops)],
  ['fi', rules(finnish, finnishStops)],
  ['fr', rules(french, frenchStops)],
  ['it', rules(italian, italianStops)],
  ['nb', rules(norwegian, norwegianStops)],
  ['nl', rules(dutch, dutchStops)],
  ['no', rules(norwegian, norwegianStops)],
  ['pt', rules(portuguese, portugueseStops)],
  ['ru', rules(russian, russianStops)],
  ['sv', rules(swedish, swedishStops)],
]);

function rules(stem: (word: string) => string, stops: string[]): WordRules {
  return { stem, stops: new Set(stops.map(withoutApostrophes)) };
}

/**
 * @param word in lower case, without apostrophes
 * @param language primary, such as `en`
 * @returns null for a stop word
 */
export function stemOf(word: string, language: string): string | null {
  const known = RULES.get(language);
  if (known === undefined || /\p{N}/u.test(word)) return word;
  return known.stops.has(word) ? null : known.stem(word);
}
