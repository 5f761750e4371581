import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config/config.ts';
import { feedOutline, writeOpml } from '../../../src/feeds/formats/opml.ts';
import { sourcesOfOpml } from '../../../src/outlets/import-opml.ts';
import { sampleConfig } from '../../support/sample.ts';

/** Feeds as a file lists them. */
const listOf = (feeds: readonly { title: string; url: string }[]) =>
  Buffer.from(
    writeOpml(
      { title: 'Feeds' },
      feeds.map(({ title, url }) => feedOutline({ title, xmlUrl: url })),
    ),
  );

const SAMPLE = sampleConfig();
const NONE = { ...SAMPLE, sources: [] };

function importOf(urls: readonly (string | { title: string; url: string })[], config: Config = NONE) {
  const feeds = urls.map((one) => (typeof one === 'string' ? { title: 'One', url: one } : one));
  return sourcesOfOpml(config, listOf(feeds));
}

describe('importing OPML as sources', () => {
  it('adds feeds as sources for the roundup, with ids of their addresses and outlets of their titles', () => {
    const result = importOf([
      { title: 'The Example', url: 'https://www.example.org/rss?a=1#top' },
      { title: '', url: 'https://www.other.example/' },
      { title: 'T'.repeat(180), url: 'feed://third.example/atom' },
    ]);
    expect(result).toEqual({
      added: [
        { id: 'example-org-rss', url: 'https://www.example.org/rss?a=1', use: 'roundup', outlet: 'The Example' },
        { id: 'other-example', url: 'https://www.other.example/', use: 'roundup', outlet: 'other.example' },
        { id: 'third-example-atom', url: 'http://third.example/atom', use: 'roundup', outlet: 'T'.repeat(100) },
      ],
      ...{ known: [], rejected: [], problems: [] },
    });
  });

  it('skips feeds that are sources already, or twice in the file, however they are written', () => {
    const { added, known } = importOf(
      ['http://www.harbour-post.example/news.rss?utm_source=x', 'https://a.example/1', 'HTTP://A.example:80/1'],
      SAMPLE,
    );
    expect(added.map(({ id }) => id)).toEqual(['a-example-1']);
    expect(known).toEqual([
      { url: 'http://www.harbour-post.example/news.rss?utm_source=x', id: 'harbour-post' },
      { url: 'http://a.example/1', id: 'a-example-1' },
    ]);
  });

  it('gives every source an id of its own', () => {
    const long = 'x'.repeat(80);
    const { added } = importOf([
      ...['https://a.example/?p=1', 'https://a.example/?p=2', 'https://a.example/?p=3'],
      ...[`https://a.example/${long}?1`, `https://a.example/${long}?2`],
      ...['https://daily.circuit/', 'https://[2606:4700::1]/'],
    ]);
    const ids = added.map(({ id }) => id);
    expect(ids.slice(0, 3)).toEqual(['a-example', 'a-example-2', 'a-example-3']);
    expect(new Set(ids).size).toBe(7);
    for (const id of ids) expect(id).toMatch(/^[a-z0-9][a-z0-9-]{0,63}$/);
  });

  it('rejects addresses that are private or none, and says why', () => {
    const urls = [
      'http://127.0.0.1/feed',
      'http://localhost/feed',
      'http://nas.local/',
      'http://[::1]/',
      'http://10.1.2.3/',
    ];
    const { added, rejected } = importOf([
      ...urls,
      'ftp://a.example/',
      'https://me:secret@a.example/',
      'feed',
      'javascript:1',
    ]);
    expect(added).toEqual([]);
    expect(rejected.slice(0, 5).map(({ reason }) => reason)).toEqual(
      ['127.0.0.1', 'localhost', 'nas.local', '[::1]', '10.1.2.3'].map(
        (host) => `${host} is a private address: if it is yours, name its network in fetch.allow`,
      ),
    );
    expect(new Set(rejected.slice(5).map(({ reason }) => reason))).toEqual(
      new Set(['it is not an http or https address without a login']),
    );
    expect(rejected).toHaveLength(9);
    const allowed = importOf(urls, { ...NONE, fetch: { ...NONE.fetch, allow: ['10.0.0.0/8'] } });
    expect(allowed.added.map(({ url }) => url)).toEqual([
      'http://localhost/feed',
      'http://nas.local/',
      'http://10.1.2.3/',
    ]);
  });

  it('names a rejected address without control characters, which a terminal would obey', () => {
    const opml = '<opml><outline text="One" xmlUrl="x:\u001b[2J\u0007\u202eend"/></opml>';
    const { rejected } = sourcesOfOpml(NONE, Buffer.from(opml));
    expect(rejected.map(({ url }) => url)).toEqual(['x:[2Jend']);
  });
});
