import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { importPaths } from '../../../src/articles/import/import.ts';
import { toArticle } from '../../../src/articles/stored-document.ts';
import { LeftOut } from '../../../src/own-sites/exports/export-entry.ts';
import { importSiteFolder } from '../../../src/own-sites/exports/import-export.ts';
import { findLanguageFolders, findSitePosts, type SiteGenerator } from '../../../src/own-sites/exports/site-folder.ts';
import { configWith } from '../../articles/imports.ts';
import { openMigrated } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SITE = 'https://times.example';

function post(title: string, more = ''): string {
  return `---\ntitle: ${title}\ndate: 2024-03-01 10:00\n${more}---\n\nThe text.\n`;
}

/** Imports a folder of these files. Paths alone are posts. */
async function imported(from: SiteGenerator, files: Record<string, string>, url: string | null = SITE, below = '.') {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const store = await openMigrated();
  const result = await importSiteFolder(store, configWith(), join(folder, below), {
    from,
    url,
    clock: () => Date.UTC(2026, 10, 27),
  });
  const rows = await store.db.selectFrom('articles').select('document').orderBy('id').execute();
  const articles = rows.map(toArticle);
  const byId = <T>(of: (article: (typeof articles)[number]) => T): Record<string, T> =>
    Object.fromEntries(articles.map((article) => [article.id, of(article)]));
  return { folder, store, result, articles, paths: byId(({ url }) => url?.replace(SITE, '') ?? null), byId };
}

describe('the addresses of a site of Jekyll', () => {
  it.each([
    ['permalink: /:year/:title/', '/2024/Solar_Roof.x/'],
    ['permalink: pretty', '/local/2024/03/01/Solar_Roof.x/'],
    ['permalink: ordinal', '/local/2024/061/Solar_Roof.x.html'],
    ['permalink: none', '/local/Solar_Roof.x.html'],
    ['permalink: date', '/local/2024/03/01/Solar_Roof.x.html'],
    ['permalink: :categories/:i_month-:i_day/:title:output_ext', '/local/3-1/Solar_Roof.x.html'],
    ['collections:\n  posts: { permalink: "/blog/:title" }', '/blog/Solar_Roof.x'],
    ['defaults: [{ scope: { path: "" }, values: { permalink: "/news/:title/" } }]', '/news/Solar_Roof.x/'],
    ['defaults: [{ scope: { path: local, type: posts }, values: { permalink: "/l/:title/" } }]', '/l/Solar_Roof.x/'],
    [
      'defaults: [{ scope: { path: far }, values: { permalink: "/far/:title/" } }]',
      '/local/2024/03/01/Solar_Roof.x.html',
    ],
    ['defaults: [{ scope: { type: pages }, values: { permalink: "/p/" } }]', '/local/2024/03/01/Solar_Roof.x.html'],
    ['permalink: /:long_month/:title/', null],
  ])('follow its configuration: %s', async (config, path) => {
    const { paths } = await imported('jekyll', {
      '_config.yml': config,
      'local/_posts/2024-03-01-Solar_Roof.x.md': post('Solar'),
    });
    expect(paths).toEqual({ '2024-03-01-Solar_Roof.x': path });
  });

  it('are the same where a folder of posts within the site is imported', async () => {
    const files = {
      '_config.yml': 'permalink: /:year/:title/\n',
      'local/_posts/2024/2024-03-01-wind.md': post('Wind'),
    };
    expect((await imported('jekyll', files, SITE, 'local/_posts/2024')).paths).toEqual({
      '2024-03-01-wind': '/2024/wind/',
    });
  });

  it('follow the pattern of --url where there is one', async () => {
    const files = { '_config.yml': 'permalink: /:year/:title/', '_posts/2024-03-01-solar.md': post('Solar') };
    expect((await imported('jekyll', files, `${SITE}/b/:title/`)).paths).toEqual({ '2024-03-01-solar': '/b/solar/' });
  });

  it('are below the fixed part of that pattern where a slug has slashes, as in Docusaurus', async () => {
    const files = {
      '2024-03-01-solar.mdx': post('Solar'),
      '2024-03-02-wind.md': post('Wind', 'slug: 2024/03/05/Wind_Power\ndate: 2024-03-05 10:00\n'),
      '2024-03-03-water.md': post('Water', 'slug: /water\n'),
    };
    expect((await imported('eleventy', files, `${SITE}/blog/:year/:month/:day/:slug`)).paths).toEqual({
      '2024-03-01-solar': '/blog/2024/03/01/solar',
      '2024-03-02-wind': '/blog/2024/03/05/Wind_Power',
      '2024-03-03-water': '/blog/water',
    });
  });
});

