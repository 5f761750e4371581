import { chmodSync, lstatSync, readFileSync, renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePosts, type StandInPost } from '../../../scripts/cms/posts.ts';
import { wordPressApp } from '../../../scripts/cms/wordpress.ts';
import type { SourceTest } from '../../../src/sources/polling/source-kind.ts';
import { editConfig, type Folder, keepOneFeed, newFolder } from '../../support/command.ts';

// The tests follow each other in one folder, as an operator works.
describe('daywire sources', () => {
  let folder: Folder;
  let posts: StandInPost[];
  let url: string;
  let emptyUrl: string;

  function listen(app: Hono): Promise<string> {
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
        resolve(`http://127.0.0.1:${port}`);
      });
      afterAll(() => new Promise<void>((done) => server.close(() => done())));
    });
  }
  const config = (): string => readFileSync(join(folder.path, 'config/daywire.yaml'), 'utf8');
  const run = (...args: string[]) => folder.run(['sources', ...args]);

  beforeAll(async () => {
    posts = makePosts(7, Date.now());
    posts[0]!.category = 'Elsewhere';
    url = await listen(wordPressApp(posts));
    emptyUrl = await listen(new Hono().get('/', (c) => c.html('<p>Hello</p>')));
    folder = newFolder('sample');
    keepOneFeed(folder);
    editConfig(folder, 'sample: true', 'sample: false\nfetch: { allow: [127.0.0.0/8] }\nsources: [] # none yet');
    expect(await folder.run(['migrate'])).toMatchObject({ code: 0 });
  });

  it('tests any address, and stores nothing', async () => {
    const before = config();
    const { code, stdout } = await run('test', url);
    expect(stdout).toContain(`the WordPress REST API at ${url}/wp-json/wp/v2/posts: 7 items\n  Story 7: Wind & Sun\n`);
    expect(stdout).toContain('categories without a section (map them by "sections"):');
    expect(stdout).toMatch(/nothing was stored\n$/);
    expect(code).toBe(0);
    expect(config()).toBe(before);
    expect((await folder.run(['articles', 'list'])).stdout).not.toContain('Story 7');
  });

  it.each([
    ['an address without a scheme', () => ['times.example'], /times\.example is not an address such as https:/],
    ['a site with nothing to poll', () => [emptyUrl], /nothing to poll was found: the WordPress REST API, the Ghost/],
    ['an id that is none', () => [url, '--id', 'My Site'], /sources\[0\]\.id is "My Site": must be lower-case letters/],
    [
      'an address with a login',
      () => ['https://me:secret@times.example'],
      /sources\[0\]\.url is .* must be an address without a login/,
    ],
  ])('does not add %s, and leaves the file as it was', async (_, args, message) => {
    const before = config();
    const { code, stderr } = await run('add', ...args());
    expect(stderr).toMatch(message);
    expect(code).not.toBe(0);
    expect(config()).toBe(before);
  });

  it('adds a site to the configuration, which keeps its comments, and no second one with its id', async () => {
    const before = config();
    const file = join(folder.path, 'config/daywire.yaml');
    renameSync(file, join(folder.path, 'linked.yaml'));
    symlinkSync('../linked.yaml', file);
    chmodSync(file, 0o600);
    const { code, stdout, stderr } = await run('add', url, '--id', 'our-site');
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(stderr).toBe('');
    expect(stdout).toContain('added our-site to config/daywire.yaml: "daywire start" polls it (restart one that runs)');
    expect(code).toBe(0);
    const entry = `{ id: our-site, url: "${url}", use: articles }`;
    expect(config()).toBe(before.replace('sources: []', `sources: [${entry}]`));
    const again = await run('add', url, '--id', 'our-site');
    expect(again.code).not.toBe(0);
    expect(again.stderr).toMatch(/our-site/);
    expect(config()).toBe(before.replace('sources: []', `sources: [${entry}]`));
  });

  it('tests a configured source by its id, as JSON', async () => {
    const test = JSON.parse((await run('test', 'our-site', '--json')).stdout) as SourceTest;
    expect(test).toMatchObject({ what: 'the WordPress REST API', endpoint: `${url}/wp-json/wp/v2/posts`, items: 7 });
    expect(test.newest).toHaveLength(5);
  });

  it('polls it, and publishes what it has brought', async () => {
    expect(await run('poll', 'our-site')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^our-site: 7 added, next poll /),
    });
    expect(readFileSync(join(folder.path, 'feeds/latest.rss'), 'utf8')).toContain('<title>Story 7: Wind &#x26; Sun');
    expect(await run('poll', 'our-site')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^our-site: nothing has changed/),
    });
    posts[2]!.author = 'Cleo Example';
    expect(await run('poll', 'our-site', '--all')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^our-site: 1 updated/),
    });
  });

  it('shows it, and the address and secret of its webhook', async () => {
    const { stdout } = await run('show', 'our-site');
    expect(stdout).toMatch(/^polls +the WordPress REST API at .*\nstate +next /m);
    const [source] = JSON.parse((await run('list', '--json')).stdout) as object[];
    expect(source).toMatchObject({
      id: 'our-site',
      api: 'wordpress',
      items: 7,
      waiting: 0,
      paused: null,
      reason: null,
    });
    expect(JSON.parse((await run('show', 'our-site', '--json')).stdout)).toEqual(source);
    const webhook = JSON.parse((await run('show', 'our-site', '--webhook', '--json')).stdout);
    expect(webhook).toEqual({
      url: 'http://127.0.0.1:8080/hooks/sources/our-site',
      secret: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(await run('show', 'our-site', '--webhook')).toMatchObject({
      stdout: `address ${webhook.url}\nsecret  ${webhook.secret}\n`,
    });
  });

  it('imports what is held, or ignores it', async () => {
    const database = new DatabaseSync(join(folder.path, 'var/daywire.db'));
    const hold = (item: number) => {
      const record = { id: `our-site.${item}`, headline: `Held ${item}`, section: 'world', body: 'Text.' };
      database
        .prepare(`insert into source_items (source, item, article_id, published_at, hold, record)
          values ('our-site', ?, ?, ?, 'held', ?)`)
        .run(`${item}`, record.id, Date.now(), JSON.stringify({ ...record, published: new Date().toISOString() }));
    };
    hold(101);
    hold(102);
    expect((await run('list')).stdout).toContain('2 held: decide with "daywire sources accept our-site"');
    expect(await run('poll', 'our-site')).toMatchObject({
      ...{ code: 0, stdout: expect.stringMatching(/^our-site: now held, next poll /) },
      stderr: expect.stringMatching(/wait for a decision: to take them, use "daywire sources accept our-site"/),
    });
    expect(await run('accept', 'our-site')).toMatchObject({ code: 0, stdout: 'our-site: 2 items imported\n' });
    expect(readFileSync(join(folder.path, 'feeds/latest.rss'), 'utf8')).toContain('<title>Held 101');
    hold(103);
    expect(await run('accept', 'our-site', '--ignore')).toMatchObject({
      ...{ code: 0, stdout: 'our-site: 1 item will not be shown\n' },
    });
    expect(await run('accept', 'our-site')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no item is held'),
    });
    database.close();
  });

  it('fails with the reason where a poll does', async () => {
    editConfig(folder, url, 'http://127.0.0.1:9');
    const { code, stderr } = await run('poll', 'our-site');
    expect(stderr).toMatch(/our-site: http:\/\/127\.0\.0\.1:9\/?: /);
    expect(code).toBe(1);
    expect((await run('list')).stdout).toMatch(/; FAILING since .*, next /);
  });
});
