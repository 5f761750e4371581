import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExportEntry, LeftOut } from '../../../src/own-sites/exports/export-entry.ts';
import { readGhostExport } from '../../../src/own-sites/exports/ghost.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type GhostRow, ghostExport, ghostPost } from './wxr.ts';

async function read(text: string) {
  const file = join(temporaryFolder(), 'export.json');
  writeFileSync(file, text);
  const leftOut = new LeftOut();
  const entries: ExportEntry[] = [];
  for await (const entry of readGhostExport(file, 'https://times.example', leftOut)) entries.push(entry);
  const items = entries.flatMap((entry) => (entry.kind === 'item' ? [entry.item] : []));
  return { entries, items, leftOut: leftOut.lines() };
}

describe('a post in an export of Ghost', () => {
  it('has all its fields, with the address of the site', async () => {
    const id = ghostPost(1).id as string;
    const tables: Record<string, GhostRow[]> = {
      users: [
        { id: 'u1', name: 'Ann' },
        { id: 'u2', name: 'Ben' },
      ],
      posts_authors: [
        { post_id: id, author_id: 'u2', sort_order: 1 },
        { post_id: id, author_id: 'u1', sort_order: 0 },
      ],
      tags: [
        { id: 't1', name: 'Markets', slug: 'markets', visibility: 'public' },
        { id: 't2', name: '#wide', slug: 'hash-wide', visibility: 'internal' },
        { id: 't3', name: 'Solar', slug: 'solar', visibility: 'public' },
      ],
      posts_tags: [
        { post_id: id, tag_id: 't3', sort_order: 2 },
        { post_id: id, tag_id: 't2', sort_order: 1 },
        { post_id: id, tag_id: 't1', sort_order: 0 },
      ],
      posts_meta: [
        {
          id: 'm1',
          post_id: id,
          feature_image_alt: 'A roof',
          feature_image_caption: '<i>Photo</i>: Ann',
          og_title: 'Roofs',
        },
      ],
      settings: [{ id: 's1' }],
    };
    const post = ghostPost(1, {
      html: '<p>See <img src="__GHOST_URL__/content/images/a.jpg"></p>',
      feature_image: '__GHOST_URL__/content/images/roof.jpg',
      custom_excerpt: 'One in nine.',
      codeinjection_head: '<style></style>',
    });
    const { items, leftOut } = await read(ghostExport([post], tables));
    const image = { url: 'https://times.example/content/images/roof.jpg', alt: 'A roof', credit: 'Photo: Ann' };
    expect(items).toEqual([
      {
        key: id,
        url: 'https://times.example/post-1/',
        slug: 'post-1',
        headline: 'Post 1',
        dek: 'One in nine.',
        html: '<p>See <img src="https://times.example/content/images/a.jpg"></p>',
        baseUrl: 'https://times.example/post-1/',
        authors: ['Ann', 'Ben'],
        categories: [
          { name: 'Markets', slug: 'markets' },
          { name: 'Solar', slug: 'solar' },
        ],
        tags: ['Markets', 'Solar'],
        image: { ...image, type: null, length: null, width: null, height: null },
        publishedAt: Date.UTC(2024, 2, 1, 10),
        updatedAt: Date.UTC(2024, 2, 2, 10),
        language: null,
        isForMembers: false,
      },
    ]);
    expect(leftOut).toEqual([]);
  });

  it('is for members unless it is public', async () => {
    const all = ['public', 'members', 'paid', 'tiers'].map((visibility, id) => ghostPost(id, { visibility }));
    const { items } = await read(ghostExport(all));
    expect(items.map(({ isForMembers }) => isForMembers)).toEqual([false, true, true, true]);
  });

  it('for members has the text only that the site shows to everybody', async () => {
    const html = '<p>For all.</p><!--members-only--><p>For members.</p>';
    const posts = [
      ghostPost(1, { visibility: 'paid', html }),
      ghostPost(2, { visibility: 'members', html: '<p>All of it.</p>' }),
      ghostPost(3, { html }),
    ];
    const { items } = await read(ghostExport(posts));
    expect(items.map((item) => item.html)).toEqual(['<p>For all.</p>', '', html]);
  });

  it('has no address without a slug, and is counted if its text cannot be read', async () => {
    const { items, leftOut } = await read(
      `\ufeff${ghostExport([ghostPost(1, { slug: '', html: null, lexical: '{}' })])}`,
    );
    expect(items).toMatchObject([{ url: null, slug: null, html: '', baseUrl: 'https://times.example' }]);
    expect(leftOut).toContain('the text of posts without html: not imported (1 times)');
  });

  it('is not imported unless it is published on the site, and is counted', async () => {
    const posts = [
      ...['draft', 'scheduled', 'sent'].map((status, id) => ghostPost(id, { status })),
      ghostPost(4, { type: 'page' }),
      ghostPost(5, { type: undefined, page: 1 }),
      ghostPost(6),
      ghostPost(6),
      ghostPost(7, { id: 'a b' }),
    ];
    const { entries, leftOut } = await read(ghostExport(posts));
    expect(entries).toMatchObject([{ kind: 'item' }, { kind: 'unreadable', rule: 'the post "Post 7" has no id' }]);
    expect(leftOut.filter((line) => /\d not imported$/.test(line)).sort()).toEqual([
      'pages: 2 not imported',
      'posts whose id occurs twice: 1 not imported',
      'posts with the status draft: 1 not imported',
      'posts with the status scheduled: 1 not imported',
      'posts with the status sent: 1 not imported',
    ]);
  });

  it('of an old export has numbers for ids and times, and one author', async () => {
    const post = ghostPost(1, {
      id: 12,
      published_at: 1_709_287_200_000,
      updated_at: '2024-03-02 10:00:00',
      author_id: 1,
    });
    const users = [{ id: 1, name: 'Ann' }];
    const { items } = await read(JSON.stringify({ data: { posts: [post], users } }));
    expect(items).toMatchObject([{ key: '12', authors: ['Ann'], publishedAt: Date.UTC(2024, 2, 1, 10) }]);
    expect(items[0]?.updatedAt).toBe(Date.UTC(2024, 2, 2, 10));
  });
});
