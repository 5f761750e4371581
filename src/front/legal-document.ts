/** Reads the texts of the imprint, the privacy policy and other pages: Markdown files of the operator. */
import { readFile, stat } from 'node:fs/promises';
import { sanitiseMarkdown } from '../articles/sanitise.ts';
import { CONFIRM_WITHIN_HOURS } from '../audience/consent/signup-limits.ts';
import type { Config } from '../core/config/config.ts';
import { isElsewhere, type LegalPage, legalPages } from '../core/config/legal-pages.ts';
import { ownSites } from '../core/config/sources.ts';
import { type Finding, problem, warning } from '../core/finding.ts';
import { localeOf } from '../lib/locale/locale.ts';
import { cleanLine, decodeUtf8 } from '../lib/text/clean-text.ts';

export interface LegalDocument {
  title: string;
  /** Sanitised as the body of an article. */
  html: string;
  /** Names in braces that are no known values: they are shown as written. */
  unknown: string[];
  /** Placeholders of `daywire init` that are still to be filled in, such as `(your register and number)`. */
  unfilled: string[];
}

/** The file of a legal text cannot be shown. */
export class LegalDocumentError extends Error {
  override name = 'LegalDocumentError';
}

/** Bytes of a file. A long privacy policy has 50,000. */
const MAX_BYTES = 200_000;
const MAX_TITLE = 200;

/** @throws LegalDocumentError if its file cannot be read or shown, which names key and file */
export async function readLegalDocument(page: LegalPage, config: Config): Promise<LegalDocument> {
  const about = `${page.key} is ${page.source}`;
  const text = await readText(page.source, about);
  try {
    const locale = localeOf(config.publication.language, config.ownMessages);
    return renderLegalText(text, typeof page.title === 'string' ? locale.text(page.title) : page.title.text, config);
  } catch (error) {
    throw new LegalDocumentError(`${about}: ${(error as Error).message}`);
  }
}

/**
 * Renders a legal text. The title is that of its first line, if that is a heading (`# Imprint`).
 * @throws BodyError if its HTML nests too deep, or is too long
 */
export function renderLegalText(text: string, defaultTitle: string, config: Config): LegalDocument {
  const values = legalValues(config);
  const unknown = new Set<string>();
  const fill = (part: string, show: (value: string) => string): string =>
    part.replace(VALUE, (written, name: string) => {
      if (Object.hasOwn(values, name)) return show(values[name] as string);
      unknown.add(cleanLine(written));
      return written;
    });
  const { heading, body } = splitHeading(text);
  const title = cleanLine(fill(heading ?? '', (value) => value)).slice(0, MAX_TITLE);
  const { html } = sanitiseMarkdown(fill(body, asMarkdownText), ownSites(config));
  return {
    title: title === '' ? defaultTitle : title.toWellFormed(),
    html,
    unknown: [...unknown],
    unfilled: text.match(UNFILLED) ?? [],
  };
}

/** Checks that the configured texts can be shown and are filled in. */
export async function checkLegalTexts(config: Config): Promise<Finding[]> {
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const page of legalPages(config).filter((one) => !isElsewhere(one))) {
    try {
      const { unknown, unfilled } = await readLegalDocument(page, config);
      if (unknown.length > 0) {
        const known = Object.keys(legalValues(config)).join(', ');
        problems.push(`${page.key} is ${page.source}: there is no value ${unknown.join(', ')}; there are ${known}`);
      }
      if (unfilled.length > 0) warnings.push(`${page.key} is ${page.source}: replace ${unfilled.join(', ')}`);
    } catch (error) {
      if (!(error instanceof LegalDocumentError)) throw error;
      problems.push(error.message);
    }
  }
  return [...problems.map(problem), ...warnings.map(warning)];
}

const UNFILLED = /\(your [^()\n]{1,100}\)/g;

/** A value is written as `{{ retention.consentDays }}`. */
const VALUE = /\{\{ {0,4}([A-Za-z.]{1,60}) {0,4}\}\}/g;

/** The values of the configuration that a text can show, by their keys. */
function legalValues({ publication, retention, signup }: Config): Record<string, string> {
  return {
    'publication.name': publication.name,
    'publication.contact.name': publication.contact.name,
    'publication.contact.email': publication.contact.email,
    'publication.postalAddress': publication.postalAddress,
    'retention.deliveriesDays': String(retention.deliveriesDays),
    'retention.consentIpsDays': String(retention.consentIpsDays),
    'retention.consentDays': String(retention.consentDays),
    'signup.confirmWithinHours': String(CONFIRM_WITHIN_HOURS),
    'signup.deleteUnconfirmedAfterDays': String(signup.deleteUnconfirmedAfterDays),
  };
}

/** Character references: a value never becomes markup, in Markdown or in HTML. */
function asMarkdownText(value: string): string {
  return cleanLine(value).replace(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`);
}

function splitHeading(text: string): { heading: string | null; body: string } {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith('# ')) return { heading: null, body: text };
  const end = trimmed.search(/\r|\n/);
  const line = end === -1 ? trimmed : trimmed.slice(0, end);
  return { heading: line.slice(2), body: end === -1 ? '' : trimmed.slice(end) };
}

async function readText(path: string, about: string): Promise<string> {
  let bytes: Buffer;
  try {
    const found = await stat(path);
    // Opening a pipe would wait for ever.
    if (!found.isFile()) throw new LegalDocumentError(`${about}: it must be a file`);
    if (found.size > MAX_BYTES) {
      throw new LegalDocumentError(`${about}: the file has ${found.size} bytes, and may have ${MAX_BYTES}`);
    }
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof LegalDocumentError) throw error;
    throw new LegalDocumentError(`${about}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const text = decodeUtf8(bytes);
  if (text === null) throw new LegalDocumentError(`${about}: the file is not in UTF-8`);
  if (text.trim() === '') throw new LegalDocumentError(`${about}: the file is empty`);
  return text;
}
