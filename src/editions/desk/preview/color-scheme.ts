/**
 * Shows a mail in one colour scheme, whatever the desktop's is: the mail's own rules for it are made unconditional,
 * and those for the other are switched off. Pure.
 *
 * A condition such as `(prefers-color-scheme: dark)` is replaced by one that is always true or never, so that `and`,
 * `not` and commas around it keep their meaning.
 */
import { Parser } from 'htmlparser2';

export type ColorScheme = 'light' | 'dark';

const ALWAYS = '(min-width:0px)';
const NEVER = '(max-width:-1px)';

/** Replaces a part of a text. */
interface TextEdit {
  from: number;
  to: number;
  by: string;
}

/** Rewrites the style sheets, the `media` attributes and the meta element `color-scheme` of a document. */
export function showColorScheme(html: string, scheme: ColorScheme): string {
  const edits: TextEdit[] = [];
  let sheet: { from: number; to: number } | null = null;
  const parser: Parser = new Parser({
    onopentag(name, { media, content, name: metaName }) {
      const { startIndex: from, endIndex } = parser;
      const tag = html.slice(from, endIndex + 1);
      if (name === 'style') sheet = { from: endIndex + 1, to: endIndex + 1 };
      const isScheme = name === 'meta' && metaName?.toLowerCase() === 'color-scheme' && content !== undefined;
      if (media === undefined && !isScheme) return;
      const by = tag.replace(ATTRIBUTE, (attribute, attributeName: string) => {
        switch (attributeName.toLowerCase()) {
          case 'media':
            return rewriteCondition(attribute, scheme);
          case 'content':
            return isScheme && listsBoth(attribute) ? `content="${scheme}"` : attribute;
          default:
            return attribute;
        }
      });
      if (by !== tag) edits.push({ from, to: endIndex + 1, by });
    },
    ontext() {
      if (sheet !== null) sheet.to = parser.endIndex + 1;
    },
    onclosetag(name) {
      if (name !== 'style' || sheet === null) return;
      const { from, to } = sheet;
      sheet = null;
      edits.push({ from, to, by: rewriteStyleSheet(html.slice(from, to), scheme) });
    },
  });
  parser.write(html);
  parser.end();
  return replaceAll(html, edits);
}

/** An attribute of a tag, with its name. A name without a value matches as well: no character is tried twice. */
const ATTRIBUTE = /([^\s"'>/=]+)(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'>]+))?/g;

/** Rewrites the conditions of `@media` and `@import`, and the property `color-scheme`. */
export function rewriteStyleSheet(css: string, scheme: ColorScheme): string {
  const edits: TextEdit[] = [];
  let at = 0;
  // The end of the last token that is no white space and no comment.
  let before = '';
  while (at < css.length) {
    const { kind, end } = readToken(css, at);
    const text = css.slice(at, end);
    if (kind === 'word' && /^@(?:media|import)$/i.test(text)) {
      const to = findEnd(css, end, '{;');
      edits.push({ from: end, to, by: rewriteCondition(css.slice(end, to), scheme) });
      at = to;
      before = '';
      continue;
    }
    if (kind === 'word' && text.toLowerCase() === 'color-scheme' && /^[{};]?$/.test(before)) {
      const to = findEnd(css, end, ';}');
      const value = css.slice(end, to);
      if (/^\s*:/.test(value) && listsBoth(value)) {
        const important = /!\s*important/i.test(value) ? '!important' : '';
        edits.push({ from: end, to, by: `:${scheme}${important}` });
      }
      at = to;
      before = '';
      continue;
    }
    if (kind !== 'space') before = text;
    at = end;
  }
  return replaceAll(css, edits);
}

/** A value that names one scheme alone holds in both. */
function listsBoth(value: string): boolean {
  return /\blight\b/i.test(value) && /\bdark\b/i.test(value);
}

function rewriteCondition(condition: string, scheme: ColorScheme): string {
  const plain = withoutComments(condition);
  if (plain.search(FEATURE) === -1) return condition;
  return plain.replace(FEATURE, (_, wanted: string | undefined) =>
    wanted === undefined || wanted.toLowerCase() === scheme ? ALWAYS : NEVER,
  );
}

/** Without a value it is true of each scheme. `no-preference` is of browsers that do not exist any more. */
const FEATURE = /\(\s*prefers-color-scheme\s*(?::\s*(light|dark|no-preference)\s*)?\)/gi;

function withoutComments(css: string): string {
  return replaceTokens(css, (token, kind) => (kind === 'space' && token.startsWith('/*') ? ' ' : token));
}

function replaceTokens(css: string, change: (token: string, kind: TokenKind) => string): string {
  const parts: string[] = [];
  for (let at = 0; at < css.length; ) {
    const { kind, end } = readToken(css, at);
    parts.push(change(css.slice(at, end), kind));
    at = end;
  }
  return parts.join('');
}

/** `space`: white space and comments. `word`: a name, with the `@` before it. `other`: one character. */
type TokenKind = 'space' | 'string' | 'word' | 'other';

/** Reads a token of CSS (CSS Syntax 3, §4), as far as its kind matters here. */
function readToken(css: string, at: number): { kind: TokenKind; end: number } {
  const char = css[at] as string;
  if (char === '/' && css[at + 1] === '*') {
    const end = css.indexOf('*/', at + 2);
    return { kind: 'space', end: end === -1 ? css.length : end + 2 };
  }
  if (char === '"' || char === "'") return { kind: 'string', end: endOfString(css, at) };
  if (char === '\\') return { kind: 'other', end: Math.min(at + 2, css.length) };
  const pattern = /\s/.test(char) ? SPACES : WORD;
  pattern.lastIndex = at;
  const [match = ''] = pattern.exec(css) ?? [];
  if (match === '') return { kind: 'other', end: at + 1 };
  return { kind: pattern === SPACES ? 'space' : 'word', end: at + match.length };
}

const SPACES = /\s+/y;
const WORD = /@?[-\w\u0080-\uffff]+/y;

/** A string ends with its line, too. */
function endOfString(css: string, at: number): number {
  for (let index = at + 1; index < css.length; index++) {
    const char = css[index];
    if (char === '\\') index += 1;
    else if (char === css[at]) return index + 1;
    else if (char === '\n') return index;
  }
  return css.length;
}

/** Where one of the characters is, outside of strings, comments and brackets; the end of the text if nowhere. */
function findEnd(css: string, from: number, chars: string): number {
  let depth = 0;
  for (let at = from; at < css.length; ) {
    const { kind, end } = readToken(css, at);
    const char = css[at] as string;
    if (kind === 'other') {
      if (depth === 0 && chars.includes(char)) return at;
      if (char === '(' || char === '[') depth += 1;
      if (char === ')' || char === ']') depth = Math.max(0, depth - 1);
    }
    at = end;
  }
  return css.length;
}

/** @param edits in order, without overlaps */
function replaceAll(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { from, to, by } of edits) {
    parts.push(text.slice(at, from), by);
    at = to;
  }
  return parts.join('') + text.slice(at);
}
