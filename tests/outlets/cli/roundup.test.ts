import { Command } from 'commander';
import { Hono } from 'hono';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import type { AppContext } from '../../../src/core/app-context.ts';
import type { CliContext } from '../../../src/core/cli/context.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { addRoundupCommands } from '../../../src/outlets/cli/roundup.ts';
import type { GroupedItem } from '../../../src/outlets/story-groups/story-group.ts';
import { openSite } from '../../own-sites/test-site.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { addSource, setItem, setSource } from '../../support/sources.ts';
import { openTestApp } from '../../support/test-app.ts';

/** Reports of three events: of three outlets, of two, and of one. */
const EVENTS = [['The Example', 'Second Post', 'Third Wire'], ['The Example', 'Second Post'], ['Third Wire']];

function reports(event: number, outlets: string[], change: Partial<GroupedItem> = {}): GroupedItem[] {
  return outlets.map((outlet, index) => {
    const at = NOW - HOUR - event * MINUTE + index * MINUTE;
    const place = { url: `https://outlet.example.com/${event}/${index}`, canonicalUrl: null };
    const own = { outlet, title: `${outlet} on event ${event}`, publishedAt: at, firstSeenAt: at };
    return groupedItem(index, { ...own, ...place, ...change });
  });
}

/** The commands, with a newsroom whose outlets have reported. */
async function openDesk() {
  const store = await openMigrated();
  onTestFinished(() => store.close());
  const app = openTestApp(store);
  for (const [index, outlets] of EVENTS.entries()) await storeGroup(store.db, reports(index + 1, outlets));
  const run = async (...args: string[]) => {
    const lines: string[] = [];
    let code = 0;
    const print = (line: string): unknown => lines.push(line);
    const cli = {
      ...{ env: { DAYWIRE_EDITOR: 'Ada' }, print, clock: app.clock },
      printError: (line: string) => print(`daywire: ${line}`),
      withApp: (work: (context: AppContext) => Promise<void>) => work(app),
    } as unknown as CliContext;
    const program = new Command().exitOverride();
    addRoundupCommands(program, cli);
    try {
      await program.parseAsync(['roundup', ...args], { from: 'user' });
    } catch (error) {
      code = 1;
      for (const line of (error as Error).message.split('\n')) cli.printError(line);
    }
    return { code, text: lines.map((line) => `${line}\n`).join('') };
  };
  return {
    ...{ app, store, run },
    json: async (...args: string[]) => JSON.parse((await run(...args, '--json')).text),
    report: (event: number, outlets: string[], change?: Partial<GroupedItem>) =>
      storeGroup(store.db, reports(event, outlets, change)),
  };
}