describe('the addresses of a site of Hugo', () => {
  const place = 'content/posts/2024/Solar_Roof 5.md';
  it.each([
    ['hugo.toml', '[permalinks]\nposts = "/:year/:month/:slug/"', '/2024/03/a-sunny-roof/'],
    ['config.toml', '[permalinks]\nposts = "/:section/:filename/"', '/posts/solar_roof-5/'],
    ['hugo.yaml', 'permalinks: { page: { posts: "/a/:sections/:slugorfilename" } }', '/a/posts/2024/solar_roof-5/'],
    ['hugo.yaml', 'permalinks: { posts: "/:sections[1:]/:slug" }', null],
    ['hugo.yaml', 'permalinks: [{ target: { path: "/posts/**" }, pattern: "/:year/:slug" }]', null],
    ['config.json', '{"Permalinks":{"posts":"/p/:title/"}}', '/p/a-sunny-roof/'],
    ['config/_default/permalinks.toml', 'posts = "/x/:slug/"', '/x/a-sunny-roof/'],
    ['config/_default/hugo.yaml', 'uglyURLs: true', '/posts/2024/solar_roof-5.html'],
    ['hugo.toml', '[uglyURLs]\nposts = true', '/posts/2024/solar_roof-5.html'],
    ['hugo.yml', 'disablePathToLower: true', '/posts/2024/Solar_Roof-5/'],
    ['hugo.toml', '[permalinks]\nnews = "/n/:slug/"', '/posts/2024/solar_roof-5/'],
  ])('follow its configuration: %s %s', async (file, config, path) => {
    const { articles } = await imported('hugo', { [file]: config, [place]: post('A Sunny  Roof?') });
    expect(articles.map(({ url }) => url)).toEqual([path && SITE + path]);
  });

  it('follow a slug and a url of the article', async () => {
    const { paths } = await imported('hugo', {
      'hugo.toml': '[permalinks]\nposts = "/:year/:slug/"',
      'content/posts/a.md': post('A', 'slug: My_Own.Place\naliases: [/old/]\n'),
      'content/posts/b.md': post('B', 'url: /Some/Where.html\n'),
    });
    expect(paths).toEqual({ a: '/2024/my_own.place/', b: '/Some/Where.html' });
  });

  it('are not invented from a configuration that cannot be read, which is said', async () => {
    const { result } = await imported('hugo', { 'hugo.toml': '[[', 'content/posts/a.md': post('A') });
    expect(result).toMatchObject({ added: 1, leftOut: [expect.stringContaining('hugo.toml, which cannot be read')] });
  });
});

describe('the address of an article', () => {
  it('is what the site has, where our own slug is another one or belongs to another article', async () => {
    const { paths, byId, result } = await imported(
      'jekyll',
      {
        '_posts/2024-03-01-a.md': post('A', 'slug: Über_Uns\n'),
        '_posts/2024-03-01-b.md': post('B', 'slug: caf%C3%A9\n'),
        '_posts/2024-03-01-c.md': post('C', 'slug: week-in-review\n'),
        '_posts/2024-04-01-d.md': post('D', 'slug: week-in-review\n').replace('-03-', '-04-'),
        '_posts/2024-04-01-e.md': post('E', 'slug: 週報\n'),
      },
      `${SITE}/:year/:month/:slug/`,
    );
    expect(result).toMatchObject({ added: 5, rejectedCount: 0, warningCount: 0 });
    expect(paths).toEqual({
      '2024-03-01-a': '/2024/03/%C3%9Cber_Uns/',
      '2024-03-01-b': '/2024/03/caf-C3-A9/',
      '2024-03-01-c': '/2024/03/week-in-review/',
      '2024-04-01-d': '/2024/04/week-in-review/',
      '2024-04-01-e': '/2024/03/%E9%80%B1%E5%A0%B1/',
    });
    expect(byId(({ slug }) => slug)).toEqual({
      '2024-03-01-a': 'uber-uns',
      '2024-03-01-b': 'caf-c3-a9',
      '2024-03-01-c': 'week-in-review',
      '2024-04-01-d': 'week-in-review-2024-04-01-d',
      '2024-04-01-e': 'e',
    });
  });

  it('is shown of three files, and the site of the configuration is named where --url is not given', async () => {
    const files = Object.fromEntries(
      ['a', 'b', 'c', 'd', 'e'].map((name) => [`content/posts/${name}.md`, post(name.toUpperCase())]),
    );
    const config = { 'hugo.toml': 'baseURL = "https://times.example/blog/"' };
    const { folder, result } = await imported('hugo', { ...config, ...files }, `${SITE}/blog`);
    expect(result).toMatchObject({
      siteUrl: null,
      samples: ['a', 'c', 'e'].map((name) => ({
        file: join(folder, `content/posts/${name}.md`),
        url: `${SITE}/blog/posts/${name}/`,
      })),
    });
    const unnamed = await imported('hugo', { ...config, ...files }, null);
    expect(unnamed.result.siteUrl).toBe('https://times.example/blog/');
    expect(unnamed.result.samples[0]?.url).toBe('https://news.example/articles/a');
  });
});

