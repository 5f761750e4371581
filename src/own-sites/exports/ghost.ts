/**
 * The export of Ghost (Settings → Import/Export): published posts, as the Content API would give them, with the same
 * ids. It is one JSON document, so all of it is in memory at once.
 */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { parseWrittenDate } from '../../lib/written-date.ts';
import { ghostItem } from '../../sources/cms/ghost.ts';
import type { SourceItem } from '../../sources/source-item.ts';
import { type ExportEntry, ExportError, ITEM_KEY, type LeftOut, throwFileError } from './export-entry.ts';

/** Bytes. A site of 10,000 posts has about 200 MB. */
const MAX_BYTES = 400 * 1024 * 1024;
/** Ghost writes this for the address of the site. */
const PLACEHOLDER = '__GHOST_URL__';
/** Ends what the site shows of a post to people who are no members. */
const PAYWALL = '<!--members-only-->';

const table = z.array(z.record(z.string(), z.unknown())).optional();
const data = z.object({
  posts: z.array(z.record(z.string(), z.unknown())),
  ...{ users: table, posts_authors: table, tags: table, posts_tags: table, posts_meta: table },
});
type Row = Record<string, unknown>;

/**
 * Yields the published posts.
 * @param siteUrl address of the site, without a trailing slash: the export does not have it
 * @throws ExportError
 */
export async function* readGhostExport(file: string, siteUrl: string, leftOut: LeftOut): AsyncGenerator<ExportEntry> {
  const tables = await readTables(file);
  const authors = relationOf(tables.posts_authors, 'author_id', tables.users);
  const tags = relationOf(tables.posts_tags, 'tag_id', tables.tags);
  const users = byId(tables.users);
  const metas = new Map((tables.posts_meta ?? []).map((row) => [textIn(row, 'post_id'), row]));
  const seen = new Set<string>();
  for (const post of tables.posts) {
    const id = textIn(post, 'id');
    if (!isWanted(post, leftOut)) continue;
    if (!ITEM_KEY.test(id)) {
      const title = textIn(post, 'title');
      yield {
        kind: 'unreadable',
        key: 'post-without-id',
        rule: `the post "${title.slice(0, 100)}" has no id`,
        raw: title,
      };
      continue;
    }
    if (seen.has(id)) {
      leftOut.skip('posts whose id occurs twice');
      continue;
    }
    seen.add(id);
    const meta = metas.get(id) ?? {};
    if (!textIn(post, 'html') && (textIn(post, 'lexical') || textIn(post, 'mobiledoc'))) {
      leftOut.drop('the text of posts without html');
    }
    const single = users.get(textIn(post, 'author_id'));
    const people = authors.get(id) ?? (single === undefined ? [] : [single]);
    yield { kind: 'item', item: toItem(post, { meta, authors: people, tags: tags.get(id) ?? [], siteUrl }) };
  }
}

async function readTables(file: string): Promise<z.output<typeof data>> {
  const text = await readText(file);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new ExportError(`${file}: is not JSON: ${(error as Error).message}`);
  }
  // Version 2 and later: { db: [{ meta, data }] }; without `db` where it came through the API of the admin.
  const { db } = (parsed ?? {}) as { db?: unknown };
  const [first] = Array.isArray(db) ? db : [parsed];
  const content = ((first ?? {}) as { data?: unknown }).data;
  const tables = data.safeParse(content);
  if (!tables.success) {
    throw new ExportError(`${file}: is not an export of Ghost: make one with Settings → Import/Export`);
  }
  return tables.data;
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_BYTES) {
      throw new ExportError(
        `${file}: has ${size} bytes; the limit is ${MAX_BYTES}: import the site with a source instead`,
      );
    }
    return await readFile(file, 'utf8');
  } catch (error) {
    throwFileError(file, error);
  }
}

function isWanted(post: Row, leftOut: LeftOut): boolean {
  const type = textIn(post, 'type') || (post.page === 1 || post.page === true ? 'page' : 'post');
  const status = textIn(post, 'status');
  if (type !== 'post') leftOut.skip(`${type}s`);
  // "sent": by email only, and not on the site.
  else if (status !== 'published') leftOut.skip(`posts with the status ${status}`);
  else return true;
  return false;
}

/** As the Content API would give it. */
function toItem(
  post: Row,
  { meta, authors, tags, siteUrl }: { meta: Row; authors: Row[]; tags: Row[]; siteUrl: string },
): SourceItem {
  const textOf = (row: Row, key: string): string => textIn(row, key).replaceAll(PLACEHOLDER, siteUrl);
  const slug = textIn(post, 'slug');
  const url = textOf(post, 'canonical_url') || (slug === '' ? null : `${siteUrl}/${slug}/`);
  const visibility = textIn(post, 'visibility') || 'public';
  const html = textOf(post, 'html');
  const named = (row: Row) => {
    return { name: textIn(row, 'name'), slug: textIn(row, 'slug') || null, visibility: textIn(row, 'visibility') };
  };
  const item = ghostItem({
    ...{ id: textIn(post, 'id'), title: textIn(post, 'title'), slug, url, visibility },
    // The export has the whole text, also where people pay for it.
    html: visibility === 'public' ? html : publicPart(html),
    custom_excerpt: textIn(post, 'custom_excerpt'),
    feature_image: textOf(post, 'feature_image'),
    feature_image_alt: textIn(meta, 'feature_image_alt') || null,
    feature_image_caption: textOf(meta, 'feature_image_caption'),
    ...{ authors: authors.map(named), tags: tags.map(named) },
  });
  const dates = { publishedAt: instantIn(post, 'published_at'), updatedAt: instantIn(post, 'updated_at') };
  return { ...item, ...dates, slug: slug || null, baseUrl: url ?? siteUrl };
}

/** What everybody may read of a post for members: without the mark of its author, nothing. */
function publicPart(html: string): string {
  return html.slice(0, Math.max(html.indexOf(PAYWALL), 0));
}

/** The rows that belong to each post, in their order. @param key of a row in `relation` that names one of `rows` */
function relationOf(relation: Row[] | undefined, key: string, rows: Row[] | undefined): Map<string, Row[]> {
  const known = byId(rows);
  const sorted = [...(relation ?? [])].sort((a, b) => orderOf(a) - orderOf(b));
  const posts = new Map<string, Row[]>();
  for (const row of sorted) {
    const related = known.get(textIn(row, key));
    const post = textIn(row, 'post_id');
    if (related !== undefined) posts.set(post, [...(posts.get(post) ?? []), related]);
  }
  return posts;
}

function orderOf(row: Row): number {
  return typeof row.sort_order === 'number' ? row.sort_order : 0;
}

function byId(rows: Row[] | undefined): Map<string, Row> {
  return new Map((rows ?? []).map((row) => [textIn(row, 'id'), row]));
}

/** Ids of old exports are numbers. */
function textIn(row: Row, key: string): string {
  const value = row[key];
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

/** ISO 8601, `2026-11-24 10:00:00` in UTC, or milliseconds. */
function instantIn(row: Row, key: string): number | null {
  const value = row[key];
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : null;
  return typeof value === 'string' ? parseWrittenDate(value) : null;
}
