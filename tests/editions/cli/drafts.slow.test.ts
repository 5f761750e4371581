import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { editConfig, type Folder, startedFolder } from '../../support/command.ts';

const HEADLINE = 'China Beats Its 2020 Goal for 5G Stations Three Months Early';

async function openFolder() {
  const folder = await startedFolder();
  // Soon after midnight the window of the next edition is the shortest, and nearly empty after the first one.
  editConfig(folder, 'minimumStories: 3', 'newsHours: 60\n    minimumStories: 3');
  const editions = async (verb: string, ...args: string[]) => {
    const { code, stdout, stderr } = await folder.run(['editions', verb, 'daily-roundup', ...args]);
    return { code, text: `${stdout}${stderr}` };
  };
  return { folder, editions, show: (by = 'Ada') => showJson(folder, by) };
}

interface Shown {
  slot: string;
  subject: string;
  state: { kind: string };
  stories: { number: number; id: string; block: string; decision: string | null }[];
}

async function showJson(folder: Folder, by: string): Promise<Shown> {
  const { stdout } = await folder.run(['editions', 'show', 'daily-roundup', '--by', by, '--json']);
  return JSON.parse(stdout);
}

describe.concurrent('daywire editions, for an editor', () => {
  it('shows the next edition with numbers by which later commands name its stories', async () => {
    const { editions, show } = await openFolder();
    const before = await show();
    const { code, text } = await editions('show', '--by', 'Ada');
    expect(code).toBe(0);
    expect(text).toMatch(/^daily-roundup\/\S+, slot .* \(Asia\/Shanghai\): automatic\nsubject: Tech Roundup: /);
    expect(text).toMatch(/\nlead\n {2} ?1 {2}/);
    expect(text).toMatch(/\n\d+ articles of earlier editions or older/);
    const dropped = before.stories.slice(2, 4);
    const outcome = await editions('drop', '3', '4', '--by', 'Ada');
    expect(outcome).toEqual({
      code: 0,
      text: dropped.map(({ id }) => `daily-roundup/${before.slot}: dropped ${id}\n`).join(''),
    });
    const after = (await show()).stories.map(({ id }) => id);
    expect(after).not.toContain(dropped[0]?.id);
    expect(after).not.toContain(dropped[1]?.id);
    expect((await editions('restore', '2', '--by', 'Ada')).text).toMatch(
      /: nothing to change\nthis draft decides nothing about \S+: one dropped from an earlier slot returns when it is pinned\n$/,
    );
  });

  it('refuses a number that the editor has not seen, an unknown block, and two texts at once', async () => {
    const { editions } = await openFolder();
    expect(await editions('drop', '1')).toMatchObject({ code: 1, text: expect.stringContaining('names no story yet') });
    await editions('show');
    expect((await editions('drop', '99')).text).toMatch(/^daywire: there is no story 99: .* printed \d+ numbers\n$/);
    expect((await editions('move', '2', '--after', 'none')).text).toBe('daywire: there is no article none\n');
    expect(await editions('move', '2', '--to', 'sport')).toMatchObject({
      code: 2,
      text: expect.stringContaining('the blocks are lead, news, analysis, roundup, latest'),
    });
    expect((await editions('subject')).text).toBe('daywire: subject takes either a text or --auto\n');
    expect((await editions('note', 'text', '--file', 'x.md')).text).toContain('either a text, --file or --remove');
    expect((await editions('subject', '')).text).toMatch(/^daywire: the subject is empty/);
  });

  it('tells an editor both values where another one was first, and changes nothing', async () => {
    const { editions, show } = await openFolder();
    await show('Ada');
    await editions('subject', 'From Bob', '--by', 'Bob');
    const { code, text } = await editions('subject', 'From Ada', '--by', 'Ada');
    expect(code).toBe(1);
    expect(text).toContain('Bob has changed the subject since you looked, so nothing was changed');
    expect(text).toMatch(/yours: +"From Ada"\n.*current: +"From Bob"/);
    expect(await show('Ada')).toMatchObject({ subject: 'From Bob' });
  });

  it('reads a note from a file, holds, lets go, approves, undoes, and lists it all', async () => {
    const { folder, editions, show } = await openFolder();
    writeFileSync(join(folder.path, 'note.md'), '# Good morning\n\nTwo *things* today.\n');
    expect((await editions('note', '--file', 'note.md', '--by', 'Ada')).text).toMatch(/: note: # Good morning Two/);
    expect((await editions('hold', '--reason', 'for the lawyer', '--by', 'Ada')).code).toBe(0);
    expect((await editions('approve', '--by', 'Ada')).text).toMatch(/^daywire: Ada has not seen daily-roundup\//);
    await show('Ada');
    expect((await editions('approve', '--by', 'Ada')).text).toContain('it is held by Ada');
    expect((await editions('unhold', '--by', 'Bob')).code).toBe(0);
    await show('Ada');
    expect((await editions('approve', '--by', 'Ada')).text).toMatch(/: approved with \d+ stories\n$/);
    expect((await editions('drop', '2', '--by', 'Ada')).text).toContain('the approval is withdrawn');
    expect((await editions('undo', '--by', 'Ada')).text).toMatch(
      /: undo: dropped .*\nthe approval by Ada counts again\n$/,
    );
    expect(await show('Ada')).toMatchObject({ state: { kind: 'approved' } });
    const held = await editions('hold', '--by', 'Ada');
    expect(held.text).toMatch(/: held\nthe approval is withdrawn: approve it again when it is let go\n$/);
    await editions('undo', '--by', 'Ada');
    const { text } = await editions('log');
    expect(text.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/Ada +undo of \d$/),
      expect.stringMatching(/Ada +held \(undone\)$/),
      expect.stringMatching(/Ada +undo of \d$/),
      expect.stringMatching(/Ada +dropped \S+ \(undone\)$/),
    ]);
    const preview = await folder.run(['preview', 'daily-roundup', '--text']);
    expect(preview.stdout).toContain('Two things today.');
  });

  it('asks for ids of the stories of a closed edition, which is listed without numbers', async () => {
    const { folder } = await openFolder();
    const { stdout } = await folder.run(['editions', 'list', '--json']);
    const name = (JSON.parse(stdout) as { newsletter: string; slot: string }[]).map(
      (one) => `${one.newsletter}/${one.slot}`,
    );
    const dropped = await folder.run(['editions', 'drop', name[0] as string, '2', '--by', 'Zoe']);
    expect(dropped.stderr).toBe(
      `daywire: 2 names no story: the edition is closed, and "daywire editions show ${name[0]}" lists the ids of its articles\n`,
    );
  });

  it('prints the results of several stories as one JSON document', async () => {
    const { editions, show } = await openFolder();
    const [first, second] = (await show()).stories.map(({ id }) => id).slice(2);
    const { code, text } = await editions('drop', '3', '4', '--by', 'Ada', '--json');
    const edits = JSON.parse(text) as { entry: { command: { story: string } } }[];
    expect([code, edits.map(({ entry }) => entry.command.story)]).toEqual([0, [first, second]]);
  });

  it('says of a slot that is over that nothing closes its edition by itself', async () => {
    const { folder } = await openFolder();
    const held = await folder.run(['editions', 'hold', 'daily-roundup/2025-01-02', '--by', 'Ada']);
    expect([held.code, held.stdout]).toEqual([
      0,
      'daily-roundup/2025-01-02: held\nthe slot daily-roundup/2025-01-02 is over, and its edition does not close ' +
        'by itself: to close its edition, use "daywire compose daily-roundup --slot 2025-01-02"\n',
    ]);
  });

  it('lists the commands to a draft whose newsletter is no longer configured', async () => {
    const { folder, editions, show } = await openFolder();
    const { slot } = await show();
    await editions('subject', 'One', '--by', 'Ada');
    editConfig(folder, 'id: daily-roundup', 'id: renamed');
    const log = await folder.run(['editions', 'log', 'daily-roundup', slot]);
    expect([log.code, log.stdout]).toEqual([0, expect.stringMatching(/^1 .* Ada +subject: One\n$/)]);
    const twice = await folder.run(['editions', 'check', `renamed/${slot}`, slot]);
    expect(twice.stderr).toBe(`daywire: renamed/${slot} has a slot already: leave out ${slot}\n`);
    const unknown = await folder.run(['editions', 'log', 'daily-roundup']);
    expect(unknown.stderr).toContain('there is no newsletter daily-roundup');
  });

  it('checks the edition of a slot, in either form', async () => {
    const { folder, show } = await openFolder();
    const { slot } = await show();
    const [joined, apart] = await Promise.all([
      folder.run(['editions', 'check', `daily-roundup/${slot}`, '--no-links']),
      folder.run(['editions', 'check', 'daily-roundup', slot, '--no-links']),
    ]);
    expect(joined.stdout).toMatch(new RegExp(`^daily-roundup of ${slot}: \\d+ stories\n`));
    expect(apart).toEqual(joined);
  });

  it('prints what an editor typed on one line, without what a terminal would obey', async () => {
    const { editions } = await openFolder();
    const held = await editions('hold', '--reason', 'for\r\nthe \u001b[2Jlawyer', '--by', 'A\u001bda\nBob');
    await editions('subject', 'One\r\u009b\ttwo', '--by', 'Ada');
    await editions('note', 'One\n\u001b]0;two', '--by', 'Ada');
    const { text } = await editions('log');
    for (const output of [held.text, text]) expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(held.text).toMatch(/: held: for the \[2Jlawyer\n$/);
    expect(text.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/ Ada +note: One \]0;two$/),
      expect.stringMatching(/ Ada +subject: One two$/),
      expect.stringMatching(/ A da Bob +held: for the \[2Jlawyer$/),
    ]);
  });

  it('mails a test copy of the draft', async () => {
    const { editions } = await openFolder();
    await editions('subject', 'An edited subject');
    expect((await editions('test', 'me@example.com')).text).toMatch(/^submitted a test copy to me@example\.com: /);
  });

  it('lists what is not in it with the reason', async () => {
    const { editions } = await openFolder();
    const { text } = await editions('show');
    expect(text).toMatch(new RegExp(`is too old: \\S+ \\S+ +${HEADLINE}`));
  });
});
