import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importPaths } from '../../../src/articles/import/import.ts';
import { toArticle } from '../../../src/articles/stored-document.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { importSiteFolder } from '../../../src/own-sites/exports/import-export.ts';
import type { SiteGenerator } from '../../../src/own-sites/exports/site-folder.ts';
import { configWith } from '../../articles/imports.ts';
import { openMigrated } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const config = configWith();
const clock = () => Date.UTC(2026, 10, 27, 9);

/** Makes a folder of files by their paths. */
function site(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function post(title: string, more = 'date: 2024-03-01 10:00\n', body = 'The text.'): string {
  return `---\ntitle: ${title}\n${more}---\n\n${body}\n`;
}

function importing(store: Store, from: SiteGenerator, folder: string, url: string | null = null) {
  return importSiteFolder(store, config, folder, { from, url, clock });
}

async function stored({ db }: Store) {
  const rows = await db.selectFrom('articles').select('document').orderBy('id').execute();
  return rows.map(toArticle);
}

/** Addresses by id. */
async function addresses(store: Store): Promise<Record<string, string | null>> {
  return Object.fromEntries((await stored(store)).map(({ id, url }) => [id, url]));
}

const numbers = Array.from({ length: 120 }, (_, index) => index + 1);
const PLACES: Record<SiteGenerator, (n: number) => string> = {
  hugo: (n) => (n % 2 === 0 ? `content/posts/post-${n}.md` : `content/posts/post-${n}/index.md`),
  jekyll: (n) => `_posts/2024-03-01-post-${n}.md`,
  astro: (n) => `src/content/blog/post-${n}.${n % 2 === 0 ? 'md' : 'mdx'}`,
  eleventy: (n) => `src/posts/post-${n}.md`,
};

it.each(Object.entries(PLACES) as [SiteGenerator, (n: number) => string][])(
  'imports a folder of %s with 120 posts, and changes nothing the second time',
  async (from, place) => {
    const store = await openMigrated();
    const folder = site(Object.fromEntries(numbers.map((n) => [place(n), post(`Post ${n}`)])));
    const first = await importing(store, from, folder, 'https://times.example');
    expect(first).toMatchObject({ added: 120, rejectedCount: 0, warningCount: 0, leftOut: [] });
    const again = await importing(store, from, folder, 'https://times.example');
    expect(again).toMatchObject({ added: 0, updated: 0, unchanged: 120, rejectedCount: 0 });
  },
);

describe('the posts of a site', () => {
  it('of Hugo are at the path of their section, and bundles are named by their folder', async () => {
    const store = await openMigrated();
    const folder = site({
      'content/about.md': post('About'),
      'content/posts/_index.md': post('Posts'),
      'content/posts/solar.md': post('Solar'),
      'content/posts/2024/wind/index.md': post('Wind'),
      'content/posts/named.md': post('Named', 'date: 2024-03-01 10:00\nslug: another-name\n'),
      'content/posts/placed.md': post('Placed', 'date: 2024-03-01 10:00\nurl: /my/place/\n'),
      'content/posts/linked.md': post('Linked', 'date: 2024-03-01 10:00\npermalink: /my/link/\n'),
      'content/posts/elsewhere.md': post('Elsewhere', 'date: 2024-03-01 10:00\nurl: https://other.example/x\n'),
      'themes/plain/content/posts/theme.md': post('Theme'),
    });
    const report = await importing(store, 'hugo', folder, 'https://times.example/');
    expect(report).toMatchObject({ added: 6, rejectedCount: 0 });
    expect(report.leftOut).toEqual(['pages at the top of the site: 1 not imported']);
    expect(await addresses(store)).toEqual({
      elsewhere: 'https://other.example/x',
      linked: 'https://times.example/my/link/',
      named: 'https://times.example/posts/another-name/',
      placed: 'https://times.example/my/place/',
      solar: 'https://times.example/posts/solar/',
      wind: 'https://times.example/posts/2024/wind/',
    });
  });

  it('of Jekyll have the date of their name and the address of their categories, and drafts are drafts', async () => {
    const store = await openMigrated();
    const folder = site({
      '_config.yml': 'title: x\n',
      'index.md': post('Home'),
      '_posts/2024-3-1-solar.md': post('Solar', 'layout: post\ncategories: World Asia\n'),
      'local/_posts/2024-03-02-wind.markdown': post('Wind', 'date: 2024-03-05 10:00\n'),
      '_drafts/idea.md': post('Idea', ''),
      '_site/_posts/2024-01-01-built.md': post('Built'),
      '_reviews/2024-01-01-roof.md': post('Roof'),
      'notes/2024-01-01-page.md': post('Page'),
    });
    const report = await importing(store, 'jekyll', folder, 'https://times.example');
    expect(report).toMatchObject({ added: 3, rejectedCount: 0 });
    expect(report.leftOut).toEqual([
      'dated files of the collection _reviews, which is imported by its folder: 1 not imported',
    ]);
    const articles = await stored(store);
    expect(articles.map(({ id, status, publishedAt }) => [id, status.state, publishedAt])).toEqual([
      ['2024-03-02-wind', 'published', Date.UTC(2024, 2, 5, 2)],
      ['2024-3-1-solar', 'published', Date.UTC(2024, 1, 29, 16)],
      ['idea', 'draft', expect.anything()],
    ]);
    expect(await addresses(store)).toEqual({
      '2024-3-1-solar': 'https://times.example/world/asia/2024/03/01/solar.html',
      '2024-03-02-wind': 'https://times.example/local/2024/03/05/wind.html',
      idea: null,
    });
  });

  it('of Jekyll have words for categories and tags, and pictures and links on the site', async () => {
    const store = await openMigrated();
    const text =
      '![Roof]({{ "/assets/roof.jpg" | relative_url }}){: .wide } [All]({{ site.baseurl }}/archive/) [Home](/)\n{: .note}';
    const folder = site({
      '_posts/2024-03-01-solar.md': post(
        'Solar',
        'categories: local world\ntags: sun roof\nimage: /assets/sun.jpg\n',
        text,
      ),
    });
    expect(await importing(store, 'jekyll', folder, 'https://blog.example')).toMatchObject({
      added: 1,
      rejectedCount: 0,
    });
    expect(await stored(store)).toMatchObject([
      {
        section: 'world',
        tags: ['sun', 'roof', 'local'],
        image: { url: 'https://blog.example/assets/sun.jpg' },
        bodyHtml:
          '<p><img src="https://blog.example/assets/roof.jpg" alt="Roof" /> ' +
          '<a href="https://blog.example/archive/">All</a> <a href="https://blog.example/">Home</a></p>',
      },
    ]);
  });

  it('of Astro may be MDX, whose imports and components are left out and counted', async () => {
    const store = await openMigrated();
    const body =
      "import Chart from '../chart.astro';\n\nexport const n = {\n  a: 1,\n};\n\nBefore.\n\n<Chart data={[1]} />\n\n" +
      '<Note kind="tip">Kept.</Note> {/* not this */}\n\n```js\nimport x from "kept";\n```';
    const folder = site({
      'src/content/blog/solar.mdx': post('Solar', 'pubDate: 2024-03-01 10:00\n', body),
      'src/pages/page.md': post('Page'),
    });
    const report = await importing(store, 'astro', folder, 'https://times.example/:year/:slug');
    expect(report).toMatchObject({ added: 1, rejectedCount: 0 });
    expect(
      report.warnings.flatMap(({ problems }) => problems.map((text) => text.replace(/^.*solar/, 'solar'))),
    ).toEqual([
      'solar.mdx:14: removed from the body: the component <Chart>',
      'solar.mdx:16: removed from the body: the component <Note>',
    ]);
    const [article] = await stored(store);
    expect(article?.url).toBe('https://times.example/2024/solar');
    expect(article?.bodyHtml.replace(/\s+/g, ' ').trim()).toBe(
      '<p>Before.</p> <p>Kept.</p> <pre><code>import x from "kept"; </code></pre>',
    );
  });

  it('may have a pattern of their own for their address, and none that a template makes', async () => {
    const store = await openMigrated();
    const folder = site({
      '_posts/2024-03-01-solar.md': post('Solar', 'permalink: /:categories/:year/:title.html\ncategories: Local\n'),
      '_posts/2024-03-02-wind.md': post('Wind', 'permalink: "/{{ page.title | slug }}/"\n'),
    });
    expect(await importing(store, 'jekyll', folder, 'https://times.example')).toMatchObject({ added: 2 });
    expect(await addresses(store)).toEqual({
      '2024-03-01-solar': 'https://times.example/local/2024/solar.html',
      '2024-03-02-wind': null,
    });
  });

  it('of Eleventy have the date of their name, and no date where they take that of the file', async () => {
    const store = await openMigrated();
    const folder = site({
      'posts/2024-03-01-solar.md': post('Solar', ''),
      'posts/wind.md': post('Wind', 'date: git Last Modified\n', '![Wind](/img/wind.jpg)'),
    });
    const url = 'https://blog.example';
    expect(await importing(store, 'eleventy', folder, url)).toMatchObject({ added: 1, rejectedCount: 1 });
    const options = { from: 'eleventy', url, clock, undated: 'now' } as const;
    expect(await importSiteFolder(store, config, folder, options)).toMatchObject({ added: 1, rejectedCount: 0 });
    const articles = await stored(store);
    expect(articles.map(({ id, url, publishedAt }) => [id, url, publishedAt])).toEqual([
      ['2024-03-01-solar', 'https://blog.example/posts/solar/', Date.UTC(2024, 1, 29, 16)],
      ['wind', 'https://blog.example/posts/wind/', clock()],
    ]);
    expect(articles[1]?.bodyHtml).toContain('https://blog.example/img/wind.jpg');
  });

  it('of Eleventy are below its input folder, without files about the project', async () => {
    const store = await openMigrated();
    const folder = site({
      'README.md': 'no front matter',
      'posts/solar.md': post('Solar'),
      'posts/Wind & Weather.md': post('Wind'),
      'node_modules/x/readme.md': 'no front matter',
      '_includes/part.md': 'no front matter',
    });
    const report = await importing(store, 'eleventy', folder, 'https://times.example');
    expect(report).toMatchObject({ added: 2, rejectedCount: 0 });
    expect(report.warnings).toEqual([
      expect.objectContaining({ problems: [expect.stringContaining('is skipped: a page without a date (README)')] }),
    ]);
    expect(await addresses(store)).toEqual({
      'Wind~20~26~20Weather': 'https://times.example/posts/Wind%20&%20Weather/',
      solar: 'https://times.example/posts/solar/',
    });
  });

  it('have no address elsewhere unless the site is named, and belong to their files, as without --from', async () => {
    const store = await openMigrated();
    const folder = site({ 'content/posts/solar.md': post('Solar') });
    await importing(store, 'hugo', folder);
    expect(await addresses(store)).toEqual({ solar: null });
    expect(await importPaths(store, config, [folder], { clock })).toMatchObject({ added: 0, unchanged: 1 });
  });

  it('are missing where the folder is another one, which is said', async () => {
    const store = await openMigrated();
    const folder = site({ 'notes.txt': 'x' });
    await expect(importing(store, 'jekyll', folder)).rejects.toThrow(
      '(looked for _posts and _drafts; a collection is imported by its folder): has no posts',
    );
    await expect(importing(store, 'hugo', folder)).rejects.toThrow(`${folder}: has no posts in .md, .markdown`);
    rmSync(folder, { recursive: true });
    await expect(importing(store, 'hugo', folder)).rejects.toThrow(`${folder}: is not a folder`);
  });
});
