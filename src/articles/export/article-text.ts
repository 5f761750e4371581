/** An article as the import reads it: Markdown with front matter, or a line of JSON. Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Article } from '../article.ts';
import type { Candidate } from '../import/candidate.ts';

/** How an article is written, the best way first. */
export const FORMS = ['markdown', 'json', 'json with the body as HTML'] as const;
export type ArticleForm = (typeof FORMS)[number];

/** The file with the article. In front matter each value is JSON, which is YAML, too. */
export function articleText(article: Article, form: ArticleForm): string {
  const hasHtml = form === 'json with the body as HTML';
  const body = hasHtml ? { format: 'html' as const, source: article.bodyHtml } : article.body;
  const fields = fieldsOf(article, body.format);
  if (form !== 'markdown') return `${JSON.stringify({ ...fields, body: body.source })}\n`;
  const lines = Object.entries(fields).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return `---\n${lines.join('\n')}\n---\n\n${body.source}\n`;
}

/** The keys of fields.ts, without those that say nothing. */
function fieldsOf(article: Article, format: Article['body']['format']): Record<string, unknown> {
  const { tagUri: _tag, page: _page, body: _body, bodyHtml: _html, publishedAt, updatedAt, status, ...rest } = article;
  const { isByRule, isDateInvented, image, outlet, enclosures, tags, ...others } = rest;
  const fields = {
    ...others,
    // The import takes `#word` as a word.
    tags: tags.map((tag) => tag.replace(/^#(?=\S)/, '##')),
    published: iso(publishedAt),
    updated: iso(updatedAt),
    byRule: isByRule,
    dateInvented: isDateInvented,
    // That it is looked up follows from what is missing.
    image: image === null ? null : { ...image, isLookedUp: undefined },
    outlet: outlet === null ? null : { name: outlet.name, url: outlet.url, published: iso(outlet.publishedAt) },
    enclosures,
    state: status.state,
    embargo: status.state === 'scheduled' ? iso(status.until) : null,
    ...('note' in status ? { note: status.note, noteAt: iso(status.at) } : {}),
    format,
  };
  const isSaying = (value: unknown): boolean =>
    value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isSaying(value)));
}

/** Names of the fields that the import would read differently from how the store holds them. */
export function differencesOf(article: Article, candidate: Candidate): string[] {
  const { tagUri: _tag, page: _page, body, publishedAt, updatedAt, status, ...rest } = article;
  const written = candidate.writtenStatus;
  const at = 'noteAt' in written ? { note: written.note, at: written.noteAt } : {};
  const pairs: Record<string, [unknown, unknown]> = {
    body: [body, candidate.body],
    published: [publishedAt, candidate.published],
    updated: [updatedAt, candidate.updated],
    status: [
      status,
      { state: written.state, ...(written.state === 'scheduled' ? { until: written.embargo } : {}), ...at },
    ],
    image: [withoutLookUp(rest.image), withoutLookUp(candidate.image)],
  };
  for (const [key, value] of Object.entries(rest)) {
    pairs[key] ??= [value, (candidate as unknown as Record<string, unknown>)[key]];
  }
  return Object.keys(pairs).filter((key) => !isDeepStrictEqual(...(pairs[key] as [unknown, unknown])));
}

const withoutLookUp = (image: Article['image']): unknown => (image === null ? null : { ...image, isLookedUp: null });

function iso(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