describe('a site in several languages', () => {
  it('has them by the folders of Hugo, whose ids are kept apart', async () => {
    const { paths, byId, result } = await imported('hugo', {
      'hugo.toml':
        'defaultContentLanguage = "en"\n[languages.en]\ncontentDir = "content/en"\n[languages.cs]\ncontentDir = "content.cs"',
      'content/en/posts/solar.md': post('Solar'),
      'content/en/posts/wind/index.md': post('Wind'),
      'content.cs/posts/solar.md': post('Slunce'),
    });
    expect(result).toMatchObject({ added: 3, rejectedCount: 0 });
    expect(paths).toEqual({ 'cs.solar': '/cs/posts/solar/', solar: '/posts/solar/', wind: '/posts/wind/' });
    expect(byId(({ language }) => language)).toEqual({ 'cs.solar': 'cs', solar: 'en', wind: 'en' });
  });

  it('has them by folders of content in Hugo, also where one folder is imported', async () => {
    const files = {
      'hugo.yaml': 'languages: { en: {}, cs: {} }\npermalinks: { posts: "/:year/:slug/" }\n',
      'content/en/posts/2024/solar.md': post('Solar'),
      'content/cs/posts/2024/solar.md': post('Slunce'),
    };
    const all = { 'cs.solar': '/cs/2024/slunce/', solar: '/2024/solar/' };
    expect((await imported('hugo', files)).paths).toEqual(all);
    const one = { 'cs.solar': all['cs.solar'] };
    expect((await imported('hugo', files, SITE, 'content/cs/posts')).paths).toEqual(one);
  });

  it('has them by the ends of names in Hugo', async () => {
    const { paths, byId, store, folder } = await imported('hugo', {
      'config/_default/languages.yaml': 'en: { weight: 1 }\n',
      'config/_default/languages.de.toml': 'weight = 2\n',
      'content/posts/solar.md': post('Solar'),
      'content/posts/solar.de.md': post('Sonne'),
      'content/posts/wind/index.de.md': post('Wind'),
      'content/posts/node.js.md': post('Node'),
    });
    expect(paths).toEqual({
      'de.solar': '/de/posts/solar/',
      'de.wind': '/de/posts/wind/',
      'node.js': '/posts/node.js/',
      solar: '/posts/solar/',
    });
    expect(byId(({ language }) => language)).toMatchObject({ 'de.solar': 'de', solar: 'en' });
    // Without the rules of the generator, too, each file keeps its id.
    const clock = () => Date.UTC(2026, 10, 28);
    expect(await importPaths(store, configWith(), [folder], { clock })).toMatchObject({ added: 0, rejectedCount: 0 });
  });

  it('has them by folders beside each other, around or below those of posts', async () => {
    const around = await imported('jekyll', {
      'en/news/_posts/2024-03-01-solar.md': post('Solar'),
      'ja/news/_posts/2024-03-01-solar.md': post('太陽'),
      'zh_tw/news/_posts/2024-03-01-solar.md': post('太陽能', 'lang: zh-Hant\n'),
    });
    expect(around.paths).toEqual({
      '2024-03-01-solar': '/en/news/2024/03/01/solar.html',
      'ja.2024-03-01-solar': '/ja/news/2024/03/01/solar.html',
      'zh_tw.2024-03-01-solar': '/zh_tw/news/2024/03/01/solar.html',
    });
    expect(around.byId(({ language }) => language)).toEqual({
      '2024-03-01-solar': 'en',
      'ja.2024-03-01-solar': 'ja',
      'zh_tw.2024-03-01-solar': 'zh-Hant',
    });
    const part = { '_config.yml': '', 'en/_posts/2024-03-01-solar.md': post('Solar') };
    const japanese = await imported('jekyll', { ...part, 'ja/_posts/2024-03-01-solar.md': post('太陽') }, SITE, 'ja');
    expect(japanese.paths).toEqual({ 'ja.2024-03-01-solar': '/ja/2024/03/01/solar.html' });
    const below = await imported('jekyll', {
      '_posts/2024-03-01-solar.md': post('Solar'),
      '_posts/ja/2024-03-01-solar.md': post('太陽'),
      '_posts/ko/2024-03-01-solar.md': post('태양'),
    });
    expect(below.byId(({ language, url }) => [language, url])).toEqual({
      '2024-03-01-solar': ['en', `${SITE}/2024/03/01/solar.html`],
      'ja.2024-03-01-solar': ['ja', `${SITE}/2024/03/01/solar.html`],
      'ko.2024-03-01-solar': ['ko', `${SITE}/2024/03/01/solar.html`],
    });
  });

  const languages = (paths: string[], known: string[] = []) =>
    [
      ...findLanguageFolders(
        paths.map((path) => path.split('/')),
        new Set(known),
      ),
    ].sort();

  it.each<[string[], string[], string[]]>([
    [['en/a.md', 'it/a.md'], [], ['en', 'it']],
    [['it/a.md', 'no/a.md', 'ml/a.md'], [], []],
    [['it/a.md'], ['it'], ['it']],
    [['en/a.md', 'posts/a.md'], [], []],
    [['blog/pt-br/a.md', 'blog/zh_CN/a.md', 'blog/my-post/a.md'], [], ['blog/pt-br', 'blog/zh_CN']],
    [['de/a.md', 'xx/a.md', 'qq/a.md'], [], []],
    [['en/de/a.md', 'fr/a.md'], [], ['en', 'fr']],
  ])('has no languages in folders that may be words: %j with %j', (paths, known, found) => {
    expect(languages(paths, known)).toEqual(found);
  });

  it('has only folders of languages that are there', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 })), (files) => {
        const folders = files.flatMap((parts) => parts.map((_, at) => parts.slice(0, at + 1).join('/')));
        for (const folder of findLanguageFolders(files, new Set())) expect(folders).toContain(folder);
      }),
    );
  });
});

