/**
 * What daywire asks of a CMS: its published posts by their last change, their ids, and single ones. An implementation
 * knows URLs and the form of responses; it sends nothing.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import { parseWrittenDate } from '../../lib/written-date.ts';
import type { SourceItem } from '../source-item.ts';

/** The most posts on a page, even if a request asks for more (Ghost 6, WordPress). */
export const MAX_PAGE_SIZE = 100;

interface PageQuery {
  /** From 1. */
  page: number;
  size: number;
}

export interface CmsApi {
  /** Sent with every request. */
  headers: Record<string, string>;
  /** Whether a scheduled post is published with the time of its last edit, which may be long ago. */
  keepsTimeOfEdit: boolean;
  /** Posts that were modified after an instant (epoch milliseconds), the oldest change first. */
  changedUrl(query: PageQuery & { after: number | null }): string;
  /** Posts by time of publication, the newest first. */
  newestUrl(size: number): string;
  /** Ids of posts that were published at or after an instant. */
  idsUrl(query: PageQuery & { from: number | null }): string;
  postsUrl(ids: readonly string[]): string;
  postUrl(id: string): string;
  /** @throws CmsFormatError */
  readIds(body: Uint8Array, headers: IncomingHttpHeaders): IdPage;
}

/** Posts of one response. */
export interface PostPage {
  items: SourceItem[];
  /** Posts that cannot be read; one does not cost the others. */
  unreadable: UnreadablePost[];
  /** Number of pages in all; null if the response does not say. */
  pages: number | null;
}

interface UnreadablePost {
  /** Its id, or its place in the response. */
  key: string;
  rule: string;
  /** As JSON. */
  raw: string;
}

export interface IdPage {
  posts: { id: string; modifiedAt: number | null }[];
  pages: number | null;
  /** Number of posts in all. */
  total: number | null;
}

/** A response that is not what the API returns. The message follows "it answered". */
export class CmsFormatError extends Error {
  override name = 'CmsFormatError';
}

/** @throws CmsFormatError */
export function parseCmsJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8').decode(body));
  } catch {
    throw new CmsFormatError('something that is not JSON');
  }
}

/** Without an offset it is UTC. Null for anything else than a date. */
export function utcInstant(text: unknown): number | null {
  return typeof text === 'string' ? parseWrittenDate(text) : null;
}

/** A whole number in a header or a property, or null. */
export function wholeNumber(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/**
 * Reads each post of a response by itself.
 * @throws CmsFormatError if none of them can be read: the response is of something else
 */
export function readPosts<T>(
  posts: readonly unknown[],
  schema: z.ZodType<T>,
  toItem: (post: T) => SourceItem,
): Pick<PostPage, 'items' | 'unreadable'> {
  const items: SourceItem[] = [];
  const unreadable: UnreadablePost[] = [];
  for (const [index, value] of posts.entries()) {
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      items.push(toItem(parsed.data));
      continue;
    }
    const { id } = (value ?? {}) as { id?: unknown };
    const isKey = (typeof id === 'number' || typeof id === 'string') && /^[A-Za-z0-9._~-]{1,60}$/.test(String(id));
    const [issue] = parsed.error.issues;
    const rule = `the post cannot be read: ${issue?.path.join('.') || 'it'}: ${issue?.message}`;
    unreadable.push({
      key: isKey ? String(id) : `entry-${index + 1}`,
      rule,
      raw: JSON.stringify(value).slice(0, 100_000),
    });
  }
  if (items.length === 0 && unreadable[0] !== undefined)
    throw new CmsFormatError(`posts of an unknown form: ${unreadable[0].rule}`);
  return { items, unreadable };
}
