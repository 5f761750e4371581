/**
 * Cuts headlines as subjects of editions, and judges them by rules of its own:
 *
 *     node scripts/subject-problems.ts FILE.csv
 *
 * The file has the columns `language` (BCP 47) and `headline`. Prints each problem, and counts by language. Also
 * imported by the test of subjects.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { editionSubject } from '../src/editions/rendering/headline.ts';
import { displayWidth } from '../src/editions/rendering/wrap-text.ts';
import { localeOf } from '../src/lib/locale/locale.ts';

const CLOSING = {
  '“': '”“',
  '„': '“”',
  '«': '»',
  '»': '«',
  '‹': '›',
  '‘': '’',
  '‚': '‘’',
  '(': ')',
  '[': ']',
} as const;
const WIDE_CLOSING = { '（': '）', '「': '」', '『': '』', '《': '》', '【': '】', '〈': '〉' } as const;
const PAIRS: Record<string, string> = { ...CLOSING, ...WIDE_CLOSING };

/** Quotes and brackets that a text opens and does not close. Those that are apostrophes, too, are not looked at. */
function openMarks(text: string): string[] {
  const open: string[] = [];
  for (const mark of text) {
    if (PAIRS[open.at(-1) ?? '']?.includes(mark)) open.pop();
    else if (PAIRS[mark] !== undefined && mark !== '‘') open.push(mark);
  }
  return (text.split('"').length % 2 === 0 ? ['"'] : []).concat(open);
}

/** @param headline the first story's, which is the only one that may be cut */
export function subjectProblems(subject: string, headline: string): string[] {
  const problems: string[] = [];
  if (displayWidth(subject) > 70) problems.push('wider than 70 columns');
  const cuts = subject.split('…').length - 1;
  if (cuts > headline.split('…').length) problems.push('cut twice');
  if (openMarks(subject).length > openMarks(headline).length) problems.push('open quote');
  const at = subject.lastIndexOf('…');
  if (at === -1) return problems;
  const before = subject.slice(0, at);
  // The longest end of the part before the ellipsis that the headline has.
  const from =
    [...Array(before.length).keys()].find((start) => headline.startsWith(before.slice(start))) ?? before.length;
  const kept = before.slice(from);
  const rest = headline.slice(kept.length);
  if (kept === '') problems.push('nothing of the headline');
  if (/[\p{L}\p{N}]$/u.test(kept) && /^[\p{L}\p{N}]/u.test(rest) && !/[\p{Lo}ー]$/u.test(kept))
    problems.push('cut in a word');
  if (/\p{Nd}$/u.test(kept) && /^[\s.]*[\p{L}\p{Nd}%€$£]/u.test(rest)) problems.push('number and unit apart');
  if (/\p{Sc}$/u.test(kept)) problems.push('unit without its number');
  return problems;
}

function main(file: string): void {
  const rows: { language: string; headline: string }[] = parse(readFileSync(file), { columns: true });
  const counts = new Map<string, { subjects: number; cut: number; problems: number }>();
  for (const [index, { language, headline }] of rows.entries()) {
    const next = rows[index + 1];
    const others = next?.language === language ? [next.headline] : [];
    const stories = [headline, ...others].map((text) => ({ headline: text, shortHeadline: null }));
    const subject = editionSubject(localeOf(language, {}), 'Roundup', stories);
    const problems = subjectProblems(subject, headline);
    for (const problem of problems) console.log(`${language}: ${problem}: ${subject}   of: ${headline}`);
    const count = counts.get(language) ?? { subjects: 0, cut: 0, problems: 0 };
    count.subjects++;
    if (subject.includes('…')) count.cut++;
    if (problems.length > 0) count.problems++;
    counts.set(language, count);
  }
  console.table(Object.fromEntries(counts));
}

const [file] = process.argv.slice(2);
if (import.meta.main) {
  if (file === undefined) throw new Error('name a CSV file');
  main(file);
}
