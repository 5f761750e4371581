/**
 * Parses and validates articles. The import runs it in a thread: front matter, Markdown and HTML that someone wrote for
 * the purpose can take minutes.
 */
import { basename, extname } from 'node:path';
import { boundedLine } from '../../lib/text/clean-text.ts';
import { removeUnpairedDirections } from '../../lib/text/text-direction.ts';
import type { PictureFolder } from '../pictures/own-pictures.ts';
import { type ArticleRules, type Candidate, type CandidateReader, candidateReader } from './candidate.ts';
import type { RuleViolation } from './fields.ts';
import { type ArticleDefaults, withDefaults, withOwnSlug, withWordLists } from './files/defaults.ts';
import { dayOfPlace } from './files/file-place.ts';
import type { ImportFormat } from './files/import-files.ts';
import type { RecordMessage } from './front-matter/mend-yaml.ts';
import type { TranslationRules } from './front-matter/translate.ts';
import { isBlankValue } from './front-matter/values.ts';
import { type ParsedRecord, parseJsonLine, parseMarkdown, type TranslatedRecord, translateRecord } from './parse.ts';
import { PLACED_KEYS, type PlacedKey } from './revise.ts';

/** One article as text. */
export interface ArticleText {
  /** Name of the file, for people. */
  name: string;
  format: ImportFormat;
  /** From 1, or null if the whole file is the article. */
  line: number | null;
  text: string;
  /** Where the article states no id. */
  defaultId: string | null;
  defaults?: ArticleDefaults | undefined;
  /** Where its pictures are. Default: nowhere, as for a text that is no file. */
  pictures?: PictureFolder | undefined;
  /** Whether a source brings it. Default: no. */
  isFromSource?: boolean | undefined;
  /** Whether any wrong field rejects it, as in a form. Default: only a primary one. */
  isStrict?: boolean | undefined;
}

/** Problems and warnings read `file:line: message`. */
export type ArticleResult = (
  | { kind: 'valid'; candidate: Candidate; warnings: string[]; lines: KeyLines; hasFreeSlug: boolean }
  | { kind: 'invalid'; id: string | null; problems: string[]; violations: RuleViolation[] }
  /** A page of a site. A notice says so. */
  | { kind: 'skipped'; id: null; problems: [] }
) & {
  /** An import reports each text once, however many articles it is true of. */
  notices: (RecordMessage & { source: string })[];
  /** Keys that were left out, because they mean nothing here. */
  ignoredKeys: string[];
};

/** Rules by which articles are parsed. */
export interface ParseRules extends ArticleRules {
  /** Further names of keys. */
  keys: TranslationRules['keys'];
}

/** The line of each key that the import may yet write about. */
type KeyLines = Record<PlacedKey, number>;

/** @returns one result for each text, in order */
export async function parseArticles(input: { rules: ParseRules; texts: ArticleText[] }): Promise<ArticleResult[]> {
  const { keys, ...rules } = input.rules;
  const readCandidate = readerOf(rules);
  const results: ArticleResult[] = [];
  for (const { name, format, line, text, defaultId, defaults, pictures = null, ...options } of input.texts) {
    const { isFromSource = false, isStrict = false } = options;
    const written = format === 'markdown' ? parseMarkdown(text) : parseJsonLine(text, line ?? 1);
    const parsed = defaults?.hasWordLists === true ? withWordLists(written) : written;
    const isOwnFormat = format === 'jsonl';
    const translation = { sections: rules.sections, keys, isOwnFormat, authors: defaults?.authors };
    const translated = translateRecord(parsed, translation, extname(name).toLowerCase() === '.mdx');
    const placed = defaults === undefined ? translated : withDefaults(translated, parsed, defaults);
    const completed = isOwnFormat ? placed : withDayOfAddress(placed, parsed);
    const page = isOwnFormat ? null : pageOfSite(name, parsed, completed);
    if (page !== null) {
      const text = `is skipped: ${page} is no article; one that is needs a date (published: 2026-11-24 07:30)`;
      const notices = [{ source: name, line: 1, text }];
      results.push({ kind: 'skipped', id: null, problems: [], notices, ignoredKeys: [] });
      continue;
    }
    // In a file without an id, a slug is that of the site: here, the article may have another one.
    const hasOwnId = completed.kind === 'parsed' && !isBlankValue(completed.fields.id);
    const hasFreeSlug = format === 'markdown' && (!hasOwnId || defaults?.address != null);
    const record = hasFreeSlug ? withOwnSlug(completed) : completed;
    const provenance = { pictures, siteUrl: defaults?.address?.siteUrl, isFromSource, isStrict };
    const result = await readCandidate(record, name, defaultId, provenance);
    const { notices, ignored } = record.kind === 'parsed' ? record : { notices: [], ignored: [] };
    const shared = { notices: notices.map((notice) => ({ source: name, ...notice })), ignoredKeys: ignored };
    const turning = 'left out: characters that turn the text after them around (U+202A to U+2069)';
    if (removeUnpairedDirections(text) !== text) shared.notices.push({ source: name, line: line ?? 1, text: turning });
    const more = result.kind === 'valid' ? { ...result, lines: linesOf(record), hasFreeSlug } : result;
    results.push({ ...more, ...shared });
  }
  return results;
}

