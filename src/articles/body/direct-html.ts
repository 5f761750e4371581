/**
 * Renders Markdown without raw HTML straight to the HTML that the sanitiser would make of it: nothing has to be parsed
 * again. Whatever is unusual is left to the sanitiser. The tests compare the two.
 */
import MarkdownIt, { type RendererRule, type Token } from 'markdown-it';
import { cleanText, isPlain } from '../../lib/text/clean-text.ts';
import { hasDirections } from '../../lib/text/text-direction.ts';

type TokenAttributes = Record<string, string>;

/** What the sanitiser decides about an element. */
export interface ElementRules {
  /** The element that stands for another one, such as `h2` for `h1`. */
  renamed: ReadonlyMap<string, string>;
  /** Elements that nest deeper are left to the sanitiser. */
  maxDepth: number;
  /** Longer HTML is left to the sanitiser. */
  maxLength: number;
  /** The attributes that an element keeps, or null if it is removed. */
  attributesOf(element: string, given: TokenAttributes): TokenAttributes | null;
}

const direct = new MarkdownIt({ xhtmlOut: true });

/**
 * @param tokens of a parser whose rules are those of markdown-it
 * @returns null where the sanitiser must do it
 */
export function directHtml(tokens: Token[], rules: ElementRules): string | null {
  const changed = inspect(tokens, rules);
  if (changed === null) return null;
  for (const { token, tag, attributes } of changed) {
    token.tag = tag;
    token.attrs = attributes === null ? null : Object.entries(attributes);
  }
  const html = direct.renderer.render(tokens, direct.options, {});
  if (html.length > rules.maxLength) return null;
  if (isPlain(html)) return html.trim();
  // The sanitiser looks for pairs of directions in what it leaves out, too.
  return cleanText(html) === html && !hasDirections(html) ? html.trim() : null;
}

interface TokenChange {
  token: Token;
  tag: string;
  attributes: TokenAttributes | null;
}

/** @returns null where a token is unusual */
function inspect(tokens: readonly Token[], rules: ElementRules): TokenChange[] | null {
  const changes: TokenChange[] = [];
  const open: string[] = [];
  let length = 0;
  const isUsual = (token: Token): boolean => {
    const { type, tag, nesting, attrs } = token;
    if (type === 'html_block' || type === 'html_inline') return false;
    if (nesting === -1) {
      if (open.pop() !== tag) return false;
    } else if (nesting === 1) {
      // Links do not nest.
      if (open.length >= rules.maxDepth || (tag === 'a' && open.includes('a'))) return false;
      open.push(tag);
    }
    const renamed = rules.renamed.get(tag);
    if (renamed !== undefined) changes.push({ token, tag: renamed, attributes: null });
    if (type === 'image' || (attrs !== null && nesting === 1)) {
      const attributes = rules.attributesOf(tag, given(token));
      if (attributes === null) return false;
      for (const name in attributes) length += attributes[name]?.length ?? 0;
      changes.push({ token, tag, attributes });
    }
    return length <= rules.maxLength;
  };
  for (const token of tokens) {
    if (!isUsual(token)) return null;
    if (token.type === 'inline' && !token.children?.every(isUsual)) return null;
  }
  return changes;
}

function given(token: Token): TokenAttributes {
  const attributes = Object.fromEntries((token.attrs ?? []).map(([name, value]) => [name, String(value)]));
  if (token.type !== 'image') return attributes;
  return { ...attributes, alt: direct.renderer.renderInlineAsText(token.children ?? [], direct.options, {}) };
}

const renderText: RendererRule = (tokens, index) => escapeText((tokens[index] as Token).content);
const renderBlock: RendererRule = (...given) => `<pre><code>${renderText(...given)}</code></pre>\n`;

Object.assign(direct.renderer.rules, {
  text: renderText,
  code_inline: (...given) => `<code>${renderText(...given)}</code>`,
  code_block: renderBlock,
  fence: renderBlock,
  image: (tokens, index, options, _env, renderer) => renderer.renderToken(tokens, index, options),
} satisfies Record<string, RendererRule>);

/** Text as the content of an element. */
export function escapeText(text: string): string {
  if (!/[&<>]/.test(text)) return text;
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
