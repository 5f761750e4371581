import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../../src/core/store/store.ts';
import { formatReaders } from '../../../src/feeds/cli/feeds.ts';
import type { PublishedFeed } from '../../../src/feeds/feed-states.ts';
import type { PublishFeedsResult } from '../../../src/feeds/publish/publish-feeds.ts';
import { openReaderCounter } from '../../../src/feeds/readers/reader-counts.ts';
import type { ReaderStatistics } from '../../../src/feeds/readers/reader-statistics.ts';
import { startedFolder } from '../../support/command.ts';

describe('daywire publish and feeds list', () => {
  it('print documents as text and as JSON, and name the feeds of the configuration', async () => {
    const folder = await startedFolder();
    const published = await folder.run(['publish', '--json']);
    expect(JSON.parse(published.stdout) as PublishFeedsResult).toMatchObject({
      documents: expect.arrayContaining([expect.objectContaining({ path: 'world.atom', changed: false })]),
      rejected: [],
    });
    const feeds = JSON.parse((await folder.run(['feeds', 'list', '--json'])).stdout) as PublishedFeed[];
    expect(feeds).toHaveLength(9);
    const world = feeds.find(({ id }) => id === 'world');
    expect(world?.formats.map(({ name }) => name)).toEqual(['RSS', 'Atom', 'JSON Feed']);
    expect((await folder.run(['feeds', 'list'])).stdout).toMatch(/^world +\d+ +\d{4}-\S+Z +World$/m);
  });
});

describe('daywire feeds readers', () => {
  it('lists feed readers', async () => {
    const folder = await startedFolder();
    expect((await folder.run(['feeds', 'readers'])).stdout).toMatch(/^no feed was requested since \d{4}-\d\d-\d\d/);
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    const counter = openReaderCounter({ store, clock: Date.now, zone: 'Asia/Shanghai' });
    counter.count('latest.atom', 'Feedbin feed-id:7 - 42 subscribers', 'unchanged');
    await counter.flush();
    await store.close();
    const { code, stdout } = await folder.run(['feeds', 'readers']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}Feedbin +1\.0 +100% +42 +1$/m);
    const { readers } = JSON.parse((await folder.run(['feeds', 'readers', '--json'])).stdout) as ReaderStatistics;
    expect(readers).toEqual([{ reader: 'Feedbin', requests: 1, unchanged: 1, documents: 1, subscribers: 42 }]);
  });
});

describe('the table of readers', () => {
  const line = { documents: 1, subscribers: null };

  it('has a total, and says what the numbers do not tell', () => {
    const text = formatReaders({
      from: '2026-11-18',
      until: '2026-11-24',
      days: 6.5,
      readers: [
        { ...line, reader: 'Feedly', requests: 1_300, unchanged: 1_170, documents: 3, subscribers: 4_200 },
        { ...line, reader: 'The Old Reader', requests: 13, unchanged: 0, subscribers: 12 },
        { ...line, reader: 'Newsboat', requests: 13, unchanged: 13 },
      ],
    });
    expect(text.split('\n').slice(0, 6)).toEqual([
      'feed requests from 2026-11-18 to 2026-11-24 (6.5 days)',
      '  reader          requests a day  answered 304  subscribers  documents',
      '  Feedly                     200           90%         4200          3',
      '  The Old Reader             2.0            0%           12          1',
      '  Newsboat                   2.0          100%                       1',
      '  all                        204           89%         4212',
    ]);
    expect(text).toMatch(/the number of people behind them is unknown/);
    expect(text).toMatch(/\nsubscriptions at a WebSub hub, are not counted/);
  });
});
