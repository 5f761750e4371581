/**
 * Prepares the HTML of a source for the import, which sanitises it: URLs become absolute and lose their tracking
 * parameters, embedded players and frames become links, and pictures that a script would load get their address.
 */
import { Parser } from 'htmlparser2';
import { cleanUrl } from '../lib/text/clean-text.ts';
import { escapeHtml } from '../lib/text/html.ts';
import { withoutTracking } from '../sources/canonical-link.ts';
import { flattenDeepHtml } from '../sources/html-text.ts';

/** Removed with their content, as no part of the story. The sanitiser would report each of them. */
const REMOVED = new Set([
  ...['script', 'style', 'noscript', 'template', 'svg', 'form', 'button', 'input', 'select', 'link'],
]);
const EMBEDS = new Set(['iframe', 'embed', 'object', 'video', 'audio']);
const VOID = new Set(['area', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'track', 'wbr']);
/** Deeper elements are dropped. The sanitiser refuses a body at a thousand. */
const MAX_DEPTH = 500;

/**
 * @param html as the source has it
 * @param baseUrl of relative URLs; null leaves them as they are
 */
export function prepareHtml(html: string, baseUrl: string | null): string {
  const writer = new HtmlWriter(baseUrl);
  const parser = new Parser(writer, { decodeEntities: true, recognizeSelfClosing: true });
  parser.write(flattenDeepHtml(html));
  parser.end();
  return writer.html.trim();
}

class HtmlWriter {
  html = '';
  readonly #baseUrl: string | null;
  /** Open elements within a removed one, itself included. */
  #removed = 0;
  /** Open elements within an embed, itself included; its content is for browsers that do not support it. */
  #embedded = 0;
  #hasEmbedLink = false;
  readonly #open: { name: string; isWritten: boolean }[] = [];

  constructor(baseUrl: string | null) {
    this.#baseUrl = baseUrl;
  }

  onopentag(name: string, attributes: Record<string, string>): void {
    if (this.#removed > 0) this.#removed += 1;
    else if (this.#embedded > 0) this.#openInEmbed(name, attributes);
    else if (REMOVED.has(name)) this.#removed = 1;
    else if (EMBEDS.has(name)) {
      this.#embedded = 1;
      this.#hasEmbedLink = false;
      this.#link(attributes.src ?? attributes['data-src'] ?? attributes.data, attributes.title);
    } else this.#openElement(name, attributes);
  }

  ontext(text: string): void {
    if (this.#removed === 0 && this.#embedded === 0) this.html += escapeHtml(text);
  }

  onclosetag(name: string): void {
    if (this.#removed > 0) this.#removed -= 1;
    else if (this.#embedded > 0) this.#embedded -= 1;
    else if (this.#open.at(-1)?.name === name) this.#closeElement(name);
    // A tag that the end of the text cuts off is closed without having been opened.
  }

  #closeElement(name: string): void {
    const isWritten = this.#open.pop()?.isWritten === true;
    // The sanitiser drops a division and keeps its text, which must not run into the next one's.
    if (isWritten && !VOID.has(name)) this.html += `</${name}>${name === 'div' ? ' ' : ''}`;
  }

  #openElement(name: string, attributes: Record<string, string>): void {
    const isWritten = this.#open.length < MAX_DEPTH && /^[a-z][a-z0-9-]*$/.test(name);
    this.#open.push({ name, isWritten });
    if (!isWritten) return;
    const given = name === 'img' ? this.#imageAttributes(attributes) : attributes;
    const written = Object.entries(given)
      .filter(([key]) => /^[a-z-]+$/.test(key))
      .map(
        ([key, value]) => ` ${key}="${escapeHtml(key === 'href' || key === 'src' ? this.#absolute(value) : value)}"`,
      );
    this.html += `<${name}${written.join('')}>`;
  }

  #openInEmbed(name: string, { src, type }: Record<string, string>): void {
    this.#embedded += 1;
    if (name === 'source' && !type?.startsWith('image/')) this.#link(src, undefined);
  }

  /** Scripts load pictures late: the address is in another attribute until then. */
  #imageAttributes({ src = '', alt = '', ...rest }: Record<string, string>): Record<string, string> {
    const lazy = rest['data-src'] ?? rest['data-lazy-src'] ?? rest['data-original'];
    const isPlaceholder = src === '' || src.startsWith('data:');
    const size = Object.fromEntries(Object.entries(rest).filter(([key]) => key === 'width' || key === 'height'));
    return { src: isPlaceholder ? (lazy ?? src) : src, alt, ...size };
  }

  #link(src: string | undefined, title: string | undefined): void {
    if (src === undefined || this.#hasEmbedLink) return;
    const url = cleanUrl(src, this.#baseUrl ?? undefined);
    if (url === null) return;
    this.#hasEmbedLink = true;
    const target = pageOfPlayer(url);
    const label = title?.trim() || `See it at ${new URL(target).hostname.replace(/^www\./, '')}`;
    const link = `<a href="${escapeHtml(target)}">${escapeHtml(label)}</a>`;
    this.html += this.#open.some(({ name, isWritten }) => name === 'p' && isWritten) ? ` ${link} ` : `<p>${link}</p>`;
  }

  #absolute(url: string): string {
    const isRelative = this.#baseUrl !== null && !/^\s*(?:[a-z][a-z0-9+.-]*:|#)/i.test(url);
    return withoutTracking(isRelative ? (cleanUrl(url, this.#baseUrl ?? undefined) ?? url) : url);
  }
}

/** The page that shows what a player plays: a player's own address is for frames. */
function pageOfPlayer(url: string): string {
  const { hostname, pathname } = new URL(url);
  const [, youTube] = /^\/embed\/([\w-]{6,20})$/.exec(pathname) ?? [];
  if (youTube !== undefined && /^(?:www\.)?youtube(?:-nocookie)?\.com$/.test(hostname)) {
    return `https://www.youtube.com/watch?v=${youTube}`;
  }
  const [, vimeo] = /^\/video\/(\d{1,15})$/.exec(pathname) ?? [];
  return vimeo !== undefined && hostname === 'player.vimeo.com' ? `https://vimeo.com/${vimeo}` : url;
}
