/** The languages of pages, mails and feeds: which messages each has, and who has read them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../../core/cli/context.ts';
import type { Config } from '../../core/config/config.ts';
import { fallbacks, localeOf } from '../../lib/locale/locale.ts';
import {
  BUILT_IN_LOCALES,
  builtInFile,
  englishMessages,
  languagesIn,
  type MessageFile,
  readOwnFiles,
} from '../../lib/locale/message-file.ts';

interface LanguageEntry {
  /** BCP 47. */
  language: string;
  messages: number;
  /** Messages that are shown in English instead. */
  missing: number;
  /** The native speaker who has read its messages. */
  reviewedBy: string | null;
}

/** The languages that have a file, built in or of the newsroom. */
export function listLanguages(config: Config): LanguageEntry[] {
  const languages = new Set([...languagesIn(BUILT_IN_LOCALES), ...Object.keys(config.ownMessages)]);
  const { files } = readOwnFiles(config.paths.locales);
  return [...languages].sort().map((language) => entryOf(language, config, files));
}

/** @param files of the newsroom */
function entryOf(language: string, { ownMessages }: Config, files: Record<string, MessageFile>): LanguageEntry {
  const missing = localeOf(language, ownMessages).missing().length;
  const primary = (tag: string): string => new Intl.Locale(tag).language;
  const sources = fallbacks(language).filter((one) => primary(one) === primary(language));
  const reviewedBy = sources.map((one) => files[one]?.reviewedBy ?? builtInFile(one)?.reviewedBy ?? null);
  return {
    ...{ language, messages: Object.keys(englishMessages()).length - missing, missing },
    reviewedBy: reviewedBy.find((reviewer) => reviewer !== null) ?? null,
  };
}

/** Warnings of `check` about the languages of the publication, its newsletters and its feeds. */
export function languageWarnings(config: Config): string[] {
  const { publication, newsletters, feeds, paths } = config;
  const { files } = readOwnFiles(paths.locales);
  const used = [publication, ...newsletters, ...feeds].flatMap(({ language }) => language ?? []);
  return [...new Set(used)].flatMap((language) => {
    const { messages, missing, reviewedBy } = entryOf(language, config, files);
    const untranslated =
      `languages: ${missing} messages are not in ${language}, and are shown in English: "daywire locales missing ` +
      `${language}" lists them; translate them in ${join(paths.locales, `${language}.yaml`)}`;
    const unread =
      `languages: the words in ${language} are not reviewed by a native speaker: have them read, above all those ` +
      'about consent and unsubscribing (docs/languages.md)';
    return [...(missing > 0 ? [untranslated] : []), ...(messages > 0 && reviewedBy === null ? [unread] : [])];
  });
}

/**
 * Writes a file of messages for the newsroom to edit: the built-in one, or that of a wider language or English to begin
 * with. @returns its path @throws CommandError if it exists and `isForced` is not set
 */
export function ejectLanguage(folder: string, language: string, isForced: boolean): string {
  const path = join(folder, `${language}.yaml`);
  if (existsSync(path) && !isForced) throw new CommandError(`${path} exists already: overwrite it with --force`);
  const from = fallbacks(language).find((one) => builtInFile(one) !== null) ?? 'en';
  const text = readFileSync(join(BUILT_IN_LOCALES, `${from}.yaml`), 'utf8');
  mkdirSync(folder, { recursive: true });
  // Nobody has read what is made of a file of another language.
  writeFileSync(path, from === language ? text : text.replace(/^(?:#.*\n)*reviewedBy:.*$/m, 'reviewedBy: null'));
  return path;
}