describe('the authors of a site', () => {
  it.each<[string, string]>([
    ['_data/authors.yml', 'ann: { name: Ann Example }\n'],
    ['_data/authors.yml', 'ann: Ann Example\n'],
    ['_data/authors.json', '[{ "username": "ann", "display_name": "Ann Example" }]'],
    ['data/authors.toml', '[ann]\nname = "Ann Example"\n'],
    ['data/authors/ann.yaml', 'name: Ann Example\n'],
    ['content/authors/ann/_index.md', '---\ntitle: Ann Example\n---\n'],
    ['src/content/authors/ann.json', '{ "name": "Ann Example" }'],
    ['authors.yml', 'ann: { name: Ann Example }\n'],
    ['_staff_members/ann.md', '---\nname: Ann Example\n---\n'],
    ['_authors/example.md', '---\nshort_name: ann\nname: Ann Example\n---\n'],
  ])('are known by their login from %s', async (path, text) => {
    const { folder } = await imported('hugo', { [path]: text, 'content/posts/solar.md': post('Solar') });
    const options = { url: null, language: 'en', leftOut: new LeftOut() };
    const { files } = await findSitePosts(folder, 'hugo', options);
    expect(files.map(({ defaults }) => defaults?.authors)).toEqual([expect.objectContaining({ ann: 'Ann Example' })]);
  });
});
