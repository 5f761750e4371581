import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** The commands, with a newsroom whose outlets have reported. @param script of the text editor; "$1" is the file */
async function openDesk(script = 'exit 0') {
  const store = await openMigrated();
  onTestFinished(() => store.close());
  const app = openTestApp(store);
  for (const [index, outlets] of EVENTS.entries()) await storeGroup(store.db, reports(index + 1, outlets));
  const editor = join(app.folder, 'type.sh');
  writeFileSync(editor, `#!/bin/sh\ncd ${app.folder}\n${script}\n`, { mode: 0o755 });
  const runAs = async (
    by: string,
    args: string[],
    { env = { VISUAL: editor } as NodeJS.ProcessEnv, isTTY = true } = {},
  ) => {
    const lines: string[] = [];
    let code = 0;
    const print = (line: string): unknown => lines.push(line);
    const cli = {
      ...{ env, print, isTerminal: () => isTTY, clock: app.clock },
      printError: (line: string) => print(`daywire: ${line}`),
      withApp: (work: (context: AppContext) => Promise<void>) => work(app),
      processEnv: () => ({ cwd: app.folder }),
      fail() {
        code = 1;
      },
    } as unknown as CliContext;
    const program = new Command().exitOverride();
    addRoundupCommands(program, cli);
    const by_ = args[0] === 'log' ? [] : ['--by', by];
    try {
      await program.parseAsync(['roundup', ...args, ...by_], { from: 'user' });
    } catch (error) {
      code = 1;
      for (const line of (error as Error).message.split('\n')) cli.printError(line);
    }
    return { code, text: lines.map((line) => `${line}\n`).join('') };
  };
  const run = (...args: string[]) => runAs('Ada', args);
  return {
    ...{ app, store, run, runAs, groups: ['g1', 'g4', 'g6'] as const },
    json: async (...args: string[]) => JSON.parse((await run(...args, '--json')).text),
    report: (event: number, outlets: string[], change?: Partial<GroupedItem>) =>
      storeGroup(store.db, reports(event, outlets, change)),
  };
}

/** Types a sentence below each heading. */
const TYPES = `sed -i 's/^=====.*/&\\nOur sentence./' "$1"`;

