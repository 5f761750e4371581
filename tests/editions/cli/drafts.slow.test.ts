import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { editConfig, newFolder, startedFolder, storedRows } from '../../support/command.ts';

const HEADLINE = 'China Beats Its 2020 Goal for 5G Stations Three Months Early';

interface Shown {
  slot: string;
  subject: string;
  hash: string;
  state: { kind: string };
  stories: { id: string; block: string; headline: string }[];
}

async function openFolder() {
  const folder = await startedFolder();
  // Soon after midnight the window of the next edition is the shortest, and nearly empty after the first one.
  editConfig(folder, 'minimumStories: 3', 'newsHours: 60\n    minimumStories: 3');
  const editions = async (verb: string, ...args: string[]) => {
    const { code, stdout, stderr } = await folder.run(['editions', verb, 'daily-roundup', ...args]);
    return { code, text: `${stdout}${stderr}` };
  };
  return { folder, editions, show: async (): Promise<Shown> => JSON.parse((await editions('show', '--json')).text) };
}

describe.concurrent('daywire editions, for a draft', () => {
  it('shows the next edition, drops and restores a story, and writes the subject', async () => {
    const { editions, show } = await openFolder();
    const { slot, stories, hash } = await show();
    const { code, text } = await editions('show');
    expect(code).toBe(0);
    expect(text).toMatch(/^daily-roundup\/\S+, slot .* \(Asia\/Shanghai\): automatic\nsubject: Tech Roundup: /);
    expect(text).toMatch(/\nin it\n {2}lead /);
    expect(text).toMatch(new RegExp(`\nnot in it\n[^]*too old: \\S+ \\S+ +${HEADLINE}`));
    expect(text).toContain(`to approve exactly this: daywire editions approve daily-roundup/${slot} --hash ${hash}\n`);
    const dropped = stories[2]?.id ?? '';
    expect(await editions('drop', dropped, '--by', 'Ada')).toEqual({
      ...{ code: 0, text: `daily-roundup/${slot}: dropped ${dropped}\n` },
    });
    expect((await show()).stories.map(({ id }) => id)).not.toContain(dropped);
    expect((await editions('restore', dropped)).text).toContain(`: restored ${dropped}\n`);
    expect((await editions('restore', dropped)).text).toMatch(/: nothing to change\nthis draft decides nothing about /);
    expect(JSON.parse((await editions('subject', 'Ours', '--json')).text)).toMatchObject({ slot, state: 'automatic' });
    expect((await show()).subject).toBe('Ours');
    expect((await editions('subject', '--auto')).text).toContain('subject: automatic again');
  });

  it('holds, lets go, approves what was shown, and lists it all', async () => {
    const { folder, editions, show } = await openFolder();
    const before = await show();
    expect((await editions('hold', '--reason', 'for the lawyer', '--by', 'Ada')).code).toBe(0);
    expect((await editions('approve', '--hash', before.hash)).text).toContain('it is held by Ada');
    expect((await editions('unhold', '--by', 'Bob')).code).toBe(0);
    await editions('drop', before.stories[2]?.id ?? '', '--by', 'Bob');
    expect((await editions('approve', '--hash', before.hash)).text).toMatch(
      /^daywire: since you looked, the stories or/,
    );
    const { hash, slot } = await show();
    expect((await editions('approve', '--by', 'Ada', '--hash', hash)).text).toMatch(/: approved with \d+ stories\n$/);
    expect((await editions('show')).text).toMatch(/^\S+, slot .*: approved by Ada, /);
    expect((await editions('subject', 'Late', '--by', 'Ada')).text).toContain('the approval is withdrawn');
    const { text } = await editions('log');
    expect(text.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(/Ada +subject: Late$/),
      expect.stringMatching(/Ada +approved with \d+ stories$/),
      expect.stringMatching(/Bob +dropped \S+$/),
    ]);
    // Also of a newsletter that is no longer configured.
    editConfig(folder, 'id: daily-roundup', 'id: renamed');
    expect((await folder.run(['editions', 'log', `daily-roundup/${slot}`])).stdout).toBe(text);
    expect((await editions('log')).text).toContain('there is no newsletter daily-roundup');
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

  it('prints what an editor typed on one line, without what a terminal would obey', async () => {
    const { editions } = await openFolder();
    const held = await editions('hold', '--reason', 'for\r\nthe \u001b[2Jlawyer', '--by', 'A\u001bda\nBob');
    await editions('subject', 'One\r\u009b\ttwo', '--by', 'Ada');
    const { text } = await editions('log');
    for (const output of [held.text, text]) expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(held.text).toMatch(/: held: for the \[2Jlawyer\n$/);
    expect(text.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/ Ada +subject: One two$/),
      expect.stringMatching(/ A da Bob +held: for the \[2Jlawyer$/),
    ]);
  });

  it('writes a preview and mails a test copy, and records nothing', async () => {
    const { folder, editions, show } = await openFolder();
    const { stories, slot } = await show();
    const before = storedRows(folder);
    const { code, text } = await editions('preview');
    const [htmlPath = '', summary] = text.split('\n');
    expect([code, summary]).toEqual([0, expect.stringMatching(new RegExp(`^daily-roundup/${slot}: \\d+ stories; `))]);
    expect(readFileSync(htmlPath, 'utf8')).toContain('/unsubscribe/preview');
    const plain = await editions('preview', '--text');
    expect(plain.text).toMatch(/^The Meridian Wire\n.*\n.* No\. 2\n/);
    const json = JSON.parse((await editions('preview', '--json')).text);
    expect(json).toMatchObject({ edition: `daily-roundup/${slot}`, isSkipped: false, htmlPath });
    expect(json.stories).toBe(stories.filter(({ block }) => block !== 'also').length);
    expect(readFileSync(json.textPath, 'utf8')).toBe(plain.text);
    expect((await editions('test', 'me@example.com')).text).toMatch(/^submitted a test copy to me@example\.com: /);
    expect((await editions('test', 'me@example.com\r\nBcc: b@example.com')).text).toMatch(
      /contains control characters/,
    );
    expect(storedRows(folder)).toEqual(before);
  });

  it('writes a preview of an edition without stories, which says so', async () => {
    const folder = newFolder('sample');
    const { code, stdout } = await folder.run(['editions', 'preview', 'daily-roundup']);
    const [htmlPath = '', summary] = stdout.split('\n');
    expect([code, summary]).toEqual([0, expect.stringMatching(/: 0 stories; the slot would be skipped below 3; /)]);
    const html = readFileSync(htmlPath, 'utf8');
    expect(html).toContain('<title>Tech Roundup: no stories</title>');
    expect(html).toContain('No stories yet.');
  });

  it('has nothing to preview, check or mail of a closed edition or an unknown slot', async () => {
    const { folder } = await openFolder();
    const [{ slot }] = JSON.parse((await folder.run(['editions', 'list', '--json'])).stdout);
    const run = async (verb: string, label: string, ...args: string[]) =>
      (await folder.run(['editions', verb, `daily-roundup/${label}`, ...args])).stderr;
    expect(await run('preview', slot)).toBe(`daywire: there is nothing to preview: the edition of ${slot} is closed\n`);
    expect(await run('check', slot)).toContain(`nothing to check: the edition of ${slot} is closed`);
    expect(await run('test', slot, 'a@example.com')).toContain(`nothing to mail: the edition of ${slot} is closed`);
    expect(await run('preview', 'today')).toMatch(/has no slot today: a slot begins with/);
  });
});
