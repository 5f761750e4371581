import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { article } from '../app/test-site.ts';
import { type FeedServer, openFeedServer } from './feed-server.ts';
import { isInstalled, PYTHON, run } from './programs.ts';

const STORIES = [
  article('a', {
    headline: 'R&D: “三星” 🚀 Sells its "Fab 3"',
    bylines: [
      { role: 'reporter', name: 'Lin Ye', email: 'lin.ye@example.com' },
      { role: 'editor', name: 'Guo Ran', email: null },
    ],
  }),
  article('b', {
    kicker: 'In Depth',
    headline: '全国已建成逾71.8万座5G基站',
    language: 'zh-Hans',
    bylines: [{ role: 'reporter', name: 'Ann O’Hara & Co <x>', email: null }],
  }),
  article('c', { headline: 'A ]]> B', bylines: [{ role: 'reporter', name: '陈思', email: null }] }),
];
const TITLES = ['R&D: “三星” 🚀 Sells its "Fab 3"', 'In Depth：全国已建成逾71.8万座5G基站', 'A ]]> B'];
/** In Atom its title is HTML, which sfeed ignores. */
const MARKUP = article('d', { headline: 'Vec<T> & AT&T' });

let server: FeedServer;
beforeEach(async () => {
  server = await openFeedServer();
  await server.publish(...STORIES);
});
afterEach(() => server.close());

describe.runIf(isInstalled('sfeed', 'sfeed', []))('sfeed', () => {
  it('reads the same ids, titles, links and times from RSS and Atom', async () => {
    const [rss, atom] = await Promise.all(['latest.rss', 'latest.atom'].map(read));
    expect(rss).toHaveLength(3);
    expect(rss?.map(({ title }) => title).sort()).toEqual([...TITLES].sort());
    expect(rss?.map(({ id }) => id)).toEqual(expect.arrayContaining(['tag:example.com,2026:articles/a']));
    expect(rss).toEqual(atom);
  });

  async function read(path: string): Promise<Record<string, string>[]> {
    const feed = await (await fetch(server.url(path))).text();
    const lines = (await run('sfeed', [], { home: server.home, input: feed })).trimEnd().split('\n');
    return lines.map((line) => {
      const [at = '', title = '', link = '', , , id = ''] = line.split('\t');
      return { at, title, link, id };
    });
  }
});

describe.runIf(isInstalled('python3-feedparser', PYTHON, ['-c', 'import feedparser']))('feedparser', () => {
  it('reads the same titles and authors from RSS and Atom, without errors', async () => {
    await server.publish(MARKUP);
    const [rss, atom] = await Promise.all(['latest.rss', 'latest.atom'].map((path) => read(path)));
    expect(rss?.titles.toSorted()).toEqual([...TITLES, MARKUP.headline].sort());
    expect(rss?.authors.flat()).toEqual(expect.arrayContaining(['Lin Ye', 'Ann O’Hara & Co <x>', '陈思']));
    expect(rss?.authors.flat()).not.toContain('Guo Ran');
    expect({ ...rss, etag: null }).toEqual({ ...atom, etag: null });
    expect(rss?.bozo).toBe(false);
    expect(server.takeStatuses()).toEqual([200, 200]);
  });

  it('gets a 304 while nothing is new, and then the new story', async () => {
    const { etag } = await read('latest.atom');
    expect((await read('latest.atom', etag)).status).toBe(304);
    await server.publish(MARKUP);
    const next = await read('latest.atom', etag);
    expect(next.status).toBe(200);
    expect(next.titles.toSorted()).toEqual([...TITLES, MARKUP.headline].sort());
  });

  interface Read {
    status: number;
    bozo: boolean;
    titles: string[];
    authors: string[][];
    etag: string | null;
  }

  async function read(path: string, etag: string | null = null): Promise<Read & { etag: string }> {
    // The script returns plain text: feedparser returns HTML for titles that are HTML.
    const output = await run(PYTHON, ['-c', SCRIPT, server.url(path), etag ?? ''], { home: server.home });
    const read = JSON.parse(output) as Read & { etag: string };
    if (etag === null) return { ...read, status: 200 };
    return read;
  }
});

const SCRIPT = `
import feedparser, html, json, re, sys
url, etag = sys.argv[1], sys.argv[2] or None
read = feedparser.parse(url, etag=etag, sanitize_html=False)
def plain(detail):
    return html.unescape(detail.value) if detail.type == 'text/html' else detail.value
print(json.dumps({
    'status': read.status,
    'bozo': bool(read.bozo),
    'titles': [plain(entry.title_detail) for entry in read.entries],
    'authors': [[author.get('name') for author in entry.get('authors', [])] for entry in read.entries],
    'etag': None if etag else read.etag,
}))
`;
