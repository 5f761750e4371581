import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { article, NOW } from '../http/test-site.ts';
import { type ServedNewsroom, serveNewsroom } from './newsroom.ts';
import { isInstalled, run } from './programs.ts';

describe.runIf(isInstalled('rss2email', 'r2e', ['--version']))('rss2email', () => {
  let newsroom: ServedNewsroom;
  beforeEach(async () => {
    newsroom = await serveNewsroom();
  });
  afterEach(() => newsroom.close());

  it.each(['latest.rss', 'latest.atom'])(
    'mails each story of %s once, and none a second time for an edit',
    async (path) => {
      await newsroom.publish(article('a'), article('b', { headline: 'Vec<T> & AT&T “三星” 🚀' }));
      await writeFile(
        join(newsroom.home, 'config'),
        `[DEFAULT]\nfrom = feeds@example.com\nto = reader@example.com\nemail-protocol = maildir\nmaildir-path = ${newsroom.home}\nmaildir-mailbox = mail\n`,
      );
      await r2e('add', 'wire', newsroom.url(path));
      expect(await mailed()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);
      expect(newsroom.answers()).toEqual([200]);
      expect(await mailed()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);
      expect(newsroom.answers()).toEqual([304]);

      await newsroom.publish(article('a', { headline: 'Edited', updatedAt: NOW }));
      expect(await mailed()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);

      await newsroom.publish(article('c', { publishedAt: NOW }));
      expect(await mailed()).toEqual(['Headline of a', 'Headline of c', 'Vec<T> & AT&T “三星” 🚀']);
      expect(newsroom.answers()).toEqual([200, 200]);
    },
  );

  function r2e(...args: string[]): Promise<string> {
    const { home } = newsroom;
    return run('r2e', ['-c', join(home, 'config'), '-d', join(home, 'data.json'), ...args], { home });
  }

  /** Lets it run. @returns the subjects of all mail so far, in order of the alphabet */
  async function mailed(): Promise<(string | undefined)[]> {
    await r2e('run');
    const folder = join(newsroom.home, 'mail', 'new');
    const mails = await Promise.all(
      (await readdir(folder)).map(async (name) => simpleParser(await readFile(join(folder, name)))),
    );
    return mails.map(({ subject }) => subject).sort();
  }
});