describe('daywire roundup', () => {
  it('lists groups by outlets and freshness, with their ids, outlets and age', async () => {
    const { run, json } = await openDesk();
    const { code, text } = await run('list');
    expect(code).toBe(0);
    const lines = text.split('\n');
    expect(lines[0]).toBe('g1  The Example on event 1');
    expect(lines[1]).toMatch(/^ {4}The Example \d{4}-\d\d-\d\d \d\d:\d\d; also Second Post, Third Wire; 59 min ago$/);
    expect(lines[2]).toBe('    in common: event');
    expect([lines[3], lines[6]]).toEqual(['g4  The Example on event 2', 'g6  Third Wire on event 3']);
    // A report of one outlet has nothing in common with another.
    expect(lines).toHaveLength(9);
    const listing = await json('list');
    expect(listing).toMatchObject({ windowHours: 26, more: 0, dropped: 0 });
    expect(listing.groups.map(({ outlets }: { outlets: string[] }) => outlets)).toEqual(EVENTS);
  });

  it('picks, drops and restores a group, as its editor', async () => {
    const { run, json, store } = await openDesk();
    expect((await run('pick', 'g1', '--text', 'Ours.')).text).toBe(
      'picked g1: The Example on event 1 (The Example, Second Post, Third Wire)\n',
    );
    expect(await findArticle(store.db, 'roundup-1')).toMatchObject({ body: { source: 'Ours.' } });
    expect((await run('list')).text).toContain('; picked by Ada\n');
    expect((await run('drop', 'g5', '--by', 'Bo')).text).toMatch(/^dropped g4: The Example on event 2 /);
    expect((await run('list')).text).toMatch(/\n1 dropped group: --all\n/);
    expect((await run('list', '--all')).text).toContain('; dropped by Bo\n');
    expect((await run('restore', 'g4')).text).toMatch(/^restored g4: /);
    const { groups } = await json('list');
    expect(groups.map(({ state }: { state: string }) => state)).toEqual(['picked', 'open', 'open']);
    for (const [args, message] of [
      [['pick', '1', '--text', 'x'], '1 names no group: use g and its id, such as g17'],
      [['pick', 'g99', '--text', 'x'], 'there is no group with report 99'],
      [['pick', 'g4', '--text', ' '], 'the sentence is empty'],
      [['restore', 'g4'], 'there is nothing to take back'],
    ] satisfies [string[], string][]) {
      expect(await run(...args)).toEqual({ code: 1, text: expect.stringContaining(message) });
    }
  });

  it('prints what outlets wrote without anything that a terminal would obey', async () => {
    const { run, report } = await openDesk();
    const hostile = '\u001b]0;owned\u0007Bad\u009b31m\nline\u202e';
    await report(5, [hostile], { title: hostile, summary: hostile });
    for (const args of [['list'], ['pick', 'g7', '--text', `x ${hostile}`]]) {
      const { code, text } = await run(...args);
      expect(code).toBe(0);
      expect(text).toContain('owned');
      expect(text.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it('adds a report by its address and picks it, or the group that has it', async () => {
    const { app, run, store } = await openDesk();
    const pages = new Hono();
    pages.get('/report', (c) => c.html('<title>Ferry Line Orders Ships</title>'));
    const site = await openSite(pages);
    Object.assign(app, { config: { ...app.config, fetch: { ...app.config.fetch, allow: ['127.0.0.0/8'] } } });
    const { code, text } = await run('add', `${site.url}/report`, '--outlet', 'The Example', '--text', 'Ours.');
    expect(text).toMatch(
      /^added g7: Ferry Line Orders Ships\n {4}The Example, no date\n {4}http:\S+\npicked g7: Ferry Line Orders Ships \(/,
    );
    expect(code).toBe(0);
    expect(await findArticle(store.db, 'roundup-7')).toMatchObject({ body: { source: 'Ours.' } });
    expect((await run('add', `${site.url}/report`, '--text', 'Ours, again.')).text).toMatch(/^known already as g7: /);
    expect((await run('add', `${site.url}/none`, '--text', 'x')).text).toMatch(/^daywire: \S+ answered 404/);
  });

  it('names the groups that are similar to one, the most similar first', async () => {
    const { run, store, report } = await openDesk();
    for (const event of [4, 5]) await report(event, ['Fourth Gazette']);
    const others = [4, 6, 7, 8];
    const rows = others.map((other, index) => ({ group_id: 1, other_id: other, similarity: 0.03 + index / 100 }));
    await store.db.insertInto('group_suggestions').values(rows).execute();
    const lines = (await run('list')).text.split('\n').filter((line) => / ago/.test(line));
    expect(lines[0]).toMatch(/; perhaps the same: g8, g7, g6, g4$/);
    expect(lines.filter((line) => / same: g1$/.test(line))).toHaveLength(4);
  });

  it('says which sources keep reports back', async () => {
    const { app, store, run } = await openDesk();
    const source = {
      id: 'held-post',
      url: 'https://held.example.com/feed',
      use: 'roundup',
      outlet: 'Held Post',
    } as const;
    Object.assign(app, { config: { ...app.config, sources: [source] } });
    const { text } = await run('list');
    expect(text).not.toContain('kept back');
    expect(text).toMatch(/\nnot polled yet: 1 source; "daywire start" polls them\n$/);
    await addSource(store.db, source.id, { polled_at: NOW });
    await setSource(store.db, { state: 'held', reason: 'a flood' }, 'held-post');
    await setItem(store.db, 6, { state: 'held', source: 'held-post' });
    expect((await run('list')).text).toMatch(
      /\nkept back: held-post is held with 1 item \(a flood\): "daywire sources accept held-post"\n$/,
    );
  });
});
