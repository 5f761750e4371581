import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { article, NOW } from '../app/test-site.ts';
import { type FeedServer, openFeedServer } from './feed-server.ts';
import { isInstalled, run } from './programs.ts';

describe.runIf(isInstalled('rss2email', 'r2e', ['--version']))('rss2email', () => {
  let server: FeedServer;
  beforeEach(async () => {
    server = await openFeedServer();
  });
  afterEach(() => server.close());

  it.each(['latest.rss', 'latest.atom'])('emails each story of %s once, and not again after an edit', async (path) => {
    await server.publish(article('a'), article('b', { headline: 'Vec<T> & AT&T “三星” 🚀' }));
    await writeFile(
      join(server.home, 'config'),
      `[DEFAULT]\nfrom = feeds@example.com\nto = reader@example.com\nemail-protocol = maildir\n` +
        `maildir-path = ${server.home}\nmaildir-mailbox = mail\n`,
    );
    await r2e('add', 'wire', server.url(path));
    expect(await runAndListSubjects()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);
    expect(server.takeStatuses()).toEqual([200]);
    expect(await runAndListSubjects()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);
    expect(server.takeStatuses()).toEqual([304]);

    await server.publish(article('a', { headline: 'Edited', updatedAt: NOW }));
    expect(await runAndListSubjects()).toEqual(['Headline of a', 'Vec<T> & AT&T “三星” 🚀']);

    await server.publish(article('c', { publishedAt: NOW }));
    expect(await runAndListSubjects()).toEqual(['Headline of a', 'Headline of c', 'Vec<T> & AT&T “三星” 🚀']);
    expect(server.takeStatuses()).toEqual([200, 200]);
  });

  function r2e(...args: string[]): Promise<string> {
    const { home } = server;
    return run('r2e', ['-c', join(home, 'config'), '-d', join(home, 'data.json'), ...args], { home });
  }

  /** Runs rss2email. @returns the subjects of all emails so far, in alphabetical order */
  async function runAndListSubjects(): Promise<(string | undefined)[]> {
    await r2e('run');
    const folder = join(server.home, 'mail', 'new');
    const mails = await Promise.all(
      (await readdir(folder)).map(async (name) => simpleParser(await readFile(join(folder, name)))),
    );
    return mails.map(({ subject }) => subject).sort();
  }
});
