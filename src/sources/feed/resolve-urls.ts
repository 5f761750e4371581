/** Resolves the URLs of a feed. */
import { Parser } from 'htmlparser2';
import { cleanUrl } from '../../lib/text/clean-text.ts';
import { escapeHtml } from '../../lib/text/html.ts';

/** Characters. */
const MAX_URL = 2_048;

/** A URL in a feed as an absolute one, or null if it is not http or https, has credentials, or is too long. */
export function resolveAddress(url: string, base: string | null): string | null {
  const text = url.trim();
  if (text === '' || text.length > MAX_URL) return null;
  const resolved = cleanUrl(text, base ?? undefined);
  return resolved === null || resolved.length > MAX_URL ? null : resolved;
}

/** Attributes of HTML that hold a URL. */
const URL_ATTRIBUTES = new Set(['href', 'src', 'cite', 'poster', 'data', 'longdesc', 'background', 'action']);
/** A URL attribute whose value has no scheme. */
const RELATIVE =
  /[\s"'](?:href|src|srcset|cite|poster|data|longdesc|background|action)\s*=\s*["']?\s*(?![a-z][a-z0-9+.-]*:)/i;

/**
 * Makes the relative URLs of HTML absolute; all else stays as written.
 * @param html not deep: see `flattenDeepHtml`
 * @param base absolute
 */
export function resolveHtmlUrls(html: string, base: string): string {
  if (!RELATIVE.test(html)) return html;
  const parts: string[] = [];
  let copied = 0;
  const parser = new Parser(
    {
      onattribute: (name, value, quote) => {
        const resolved = resolveAttribute(name, value, base);
        if (resolved === value || quote === undefined) return;
        parts.push(html.slice(copied, parser.startIndex), `${name}="${escapeHtml(resolved)}"`);
        copied = parser.endIndex;
      },
    },
    { decodeEntities: true },
  );
  parser.end(html);
  return copied === 0 ? html : parts.join('') + html.slice(copied);
}

/** Characters. */
const MAX_SRCSET = 8_192;
/** At the start and after each comma; a URL may have commas within (HTML §4.8.4.2.1). */
const SRCSET_URL = /((?:^|,)\s*)(\S*[^\s,])/g;

/** The value of an attribute with its URLs made absolute. One that cannot be resolved stays as it is. */
export function resolveAttribute(name: string, value: string, base: string): string {
  if (name === 'srcset') {
    if (value.length > MAX_SRCSET) return value;
    return value.replace(SRCSET_URL, (_whole, before: string, url: string) => before + absolute(url, base));
  }
  return URL_ATTRIBUTES.has(name) ? absolute(value, base) : value;
}

function absolute(url: string, base: string): string {
  if (/^\s*[a-z][a-z0-9+.-]*:/i.test(url) || url.length > MAX_URL) return url;
  const trimmed = url.trim();
  return URL.canParse(trimmed, base) ? new URL(trimmed, base).href : url;
}
