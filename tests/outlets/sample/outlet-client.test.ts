import { describe, expect, it, onTestFinished } from 'vitest';
import { type Config, parseConfig } from '../../../src/core/config/config.ts';
import { openConfiguredClient } from '../../../src/core/config/fetching.ts';
import { SAMPLE_LOADED_AT, writeMeta } from '../../../src/core/store/meta.ts';
import type { FetchClient, FetchRequest, FetchResult } from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { openOutletClient } from '../../../src/outlets/sample/outlet-client.ts';
import { parseFeed } from '../../../src/sources/feed/parse-feed.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { ROOT, sampleConfig } from '../../support/sample.ts';

const FEEDS = [
  'https://harbour-post.example/news.rss',
  'https://daily-circuit.example/feed.atom',
  'https://northgate-ledger.example/feed.json',
];
const RSS = FEEDS[0] as string;

async function openClient({
  config = sampleConfig(),
  client,
  clock = () => NOW,
}: {
  config?: Config;
  client?: FetchClient;
  clock?: () => number;
} = {}) {
  const store = await openMigrated();
  onTestFinished(() => store.close());
  return { store, client: openOutletClient({ config, store, clock }, { client }) };
}

/** A client that answers nothing, and remembers what it was asked. */
function recordingClient(): FetchClient & { asked: string[] } {
  const asked: string[] = [];
  const fetch = async ({ url }: FetchRequest): Promise<FetchResult> => {
    asked.push(url);
    return { kind: 'refused', reason: 'only a test' };
  };
  return { asked, fetch };
}

async function answerOf(client: FetchClient, request: FetchRequest) {
  const result = await client.fetch(request);
  if (result.kind !== 'answered') throw new Error(`${request.url}: ${result.reason}`);
  return result;
}

describe('the outlets of the sample', () => {
  it.each(FEEDS)('serve a feed that needs no repair: %s', async (url) => {
    const { client } = await openClient();
    const { status, headers, body, url: answered } = await answerOf(client, { url });
    expect([status, answered]).toEqual([200, url]);
    const result = parseFeed({ bytes: body, contentType: headers['content-type'] ?? null, url }, NOW);
    if (result.kind !== 'feed') throw new Error(result.reason);
    const { items, repaired, problems } = result.feed;
    expect([repaired, problems]).toEqual([false, []]);
    expect(items.length).toBeGreaterThanOrEqual(6);
    const times = items.flatMap(({ publishedAt }) => publishedAt ?? []);
    expect(times.length).toBeGreaterThanOrEqual(items.length - 1);
    expect(Math.max(...times)).toBeGreaterThan(NOW - 3 * HOUR);
    expect(Math.max(...times)).toBeLessThan(NOW);
    for (const { link } of items) expect(new URL(link ?? '').hostname.replace('www.', '')).toBe(new URL(url).hostname);
  });

  it('have dates relative to the moment when the sample was loaded, whenever they are polled', async () => {
    const { store, client } = await openClient({ clock: () => NOW + 3 * DAY });
    await writeMeta(store.db, SAMPLE_LOADED_AT, String(NOW));
    const { body, headers } = await answerOf(client, { url: FEEDS[1] as string });
    const published = body.toString().match(/<published>(.*?)<\/published>/g)?.[1];
    expect(published).toBe(
      `<published>${new Date(NOW - 4 * HOUR - 2 * MINUTE).toISOString().slice(0, 16)}:00Z</published>`,
    );
    const again = await answerOf(client, { url: FEEDS[1] as string, headers: { 'If-None-Match': headers.etag ?? '' } });
    expect(again.status).toBe(304);
  });

  it('have no other documents, and their exact hosts alone', async () => {
    const other = recordingClient();
    const { client } = await openClient({ client: other });
    expect((await answerOf(client, { url: 'https://harbour-post.example/../picks.yaml' })).status).toBe(404);
    expect((await answerOf(client, { url: 'https://harbour-post.example/feed.atom' })).status).toBe(404);
    const foreign = [
      'https://harbour-post.example:8443/news.rss',
      'https://www.harbour-post.example/news.rss',
      'https://harbour-post.example.evil.example/news.rss',
      'http://127.0.0.1/news.rss',
      'ftp://harbour-post.example/news.rss',
      'not an address',
    ];
    for (const url of foreign) {
      expect((await client.fetch({ url })).kind).toBe('refused');
    }
    expect(other.asked).toEqual(foreign);
  });
});

describe('the exception to the address guard', () => {
  it('exists with "sample: true" only: otherwise the same host is resolved, and this machine is refused', async () => {
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const real = sampleConfig((yaml) => yaml.replace('sample: true', 'sample: false'));
    const { client } = await openClient({ config: real, client: openConfiguredClient(real, resolve) });
    expect(await client.fetch({ url: RSS })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('public'),
    });
    expect(asked).toEqual(['harbour-post.example']);
  });

  it('is off by default', () => {
    const text = `
publication: { name: A, about: B, url: "https://example.org", tagAuthority: "example.org,2026", language: en, zone: UTC,
  contact: { name: C, email: c@example.org }, postalAddress: D }
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
`;
    expect(parseConfig(text, { file: 'a.yaml', env: {}, cwd: ROOT }).sample).toBe(false);
  });
});
