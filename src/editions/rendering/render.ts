/**
 * Renders an edition once for all recipients: Liquid to MJML to HTML; the archive page is derived from the same HTML. A
 * recipient's copy only fills in the remaining placeholders (placeholders.ts).
 */
import type { SiteView } from '../../core/config/site-view.ts';
import { textDirection } from '../../lib/locale/direction.ts';
import type { Templates } from '../../lib/templates.ts';
import { escapeHtml } from '../../lib/text/html.ts';
import { chooseParts, chooseText, mapParts, type Part, parseSegments } from '../copies/segments.ts';
import { type EditionView, numberedStories } from './edition-view.ts';
import { placeholder } from './placeholders.ts';
import { wrapText } from './wrap-text.ts';

export interface RenderedEdition {
  /** The email's HTML, with personal placeholders. */
  html: string;
  /** The email's text/plain part, with personal placeholders. */
  text: string;
  /** The page of the web archive, without personal content, placeholders or nonce. */
  archiveHtml: string;
  /** HTML and text as parts, of which a copy has some; the placeholders of the copy are not filled in. */
  parts: { html: Part[]; text: Part[] };
}

/** RFC 5322 §2.1.1 recommends at most 78; two levels of reply add `> > `. */
const TEXT_COLUMNS = 72;

/**
 * Renders `<template>.mjml` and `<template>.txt`. The same view gives the same bytes.
 * @param options.nonce at least 16 letters and digits, generated at random for this edition
 * @throws Error if a template is invalid (with the line), the nonce occurs in the edition's content, a placeholder is
 *   outside the personal regions, or a part has no unsubscribe link
 */
export async function renderEdition(
  view: EditionView,
  site: SiteView,
  templates: Templates,
  options: { template: string; nonce: string },
): Promise<RenderedEdition> {
  const { template, nonce } = options;
  const { language } = site;
  assertNonceUnused(view, site, nonce);
  const stories = numberedStories(view);
  const storyIds = stories.map(({ articleId }) => articleId);
  const data = {
    edition: view,
    stories,
    site,
    nonce,
    dir: textDirection(language),
    placeholders: Object.fromEntries(PLACEHOLDERS.map((name) => [name, placeholder(nonce, name)])),
    storyNumbers: Object.fromEntries(storyIds.map((id, number) => [id, number])),
  };
  const compiled = await compileMjml(await templates.html(`${template}.mjml`, data, language), `${template}.mjml`);
  const text = await templates.text(`${template}.txt`, data, language);
  const all = { stories: new Set(storyIds.keys()), minutes: view.readingMinutes ?? 0 };
  const escaped = { headline: escapeHtml(view.headline), preheader: escapeHtml(view.preheader) };
  const merged = chooseParts(parseSegments(compiled, nonce), all).join('').replace(ADJACENT_CONDITIONALS, '');
  const whole = fillCopyTexts(merged, nonce, escaped);
  const archiveHtml = asMain(keepRegion(removeRegion(whole, nonce, 'personal'), nonce, 'web'));
  if (archiveHtml.includes(nonce))
    throw new Error(`${template}.mjml has a placeholder or an unclosed marker outside its personal regions`);
  const toMail = (html: string): string => keepRegion(removeRegion(html, nonce, 'web'), nonce, 'personal');
  const html = toMail(whole);
  const parts = {
    html: parseSegments(toMail(compiled), nonce),
    text: mapParts(parseSegments(text, nonce), tidyText),
  };
  const none = { stories: new Set<number>(), minutes: 0 };
  const link = placeholder(nonce, 'unsubscribe');
  assertUnsubscribeLink(chooseParts(parts.html, none).join(''), link, `${template}.mjml`);
  assertUnsubscribeLink(chooseText(parts.text, none), link, `${template}.txt`);
  return { html, text: fillCopyTexts(chooseText(parts.text, all), nonce, view), archiveHtml, parts };
}

/** Names of the placeholders in templates: those of a recipient, and those of a copy (copies/copy.ts). */
const PLACEHOLDERS = ['unsubscribe', 'preferences', 'headline', 'preheader'];

// As MJML joins them where nothing is between: a segment was.
const ADJACENT_CONDITIONALS = /<!\[endif\]-->\s*<!--\[if mso \| IE\]>/g;

/** Fills in the placeholders of a copy. @param values escaped for HTML */
function fillCopyTexts(content: string, nonce: string, values: Record<'headline' | 'preheader', string>): string {
  return content
    .replaceAll(placeholder(nonce, 'headline'), () => values.headline)
    .replaceAll(placeholder(nonce, 'preheader'), () => values.preheader);
}

/**
 * Found only at delivery, a missing link would fail every message of a closed edition.
 * @param content of a copy without stories: the link is in every copy then
 */
function assertUnsubscribeLink(content: string, link: string, name: string): void {
  if (!content.includes(link)) throw new Error(`${name} has no unsubscribe link: add {{ placeholders.unsubscribe }}`);
}

function assertNonceUnused(view: EditionView, site: SiteView, nonce: string): void {
  if (!/^[0-9A-Za-z]{16,}$/.test(nonce))
    throw new Error('the nonce of an edition must have at least 16 letters and digits');
  if (JSON.stringify([view, site]).includes(nonce))
    throw new Error('the nonce occurs in the content of the edition: compose it again with another nonce');
}

async function compileMjml(source: string, name: string): Promise<string> {
  // Loading mjml takes two thirds of a second: commands that render nothing should not wait for it.
  const { default: mjml2html } = await import('mjml');
  try {
    // `fonts: {}`: MJML would load fonts that it knows from Google. `keepComments`: comments mark the regions.
    const { html } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, keepComments: true });
    return html.replace(WRAPPER, '<div');
  } catch (error) {
    throw new Error(`${name}: ${mjmlProblems(error, source)}`, { cause: error });
  }
}

// MJML gives the outermost element `role="article"`, labelled with the title: a screen reader would read the title
// twice. Its lang and dir must stay, since mail programs drop those of <html>.
const WRAPPER = /<div\s+aria-label="[^"]*" aria-roledescription="email" role="article"/;

/** Makes the outermost element a `<main>`, which mail programs do not support. */
function asMain(html: string): string {
  return html.replace(/(<body[^>]*>\s*)<div( lang=[^>]*>[\s\S]*)<\/div>(\s*<\/body>)/, '$1<main$2</main>$3');
}

function mjmlProblems(error: unknown, source: string): string {
  const { errors } = error as { errors?: { line: number; tagName: string; message: string }[] };
  if (!Array.isArray(errors)) return error instanceof Error ? error.message : String(error);
  const lines = source.split('\n');
  return errors
    .map(({ line, tagName, message }) => `line ${line} (${tagName}): ${message}: ${(lines[line - 1] ?? '').trim()}`)
    .join('; ');
}

function regionPattern(nonce: string, region: string): RegExp {
  return new RegExp(`<!--${nonce}:${region}-->([\\s\\S]*?)<!--/${nonce}:${region}-->`, 'g');
}

function removeRegion(html: string, nonce: string, region: 'personal' | 'web'): string {
  return html.replace(regionPattern(nonce, region), '');
}

function keepRegion(html: string, nonce: string, region: 'personal' | 'web'): string {
  return html.replace(regionPattern(nonce, region), (_all, inside: string) => inside);
}

/** Wraps lines, and removes white space at their ends and repeated empty lines. */
function tidyText(text: string): string {
  return wrapText(text, TEXT_COLUMNS)
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n');
}
