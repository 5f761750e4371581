import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ExportEntry, LeftOut } from '../../../src/own-sites/exports/export-entry.ts';
import { readWordPressExport } from '../../../src/own-sites/exports/wordpress.ts';
import { htmlOfContent } from '../../../src/own-sites/exports/wordpress-content.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { runs } from '../../support/run-scope.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { wxr, wxrItem, wxrMeta } from './wxr.ts';

async function read(text: string | Buffer): Promise<{ entries: ExportEntry[]; leftOut: string[] }> {
  const file = join(temporaryFolder(), 'export.xml');
  writeFileSync(file, text);
  const leftOut = new LeftOut();
  const entries: ExportEntry[] = [];
  for await (const entry of readWordPressExport(file, 'Europe/Berlin', leftOut)) entries.push(entry);
  return { entries, leftOut: leftOut.lines() };
}

async function readOne(text: string | Buffer) {
  const [entry] = (await read(text)).entries;
  if (entry?.kind !== 'item') throw new Error(`no item: ${JSON.stringify(entry)}`);
  return entry.item;
}

describe('a post in an export of WordPress', () => {
  it('has all its fields', async () => {
    const categories =
      '<category domain="category" nicename="markets"><![CDATA[Markets &amp; Money]]></category>' +
      '<category domain="post_tag" nicename="solar"><![CDATA[Solar]]></category>';
    const attachment = wxrItem(9, {
      type: 'attachment',
      status: 'inherit',
      excerpt: 'Photo: Ann',
      more: `<wp:attachment_url>https://times.example/roof.jpg</wp:attachment_url>${wxrMeta('_wp_attachment_image_alt', 'A roof')}`,
    });
    const post = wxrItem(17, {
      title: 'Roofs &amp; Panels <em>pay</em>',
      excerpt: 'One panel in nine.',
      more: `${categories}${wxrMeta('_thumbnail_id', '9')}`,
    });
    expect(await readOne(wxr([post, attachment]))).toEqual({
      key: '17',
      url: 'https://times.example/2024/post-17/',
      slug: 'post-17',
      headline: 'Roofs & Panels pay',
      dek: 'One panel in nine.',
      html: '<!-- wp:paragraph -->\n<p>The text of post 17.</p>\n<!-- /wp:paragraph -->',
      baseUrl: 'https://times.example/2024/post-17/',
      authors: ['Ann Example'],
      categories: [{ name: 'Markets & Money', slug: 'markets' }],
      tags: ['Solar'],
      image: {
        url: 'https://times.example/roof.jpg',
        alt: 'A roof',
        credit: 'Photo: Ann',
        type: null,
        length: null,
        width: null,
        height: null,
      },
      publishedAt: Date.UTC(2024, 2, 1, 10),
      updatedAt: Date.UTC(2024, 2, 2, 10),
      language: null,
      isForMembers: false,
    });
  });

  it('has the time of its site where the time in UTC is missing', async () => {
    const item = wxrItem(1).replace('<wp:post_date_gmt><![CDATA[2024-03-01', '<wp:post_date_gmt><![CDATA[0000-00-00');
    expect((await readOne(wxr([item]))).publishedAt).toBe(Date.UTC(2024, 2, 1, 9));
  });

  it('is not imported unless it is published and open to all, and is counted', async () => {
    const items = [
      ...['draft', 'private', 'future', 'trash', 'pending'].map((status, index) => wxrItem(index + 1, { status })),
      ...['page', 'attachment', 'revision', 'nav_menu_item'].map((type, index) => wxrItem(index + 11, { type })),
      wxrItem(21, { password: 'secret' }),
      wxrItem(22),
      wxrItem(22),
    ];
    const { entries, leftOut } = await read(wxr(items));
    expect(entries).toMatchObject([{ kind: 'item', item: { key: '22' } }]);
    expect(leftOut.filter((line) => /posts|items/.test(line)).sort()).toEqual([
      'items of the type attachment: 1 not imported',
      'items of the type nav_menu_item: 1 not imported',
      'items of the type page: 1 not imported',
      'items of the type revision: 1 not imported',
      'posts whose id occurs twice: 1 not imported',
      'posts with a password: 1 not imported',
      'posts with the status draft: 1 not imported',
      'posts with the status future: 1 not imported',
      'posts with the status pending: 1 not imported',
      'posts with the status private: 1 not imported',
      'posts with the status trash: 1 not imported',
    ]);
  });

  it('without an id is reported', async () => {
    const item = wxrItem(1).replace('<wp:post_id>1<', '<wp:post_id><');
    const { entries } = await read(wxr([wxrItem(5), item]));
    expect(entries[1]).toMatchObject({
      kind: 'unreadable',
      rule: 'the post "Post 1" has no wp:post_id',
    });
  });

  it('is read whatever its chunks and its charset are', async () => {
    const text = wxr([wxrItem(1, { title: 'Grüße ]]> aus Köln', content: `<p>${'ö'.repeat(300_000)}</p>` })]);
    expect((await readOne(text)).headline).toBe('Grüße ]]> aus Köln');
    const latin = Buffer.from(text.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"'), 'latin1');
    expect((await readOne(latin)).html).toHaveLength(300_007);
  });

  it('whose text is longer than 8 MB is reported, and the next one is read', async () => {
    const { entries } = await read(wxr([wxrItem(1, { content: 'x'.repeat(8_500_000) }), wxrItem(2)]));
    const unreadable = { kind: 'unreadable', key: '1', rule: expect.stringMatching(/8 MB/) };
    expect(entries).toMatchObject([unreadable, { kind: 'item' }]);
  });
});

describe('the content of a post', () => {
  const removed: string[] = [];
  const html = (content: string): string => {
    removed.length = 0;
    return htmlOfContent(content, (name) => removed.push(name));
  };

  it('gets its paragraphs from blank lines, and breaks from line ends, except in blocks and <pre>', () => {
    expect(html('One\ntwo <a\nhref="/x">x</a>\n\n  \n<h2>Three</h2>\n\nFour\r\n')).toBe(
      '<p>One<br>\ntwo <a\nhref="/x">x</a></p>\n<h2>Three</h2>\n<p>Four</p>',
    );
    expect(html('A\n\n<pre>one\n\ntwo</pre>\n\nB')).toBe('<p>A</p><pre>one\n\ntwo</pre><p>B</p>');
    const blocks = '<!-- wp:paragraph -->\n<p>One\ntwo</p>\n\n<p>Three</p>\n<!-- /wp:paragraph -->';
    expect(html(blocks)).toBe(blocks);
  });

  it('has links in the place of players: addresses on a line of their own, and shortcodes with a file', () => {
    const link = (address: string, host: string) => `<p><a href="${address}">See it at ${host}</a></p>`;
    const video = link('https://www.youtube.com/watch?v=1', 'youtube.com');
    expect(html('https://www.youtube.com/watch?v=1')).toBe(video);
    expect(html('[embed width="3"]https://www.youtube.com/watch?v=1[/embed]')).toBe(video);
    expect(html('<div class="wp-block-embed__wrapper">\nhttps://www.youtube.com/watch?v=1\n</div>')).toContain(video);
    expect(html('[audio mp3="https://times.example/a.mp3"][/audio]')).toBe(
      link('https://times.example/a.mp3', 'times.example'),
    );
    expect(html('See https://times.example here')).toBe('<p>See https://times.example here</p>');
    expect(removed).toEqual([]);
  });

  it('keeps captions and text in brackets, and loses other shortcodes, which are named', () => {
    expect(html('[caption id="a" width="3"]<img src="/a.jpg"> A roof[/caption]')).toBe(
      '<figure><img src="/a.jpg"> A roof</figure>',
    );
    expect(html('He said [sic] it [1], and [so on].')).toBe('<p>He said [sic] it [1], and [so on].</p>');
    expect(html('A [gallery ids="1,2"] b [contact-form-7 id="3"] [box]c[/box] d')).toBe('<p>A  b  c d</p>');
    expect(removed).toEqual(['gallery', 'contact-form-7', 'box']);
  });

  it('keeps a word with a hyphen that an editor put into a quotation, and loses a shortcode alone in a line', () => {
    expect(html('"The [long-term] plan of [self-described] experts"')).toContain(
      '[long-term] plan of [self-described]',
    );
    expect(html('<p>A</p>[contact-form]\n\n  [recent-posts]  \n\nB')).not.toContain('[');
    expect(removed).toEqual(['contact-form', 'recent-posts']);
  });

  it('has paragraphs next to headings and lists without a blank line between them, as the editor writes', () => {
    const content =
      '<h2>Two</h2>\nThree\n<ul>\n<li>a</li>\n</ul>\nFour\n<blockquote>Five\n\nSix</blockquote>\nSeven<!--more-->Eight';
    expect(html(content)).toBe(
      '<h2>Two</h2>\n<p>Three</p>\n<ul>\n<li>a</li>\n</ul>\n<p>Four</p>\n<blockquote>Five\n<p>Six</p>\n</blockquote>\n' +
        '<p>Seven</p>\n<p>Eight</p>',
    );
    const classic = '<!-- wp:freeform -->One\n\nTwo<!-- /wp:freeform -->';
    expect(html(`<!-- wp:paragraph --><p>A\nb</p><!-- /wp:paragraph -->${classic}`)).toBe(
      '<!-- wp:paragraph --><p>A\nb</p><!-- /wp:paragraph --><!-- wp:freeform --><p>One</p>\n<p>Two</p><!-- /wp:freeform -->',
    );
  });

  it('may be anything, of any length', () => {
    fc.assert(
      fc.property(anyText(200), (text) => typeof html(text) === 'string'),
      { numRuns: runs(200) },
    );
    const parts = ['[a ', '[/a', '<', '<a ', '\n', ' \n', '[caption', 'https://', '<pre', '\t', '[embed]', '<!--more'];
    for (const part of [...parts, '<li ', '</div>']) {
      expect(
        processorTime(() => void html(part.repeat(100_000))),
        part,
      ).toBeLessThan(1_000);
    }
  });
});
