/**
 * An edition's view made into what is sent and kept: Liquid makes MJML, MJML makes HTML, once for all recipients; the archive page is cut
 * from the same HTML. A recipient's copy only fills in the slots that are left (fill.ts).
 */
import { textDirection } from '../../articles/article.ts';
import type { SiteView } from '../../config/site-view.ts';
import type { Templates } from '../../lib/templates.ts';
import type { EditionView } from './edition-view.ts';
import { slotMark } from './fill.ts';
import { wrapText } from './wrap-text.ts';

export interface RenderedEdition {
  /** The email, with its personal slots. */
  html: string;
  /** The same words for text/plain, with its personal slots. */
  text: string;
  /** The page of the web archive: nothing personal in it, no slot, no nonce. */
  archiveHtml: string;
}

/** RFC 5322 §2.1.1 allows 78; replies add `> `, twice. */
const TEXT_COLUMNS = 72;

/**
 * Renders `<template>.mjml` and `<template>.txt`. The same view gives the same bytes.
 * @param options.nonce at least 16 letters and digits, drawn at random for this edition
 * @throws Error where a template is wrong (with the line), where the nonce occurs in the edition's own words, where a slot stands
 *   outside the regions that only the email has, or where a part lacks its unsubscribe link
 */
export async function renderEdition(
  view: EditionView,
  site: SiteView,
  templates: Templates,
  options: { template: string; nonce: string },
): Promise<RenderedEdition> {
  const { template, nonce } = options;
  refuseForgedSlots(view, site, nonce);
  const data = {
    edition: view,
    site,
    nonce,
    dir: textDirection(site.language),
    slots: { unsubscribe: slotMark(nonce, 'unsubscribe'), preferences: slotMark(nonce, 'preferences') },
  };
  const compiled = await compileMjml(await templates.html(`${template}.mjml`, data), `${template}.mjml`);
  const text = await templates.text(`${template}.txt`, data);
  const archiveHtml = asMain(keepRegion(cutRegion(compiled, nonce, 'personal'), nonce, 'web'));
  if (archiveHtml.includes(nonce))
    throw new Error(`${template}.mjml has a personal slot or an unfinished mark outside its personal regions`);
  const html = keepRegion(cutRegion(compiled, nonce, 'web'), nonce, 'personal');
  refuseMissingSlot(html, data.slots.unsubscribe, `${template}.mjml`);
  refuseMissingSlot(text, data.slots.unsubscribe, `${template}.txt`);
  return { html, text: tidyText(text), archiveHtml };
}

/** Found out at delivery, it would fail every message of an edition that is closed already. */
function refuseMissingSlot(words: string, slot: string, name: string): void {
  if (!words.includes(slot)) throw new Error(`${name} has no unsubscribe link: write {{ slots.unsubscribe }} in it`);
}

function refuseForgedSlots(view: EditionView, site: SiteView, nonce: string): void {
  if (!/^[0-9A-Za-z]{16,}$/.test(nonce))
    throw new Error('the nonce of an edition must be 16 letters and digits or more');
  if (JSON.stringify([view, site]).includes(nonce))
    throw new Error('the nonce of the edition occurs in its own words: compose it again with another');
}

async function compileMjml(source: string, name: string): Promise<string> {
  // Loading it takes two thirds of a second, which a command that renders nothing need not wait for.
  const { default: mjml2html } = await import('mjml');
  try {
    // No `fonts`: a font stack that names one of MJML's own would load it from Google. Comments mark the regions.
    const { html } = await mjml2html(source, { validationLevel: 'strict', fonts: {}, keepComments: true });
    return html.replace(WRAPPER, '<div');
  } catch (error) {
    throw new Error(`${name}: ${mjmlProblems(error, source)}`, { cause: error });
  }
}

// MJML gives the element around everything `role="article"` and the title as its label: a screen reader would say the title twice, and
// a role is no substitute for an element. What counts there are lang and dir, since mail programs drop those of <html>.
const WRAPPER = /<div\s+aria-label="[^"]*" aria-roledescription="email" role="article"/;

/** The element around everything as `<main>`, which browsers know and mail programs do not. */
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

function cutRegion(html: string, nonce: string, region: 'personal' | 'web'): string {
  return html.replace(regionPattern(nonce, region), '');
}

function keepRegion(html: string, nonce: string, region: 'personal' | 'web'): string {
  return html.replace(regionPattern(nonce, region), (_all, inside: string) => inside);
}

/** Wrapped, without space at line ends, with at most one empty line at a time. */
function tidyText(text: string): string {
  return `${wrapText(text, TEXT_COLUMNS)
    .replace(/[^\S\n]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
