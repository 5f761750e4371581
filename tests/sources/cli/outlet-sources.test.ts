import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { editConfig, type Folder, newFolder } from '../../support/command.ts';

const NORTHGATE =
  '  - { id: northgate-ledger, url: "https://northgate-ledger.example/feed.json", use: roundup, outlet: Northgate Ledger }\n';

// The tests follow each other in one folder. Each requests another host, since a host has a pause between two requests.
describe('daywire sources for outlets', () => {
  let folder: Folder;
  const config = (): string => readFileSync(join(folder.path, 'config/daywire.yaml'), 'utf8');
  const run = (...args: string[]) => folder.run(['sources', ...args]);

  beforeAll(async () => {
    folder = newFolder('sample with outlets');
    editConfig(folder, NORTHGATE, '');
    expect(await folder.run(['migrate'])).toMatchObject({ code: 0 });
  });

  it('lists outlets that were not polled yet', async () => {
    expect((await run('list')).stdout).toBe(
      'harbour-post: Harbour Post, https://harbour-post.example/news.rss, 0 items; not polled yet\n' +
        'daily-circuit: The Daily Circuit, https://daily-circuit.example/feed.atom, 0 items; not polled yet\n',
    );
    expect(JSON.parse((await run('show', 'harbour-post', '--json')).stdout)).toMatchObject({
      use: 'roundup',
      state: 'new',
    });
  });

  it('tests a feed: its newest headlines, their dates, and what identifies them', async () => {
    const { code, stdout, stderr } = await run('test', 'harbour-post');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('a feed at https://harbour-post.example/news.rss: “Harbour Post”, 7 items\n');
    expect(stdout).toMatch(
      / {2}Kestrel Recalls 12,000 Delivery Robots After Charger Fires\n {4}\S+.*, known by its guid, https:/,
    );
    expect(stdout).toMatch(/nothing was stored\n$/);
  });

  it('polls a feed, and says what was new', async () => {
    const { code, stdout } = await run('poll', 'daily-circuit');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^daily-circuit: 7 new, next poll /)]);
    const [, source] = JSON.parse((await run('list', '--json')).stdout) as unknown[];
    expect(source).toMatchObject({ id: 'daily-circuit', state: 'read', items: 7, waiting: 0, reason: null });
    expect((await run('show', 'daily-circuit')).stdout).toMatch(/state +next .*\nitems +7, 7 of them new/);
  });

  it('adds a feed under its own title, and keeps the rest of the configuration', async () => {
    const before = config();
    const url = 'https://northgate-ledger.example/feed.json';
    const { code, stdout } = await run('add', url, '--roundup', '--id', 'ledger');
    expect(code).toBe(0);
    expect(stdout).toContain('added ledger (Northgate Ledger) to config/daywire.yaml: "daywire start" polls it');
    const last = before.split('\n').find((line) => line.includes('id: daily-circuit')) as string;
    const entry = `  - { id: ledger, url: "${url}", use: roundup, outlet: "Northgate Ledger" }`;
    expect(config()).toBe(before.replace(last, `${last}\n${entry}`));
  });

  it('accepts what is held, or ignores it', async () => {
    expect(await run('accept', 'daily-circuit')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no item is held'),
    });
    const database = new DatabaseSync(join(folder.path, 'var/daywire.db'));
    const hold = (number: number) =>
      database.exec(`update outlet_items set state = 'held' where id in (select id from outlet_items limit ${number})`);
    hold(3);
    expect((await run('list')).stdout).toContain('3 held: decide with "daywire sources accept daily-circuit"');
    expect(await run('accept', 'daily-circuit')).toMatchObject({
      code: 0,
      stdout: 'daily-circuit: 3 items accepted for the roundup, 0 older than it\n',
    });
    hold(2);
    expect(JSON.parse((await run('accept', 'daily-circuit', '--ignore', '--json')).stdout)).toEqual({
      ...{ id: 'daily-circuit', open: 0, old: 0, ignored: 2 },
    });
    database.close();
  });

  it('pauses and resumes an outlet', async () => {
    expect((await run('pause', 'daily-circuit')).stdout).toMatch(/^daily-circuit is paused/);
    expect((await run('list')).stdout).toMatch(/daily-circuit: .*; PAUSED since /);
    // A poll by hand does not end that.
    expect((await run('poll', 'daily-circuit')).stdout).toBe('daily-circuit: nothing has changed; it stays paused\n');
    expect(JSON.parse((await run('resume', 'daily-circuit', '--json')).stdout)).toEqual({
      id: 'daily-circuit',
      isPaused: false,
    });
    expect((await run('list')).stdout).not.toMatch(/PAUSED/);
  });

  it.each([
    [
      ['show', 'harbour-post', '--webhook'],
      /harbour-post is the feed of another outlet, for which there is no such command/,
    ],
    [['add', 'https://our.example', '--outlet', 'Ours'], /--outlet is for --roundup/],
    [
      ['add', 'ftp://our.example', '--roundup'],
      /sources\[3\]\.url is "ftp:\/\/our\.example": must be an http or https URL/,
    ],
    [
      ['poll', 'harbor-post'],
      /there is no source harbor-post: the configuration has harbour-post, daily-circuit, ledger/,
    ],
  ])('refuses %j with what would be right', async (args, message) => {
    const { code, stderr } = await run(...args);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
  });
});