const LATEST = Date.UTC(2100);

/** Some sites have the date only in the path of the page: `path = "2014/12/12/roof"`. */
function withDayOfAddress(record: TranslatedRecord, written: ParsedRecord): TranslatedRecord {
  if (record.kind === 'broken' || written.kind === 'broken' || !isBlankValue(record.fields.published)) return record;
  const paths = ['path', 'permalink', 'url']
    .map((key) => written.fields[key])
    .filter((path) => typeof path === 'string');
  const parts = paths.map((path) => path.trim().slice(0, 1_000).split('/')).find(([first]) => !first?.includes(':'));
  const published = parts === undefined ? null : dayOfPlace({ folders: parts, name: '' }, LATEST);
  return published === null ? record : { ...record, fields: { ...record.fields, published } };
}

const PAGE_NAMES = new RegExp(
  '^(?:index|40[34]|500|error|home|about(?:us)?|contact(?:us)?|imprint|impressum|privacy(?:policy)?|legal|search|' +
    'terms(?:ofservice)?|archives?|tags?|categor(?:y|ies)|authors?|team|faq|sitemap|subscribe|newsletter|feed|thanks|' +
    'readme|licen[cs]e|changelog|contributing|codeofconduct|security)$',
);
const POST_LAYOUT = /post|blog|news|article|story|entry|single/;

/** @returns what the file is, if it is a page of a site and no article: by its name or layout, and without a date */
function pageOfSite(file: string, written: ParsedRecord, record: TranslatedRecord): string | null {
  const name = basename(file, extname(file));
  if (/^_index\b/.test(name)) return 'a list of a section (_index)';
  if (name === '_defaults') return 'a template of posts (_defaults)';
  const isPageName = PAGE_NAMES.test(name.toLowerCase().replace(/[ _-]/g, ''));
  if (record.kind === 'broken' || written.kind === 'broken') {
    return isPageName && name !== 'index' ? `a page without a date (${name})` : null;
  }
  // An id is an article's, and a state too: a draft needs no date.
  const given = [written.fields.id, record.fields.published, record.fields.state];
  if (given.some((value) => !isBlankValue(value))) return null;
  if (isPageName) return `a page without a date (${name})`;
  const { layout } = written.fields;
  if (typeof layout !== 'string' || layout === '' || POST_LAYOUT.test(layout.toLowerCase())) return null;
  return `a page without a date (layout: ${boundedLine(layout, 60)})`;
}

/** The last reader: creating its schema takes longer than a batch. */
let last: { key: string; reader: CandidateReader } | null = null;

function readerOf(rules: ArticleRules): CandidateReader {
  const key = JSON.stringify(rules);
  if (last?.key !== key) last = { key, reader: candidateReader(rules) };
  return last.reader;
}

function linesOf(record: TranslatedRecord): KeyLines {
  const lines = PLACED_KEYS.map((key) => [key, record.kind === 'parsed' ? record.lineOf([key]) : record.line]);
  return Object.fromEntries(lines) as KeyLines;
}
