import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { article, NOW } from '../app/test-site.ts';
import { type FeedServer, openFeedServer } from './feed-server.ts';
import { isInstalled, run } from './programs.ts';

describe.runIf(isInstalled('podget', 'podget', ['--version']))('podget', () => {
  const audio = randomBytes(3_000_000);
  let media: string;
  let server: FeedServer;
  beforeEach(async () => {
    media = mkdtempSync(join(tmpdir(), 'daywire-podcast-'));
    await writeFile(join(media, 'one.mp3'), audio);
    await writeFile(join(media, 'two.mp3'), audio.subarray(0, 1_000));
    server = await openFeedServer((config) => {
      const [feed, ...others] = config.feeds as [(typeof config.feeds)[number]];
      const podcast = { category: 'News', image: 'https://wire.example.com/cover.png', explicit: false };
      return { ...config, feeds: [{ ...feed, podcast }, ...others], paths: { ...config.paths, media } };
    });
  });
  afterEach(async () => {
    await server.close();
    rmSync(media, { recursive: true });
  });

  it('downloads the episodes of a podcast once, and goes on where a download was cut off', async () => {
    await server.publish(
      article('a', { enclosures: [episode('one', audio.length)] }),
      article('b', { headline: 'A <Story> & no episode' }),
    );
    await configure();
    // Half of it is there, from a download that was cut off.
    await mkdir(library(), { recursive: true });
    await writeFile(join(library(), 'one.mp3'), audio.subarray(0, 1_500_000));
    await download();
    expect(await readdir(library())).toEqual(['one.mp3']);
    expect((await readFile(join(library(), 'one.mp3'))).equals(audio)).toBe(true);
    expect(server.takeStatuses()).toEqual([200, 206]);

    await server.publish(article('c', { publishedAt: NOW, enclosures: [episode('two', 1_000)] }));
    await download();
    expect((await readdir(library())).sort()).toEqual(['one.mp3', 'two.mp3']);
    expect((await readFile(join(library(), 'two.mp3'))).equals(audio.subarray(0, 1_000))).toBe(true);
    expect(server.takeStatuses()).toEqual([200, 200]);
  });

  function episode(name: string, length: number) {
    const url = new URL(`/media/${name}.mp3`, server.url('')).href;
    return { url, type: 'audio/mpeg', length, title: null, duration: 60 };
  }

  function library(): string {
    return join(server.home, 'POD', 'news', 'wire');
  }

  async function configure(): Promise<void> {
    const { home } = server;
    await run('podget', ['-d', home, '--create-config', 'podgetrc'], { home });
    const file = join(home, 'podgetrc');
    const settings = await readFile(file, 'utf8');
    await writeFile(file, settings.replace(/^MIN_SPACE=\d+/m, 'MIN_SPACE=1'));
    await writeFile(join(home, 'serverlist'), `${server.url('latest.rss')} news wire\n`);
  }

  function download(): Promise<string> {
    return run('podget', ['-d', server.home, '--dir_session', server.home], { home: server.home });
  }
});