describe('daywire roundup', () => {
  it('lists groups by outlets and freshness, numbered, with their outlets and age', async () => {
    const { run, json } = await openDesk();
    const { code, text } = await run('list');
    expect(code).toBe(0);
    const lines = text.split('\n');
    expect(lines[0]).toBe(' 1  The Example on event 1');
    expect(lines[1]).toMatch(/^ {4}The Example \d{4}-\d\d-\d\d \d\d:\d\d; also Second Post, Third Wire; 59 min ago$/);
    expect(lines[2]).toBe(' 2  The Example on event 2');
    expect(lines[4]).toBe(' 3  Third Wire on event 3');
    const listing = await json('list', 'daily-roundup');
    expect(listing).toMatchObject({ windowHours: 26, more: 0, dropped: 0 });
    expect(listing.groups.map(({ outlets }: { outlets: string[] }) => outlets)).toEqual(EVENTS);
    expect((await run('list', 'none')).text).toMatch(/^daywire: there is no newsletter none/);
  });

  it('picks several groups with the sentences of one document, which it deletes', async () => {
    const { run, json, groups, app, store } = await openDesk(
      `cp "$1" seen.txt; stat -c %a "$1" >> seen.txt; echo "$1" > path; ${TYPES}`,
    );
    await run('list');
    const { code, text } = await run('pick', '1', '3');
    expect(text).toBe(
      `picked ${groups[0]}: The Example on event 1 (The Example, Second Post, Third Wire)\n` +
        `picked ${groups[2]}: Third Wire on event 3 (Third Wire)\n`,
    );
    expect(code).toBe(0);
    expect(existsSync(readFileSync(join(app.folder, 'path'), 'utf8').trim())).toBe(false);
    const seen = readFileSync(join(app.folder, 'seen.txt'), 'utf8');
    expect(seen).toContain(`\n===== ${groups[0]} =====\n\n# The Example on event 1\n# The Example `);
    expect(seen).toMatch(/\n600\n$/);
    const { groups: listed } = await json('list');
    expect(listed.map(({ state }: { state: string }) => state)).toEqual(['picked', 'open', 'picked']);
    expect((await run('list')).text).toContain('picked by Ada');
    expect(await findArticle(store.db, 'roundup-1')).toMatchObject({ body: { source: 'Our sentence.' } });
  });

  it('picks from all that is listed and not picked, where no group is named', async () => {
    const { run, groups, app } = await openDesk(`cp "$1" seen.txt; sed -i 's/^===== g6 =====/&\\nOur sentence./' "$1"`);
    await run('list');
    await run('pick', '1', '--text', 'Ours.');
    const { code, text } = await run('pick');
    expect(readFileSync(join(app.folder, 'seen.txt'), 'utf8').match(/^===== .*/gm)).toEqual([
      `===== ${groups[1]} =====`,
      `===== ${groups[2]} =====`,
    ]);
    expect(text).toBe(
      `picked ${groups[2]}: Third Wire on event 3 (Third Wire)\nleft ${groups[1]} as it is: it has no sentence\n`,
    );
    expect(code).toBe(0);
    await run('pick', '2', '--text', 'Ours, too.');
    expect((await run('pick')).text).toBe('daywire: nothing to pick: outlets reported nothing that is not picked\n');
    expect((await run('pick', '--text', 'Whose?')).text).toMatch(/^daywire: --text is for one group/);
  });

  it('leaves a group as it is whose sentence is empty, and says so', async () => {
    const { run, json, groups } = await openDesk(`sed -i '0,/^=====.*/s//&\\nOnly the first./' "$1"`);
    await run('list');
    expect((await run('pick', '1', '2')).text).toContain(`\nleft ${groups[1]} as it is: it has no sentence\n`);
    expect((await json('list')).groups[1].state).toBe('open');
  });

  it('keeps and names the document where a heading is gone, and picks from it later', async () => {
    const { run, groups, app } = await openDesk(`sed -i '/^=====/d; s/^# 2 stories.*/Our words./' "$1"`);
    await run('list');
    const { code, text } = await run('pick', '1', '2');
    expect(code).toBe(1);
    expect(text).toMatch(/^daywire: line 1: this text is above all headings: write it below one\n/);
    const [, path = ''] = /"daywire roundup pick --file (\S+)"/.exec(text) ?? [];
    expect(readFileSync(path, 'utf8')).toContain('Our words.');
    writeFileSync(join(app.folder, 'mended.txt'), `===== ${groups[0]} =====\nOur words.\n`);
    expect((await run('pick', '--file', 'mended.txt')).text).toMatch(/^picked g\d+: The Example on event 1 /);
  });

  it('keeps the document where the text editor fails or a group has changed meanwhile', async () => {
    const failing = await openDesk('echo typed > "$1"; exit 3');
    await failing.run('list');
    const { text } = await failing.run('pick', '1');
    const [, path = ''] = /^daywire: \S+ ended with code 3: what you wrote is in (\S+)\n$/.exec(text) ?? [];
    expect(readFileSync(path, 'utf8')).toBe('typed\n');
    const unwritten = await openDesk('echo "$1" > path; exit 3');
    await unwritten.run('list');
    expect((await unwritten.run('pick', '1')).text).toMatch(
      /^daywire: \S+ ended with code 3, and nothing was written\n$/,
    );
    expect(existsSync(readFileSync(join(unwritten.app.folder, 'path'), 'utf8').trim())).toBe(false);
    const { run, runAs, json, groups } = await openDesk(TYPES);
    await run('list');
    await runAs('Bo', ['list']);
    await runAs('Bo', ['drop', '1']);
    const refused = await run('pick', '1', '2');
    expect(refused).toMatchObject({
      code: 1,
      text: expect.stringContaining('Bo changed it since you looked, so nothing was changed'),
    });
    expect(refused.text).toMatch(/ Bo dropped g\d+ The Example on event 1\n.* look again with "daywire roundup list"/);
    await run('show', '1');
    expect((await run('pick', '1')).text).toMatch(/^picked /);
    expect((await json('show', groups[0])).state).toBe('picked');
  });

  it('takes the sentence as --text without a terminal, and refuses what is unclear', async () => {
    const { run, runAs, json } = await openDesk();
    expect((await run('pick', '1', '--text', 'x')).text).toMatch(
      /^daywire: 1 names no group: Ada has listed none\. Each editor has .*: run "daywire roundup list" as Ada\n$/,
    );
    await run('list');
    const piped = await runAs('Ada', ['pick', '1'], { isTTY: false });
    expect(piped.text).toBe('daywire: there is no terminal to write in: give the sentence with --text\n');
    const noEditor = await runAs('Ada', ['pick', '1'], { env: { VISUAL: '', EDITOR: '' } });
    expect(noEditor.text).toMatch(/^daywire: no editor is set: set VISUAL or EDITOR/);
    for (const [args, message] of [
      [['pick', '9', '--text', 'x'], 'there is no group 9: "daywire roundup list" printed 3 numbers'],
      [['pick', 'x', '--text', 'x'], 'x names no group: use its number in'],
      [['pick', '1', '2', '--text', 'x'], '--text is for one group'],
      [['pick', '1', '--text', ' '], 'the sentence is empty'],
      [['pick', '1', '--text', 'x', '--section', 'none'], 'there is no section none: the configuration has '],
      [['pick', '1', '--text', 'x', '--first', 'Nobody'], 'Nobody names no report of g'],
      [['edit', '1', '--text', 'x'], 'it is not picked: use pick'],
      [['edit', '1'], 'it is not picked: use pick'],
      [['restore', '1'], 'there is nothing to take back'],
    ] satisfies [string[], string][]) {
      expect(await run(...args)).toEqual({ code: 1, text: expect.stringContaining(message) });
    }
    const picked = await run(
      'pick',
      '1',
      '--text',
      'Ours.',
      '--headline',
      'Our headline',
      '--first',
      'third',
      '--section',
      'world',
    );
    expect(picked.text).toMatch(/^picked g\d+: Our headline \(Third Wire, The Example, Second Post\)\n$/);
    expect((await json('show', '1')).decision).toMatchObject({ text: 'Ours.', section: 'world', hasPicture: false });
    await run('edit', '1', '--no-headline', '--no-section');
    expect(await json('show', '1')).toMatchObject({ headline: 'Third Wire on event 1', decision: { section: null } });
  });

  it('drops, restores, merges, splits and names another outlet first, and logs it', async () => {
    const { run, json, groups } = await openDesk();
    await run('list');
    const [first, second, third] = groups;
    expect((await run('drop', '2', '3')).text).toBe(
      `dropped ${second}: The Example on event 2 (The Example, Second Post)\ndropped ${third}: Third Wire on event 3 (Third Wire)\n`,
    );
    expect((await run('list')).text).toMatch(/\n2 dropped groups: --all\n/);
    await run('list', '--all');
    await run('restore', '2', '3');
    expect((await run('merge', '1', '3')).text).toMatch(new RegExp(`^merged into ${first}: Third Wire on event 3 `));
    expect((await run('split', '1', 'second')).text).toMatch(/; g\d+ is a group of its own\n$/);
    expect((await run('first', first, 'third')).text).toMatch(
      /^daywire: third names several reports of g\d+: use the id/,
    );
    expect((await run('first', first, third)).text).toMatch(
      /^named another outlet first in g\d+: Third Wire on event 3 /,
    );
    expect((await run('first', '2', 'examp')).text).toMatch(
      /^named another outlet first in g4: The Example on event 2 /,
    );
    const log: { command: { kind: string } }[] = await json('log');
    expect(log.map(({ command }) => command.kind)).toEqual([
      'first',
      'first',
      'split',
      'merge',
      'restore',
      'restore',
      'drop',
      'drop',
    ]);
    expect((await run('log')).text).toMatch(/\n7 {2}\S+ \S+ {2}Ada {2}named g6 first in g1 Third Wire on event 3\n/);
  });

  it('says how many reports came after a pick, and credits them with edit', async () => {
    const { run, json, report, store } = await openDesk();
    await run('list');
    await run('pick', '1', '--text', 'Ours.');
    const [{ id }] = (await report(9, ['Late Times'])) as [GroupedItem];
    await store.db.updateTable('outlet_items').set({ group_id: 1 }).where('id', '=', id).execute();
    expect((await run('list')).text).toContain('; picked by Ada; 1 new report since\n');
    await run('edit', '1', '--text', 'Ours, again.');
    expect((await json('show', '1')).newReports).toEqual([]);
    expect((await run('list')).text).not.toContain('new report');
  });

  it('prints what outlets wrote without anything that a terminal would obey', async () => {
    const { run, report } = await openDesk();
    const hostile = '\u001b]0;owned\u0007Bad\u009b31m\nline\u202e';
    await report(5, [hostile], { title: hostile, summary: hostile });
    for (const args of [['list'], ['show', '4'], ['pick', '4', '--text', `x ${hostile}`], ['show', '4'], ['log']]) {
      const { code, text } = await run(...args);
      expect(code).toBe(0);
      expect(text).toContain('owned');
      expect(text.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\u202e]/u);
    }
  });

  it('adds a report by its address and picks it, or the group that has it', async () => {
    const { app, run, json } = await openDesk();
    const pages = new Hono();
    pages.get('/report', (c) => c.html('<title>Ferry Line Orders Ships</title>'));
    const site = await openSite(pages);
    Object.assign(app, { config: { ...app.config, fetch: { ...app.config.fetch, allow: ['127.0.0.0/8'] } } });
    const { code, text } = await run('add', `${site.url}/report`, '--outlet', 'The Example', '--text', 'Ours.');
    expect(text).toMatch(
      /^added g7: Ferry Line Orders Ships\n {4}The Example, no date\n {4}http:\S+\npicked g7: Ferry Line Orders Ships \(/,
    );
    expect(code).toBe(0);
    expect((await json('show', 'g7')).decision).toMatchObject({ state: 'picked', text: 'Ours.' });
    expect((await run('add', `${site.url}/report`, '--text', 'Ours, again.')).text).toMatch(/^known already as g7: /);
    expect((await run('add', `${site.url}/none`, '--text', 'x')).text).toMatch(/^daywire: \S+ answered 404/);
  });

  it('names the three groups that are most similar to one', async () => {
    const { run, store, report } = await openDesk();
    for (const event of [4, 5]) await report(event, ['Fourth Gazette']);
    const others = [4, 6, 7, 8];
    const rows = others.map((other, index) => ({ group_id: 1, other_id: other, similarity: 0.03 + index / 100 }));
    await store.db.insertInto('group_suggestions').values(rows).execute();
    const lines = (await run('list')).text.split('\n').filter((_, index) => index % 2 === 1);
    expect(lines[0]).toMatch(/; perhaps the same: 5, 4, 3$/);
    expect(lines[4]).toMatch(/; perhaps the same: 1$/);
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
    const polled = { configured_api: 'feed', url: source.url, rules: '', due_at: 0, polled_at: NOW } as const;
    await store.db
      .insertInto('sources')
      .values({ id: source.id, use: 'roundup', ...polled })
      .execute();
    await store.db
      .updateTable('sources')
      .set({ state: 'held', reason: 'a flood' })
      .where('id', '=', 'held-post')
      .execute();
    await store.db
      .updateTable('outlet_items')
      .set({ state: 'held', source: 'held-post' })
      .where('id', '=', 6)
      .execute();
    expect((await run('list')).text).toMatch(
      /\nkept back: held-post is held with 1 item \(a flood\): "daywire sources accept held-post"\n$/,
    );
  });
});
