/** Articles with the usual mistakes, as files of a newsroom: what becomes of each, and what it is told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../../src/articles/article.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { NOW } from '../../../support/clock.ts';
import { openMigrated } from '../../../support/databases.ts';
import { importMarkdown, messagesOf } from '../../imports.ts';

let store: Store;
beforeAll(async () => {
  store = await openMigrated();
});
afterAll(() => store.close());

/** What the import says of a file, and the article that it stores. */
async function importFile(name: string, text: string): Promise<{ said: string[]; article: Article | null }> {
  const report = await importMarkdown(store, text, { name: `${name}.md` });
  const { problems, warnings } = messagesOf(report);
  expect(report.added + report.rejectedCount).toBe(1);
  return { said: [...problems, ...warnings], article: await findArticle(store.db, name) };
}

const instant = (text: string): number => new Date(text).getTime();

describe('an article with a usual mistake is read as it was meant', () => {
  it('keys of another program, and an unquoted colon', async () => {
    const { said, article } = await importFile(
      'budget',
      '---\ntitle: Budget: What Changes for You\ndate: 2026-11-24\nauthor: Ann Lee\ncategories: [World]\n---\nText.\n',
    );
    expect(article).toMatchObject({
      headline: 'Budget: What Changes for You',
      publishedAt: NOW,
      bylines: [{ name: 'Ann Lee', role: 'reporter' }],
      section: 'world',
    });
    expect(said).toEqual([
      'budget.md:2: title was read as "Budget: What Changes for You": put a text with a colon in quotation marks',
    ]);
  });

  it('TOML, with a shortcode', async () => {
    const { said, article } = await importFile(
      'hugo',
      '+++\ntitle = "The Roof"\ndate = 2026-11-24T07:30:00+08:00\n+++\nText.\n\n{{< youtube dQw4w9WgXcQ >}}\n',
    );
    expect(article).toMatchObject({ headline: 'The Roof', publishedAt: instant('2026-11-24T07:30+08:00') });
    expect(article?.bodyHtml).toContain('<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Video on YouTube</a>');
    expect(said).toEqual(['hugo.md:7: in the body, the shortcode {{< youtube >}} became a link']);
  });
});

describe('Markdown without front matter', () => {
  it.each([
    ['An intro.\n\n# The *Roof* &amp; More ##\n\nText.\n', 'The Roof & More', 'An intro.\n\n\nText.'],
    ['```\n# no heading\n```\n\nThe Roof\n===\nText.', 'The Roof', '```\n# no heading\n```\n\nText.'],
    ['## This Week\n\nText.\n\n## More\n', 'This Week', 'Text.\n\n## More'],
    ['## Contents\n\n- a\n\n# The Roof\n\nText.', 'The Roof', '## Contents\n\n- a\n\n\nText.'],
  ])('has its headline in the first heading, which leaves the body: %j', async (text, headline, source) => {
    const name = `plain-${headline.toLowerCase().replace(/\W+/g, '-')}-${text.length}`;
    const { said, article } = await importFile(name, text);
    expect(said).toEqual([]);
    expect(article).toMatchObject({ headline, body: { format: 'markdown', source } });
  });

  it('may begin with keys and values, up to an empty line', async () => {
    const { said, article } = await importFile(
      'pelican',
      '\nTitle: Roof: 7 Facts\nDate: 2026-11-24\nTags: a, b\n\nText.\n',
    );
    expect(said).toEqual([]);
    expect(article).toMatchObject({ headline: 'Roof: 7 Facts', tags: ['a', 'b'], body: { source: 'Text.' } });
    const broken = await importFile('wrong', 'Title: Roof\nDate: yesterday\n\nText.\n');
    expect(broken.said).toEqual([expect.stringContaining('wrong.md:2: Date is "yesterday": must be a date')]);
  });

  it('and without a heading is rejected, for the same reason in all files', async () => {
    const rule = 'has neither front matter nor a heading, such as "# A Headline"';
    expect((await importFile('bare', '\nText.\n')).said).toEqual([`bare.md:2: ${rule}`]);
    expect((await importFile('quoted', '> # Text.\n')).said).toEqual([`quoted.md:1: ${rule}`]);
  });
});

describe('a page of a site', () => {
  const TEXT = 'is no article; one that is needs a date (published: 2026-11-24 07:30)';

  it.each([
    ['about.md', '---\ntitle: About\n---\nText.\n', 'a page without a date (about)'],
    ['404.md', '---\nlayout: error\n---\n', 'a page without a date (404)'],
    ['index.md', '---\ntitle: Home\n---\n', 'a page without a date (index)'],
    ['_index.md', '---\ntitle: Posts\ndate: 2026-11-24\n---\n', 'a list of a section (_index)'],
    ['_defaults.md', '---\ntitle: ""\ndate: ""\n---\n', 'a template of posts (_defaults)'],
    ['README.md', '# The Site\n\nText.\n', 'a page without a date (README)'],
    ['LICENSE.md', 'Text.\n', 'a page without a date (LICENSE)'],
    [
      'team-photos.md',
      '---\nlayout: ../layouts/MainLayout.astro\n---\n',
      'a page without a date (layout: ../layouts/MainLayout.astro)',
    ],
    ['join.md', '---\ntitle: Join\nlayout: page\n---\n', 'a page without a date (layout: page)'],
  ])('is skipped, which is said: %s', async (name, text, what) => {
    const report = await importMarkdown(store, text, { name });
    expect(messagesOf(report)).toEqual({ problems: [], warnings: [`${name}:1: is skipped: ${what} ${TEXT}`] });
    expect(report).toMatchObject({ added: 0, rejectedCount: 0 });
  });

  it.each([
    ['index.md', 'title: A Post\ndate: 2026-11-24'],
    ['custom.md', 'title: A Post\ndate: 2026-11-24\nlayout: page'],
    ['undated.md', 'title: A Post\nlayout: blog_post'],
    ['blog.md', 'title: A Post\nlayout: blog\ndraft: true'],
    ['about.md', 'title: A Post\nid: about-us\nstate: draft'],
    ['contact.md', 'title: A Post\ndraft: true'],
  ])('is an article with a date, an id, or as a draft: %s, %j', async (name, keys) => {
    const report = await importMarkdown(store, `---\n${keys}\n---\nText.\n`, { name });
    expect(report).toMatchObject({ added: 1, rejectedCount: 0, warningCount: 0 });
  });
});

it('takes MDX for Markdown, and says which components it leaves out', async () => {
  const text = '---\ntitle: Roof\ndate: 2026-11-24\n---\nimport A from "a";\n\nText.\n\n<A b="c" />\n';
  const report = await importMarkdown(store, text, { name: 'roof.mdx' });
  expect(messagesOf(report)).toEqual({
    problems: [],
    warnings: ['roof.mdx:9: removed from the body: the component <A>'],
  });
  expect((await findArticle(store.db, 'roof'))?.bodyHtml).toBe('<p>Text.</p>');
});
