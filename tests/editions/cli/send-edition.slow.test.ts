import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { articleFile } from '../../support/articles.ts';
import { editConfig, type Folder, newFolder, scheduledFolder } from '../../support/command.ts';

describe.concurrent('daywire editions send', () => {
  async function folderWithArticle(): Promise<Folder> {
    const folder = await scheduledFolder();
    editConfig(folder, 'minimumStories: 3', 'minimumStories: 1\n    undoSeconds: 0');
    writeFileSync(join(folder.path, 'new.md'), articleFile('brand-new', 'pinned: true'));
    await folder.run(['import', '--undated', 'now', 'new.md']);
    return folder;
  }

  it('sends the next edition, by its name where one has just closed', async () => {
    const folder = await folderWithArticle();
    const twice = await folder.run(['editions', 'send', 'daily-roundup']);
    // The sample's first edition has just closed.
    const [, name = ''] = /to send that now, too, use "daywire editions send (\S+)"\n$/.exec(twice.stderr) ?? [];
    expect([twice.code, name]).toEqual([1, expect.stringMatching(/^daily-roundup\/[-\d]+$/)]);
    const sent = await folder.run(['editions', 'send', name, '--json']);
    expect(JSON.parse(sent.stdout)).toMatchObject({ edition: name, outcome: 'sending' });
    expect(sent.stderr).toBe('daywire: no running daywire closes it: start one\n');
    const { edition } = JSON.parse(sent.stdout) as { edition: string };
    expect((await folder.run(['editions', 'send', edition, '--cancel'])).stdout).toBe(
      `cancelled: ${edition} was not sent\n`,
    );
    const again = await folder.run(['editions', 'send', edition]);
    expect(again.stdout).toMatch(/^daily-roundup\/\S+ closes on .* To cancel that, use "daywire editions send /);
    await folder.run(['start', '--once', '--role', 'schedule']);
    expect(JSON.parse((await folder.run(['editions', 'show', edition, '--json'])).stdout)).toMatchObject({ number: 2 });
    const cancelled = await folder.run(['editions', 'send', edition, '--cancel']);
    expect(cancelled).toMatchObject({
      code: 1,
      stderr:
        `daywire: ${edition} is closed, too late to cancel: ` +
        `to stop what is not submitted yet, use "daywire editions pause ${edition}"\n`,
    });
  });
});

describe.concurrent('daywire alert', () => {
  it('makes an alert, which goes to its subscribers when an editor has seen and approved it', async () => {
    const folder = await scheduledFolder();
    const { path } = folder;
    const config = readFileSync(join(path, 'config/daywire.yaml'), 'utf8');
    const example = config
      .replace(/^ {2}# (?=- id: breaking| {2}\w)/gm, '  ')
      .replace('maxPerDay: 3', 'undoSeconds: 0');
    writeFileSync(join(path, 'config/daywire.yaml'), example);
    writeFileSync(join(path, 'new.md'), articleFile('brand-new'));
    await folder.run(['import', '--undated', 'now', 'new.md']);
    await folder.run(['subscribers', 'add', 'ada@example.com', '--newsletter', 'breaking']);

    const made = await folder.run(['alert', 'brand-new', '--by', 'Ada']);
    expect([made.code, made.stderr]).toEqual([0, '']);
    const [, name = ''] = /^made the alert (breaking\/\S+), which waits for an approval until /.exec(made.stdout) ?? [];
    const shown = await folder.run(['editions', 'show', 'breaking']);
    expect(shown.stdout).toContain('Headline of brand-new');
    const [, hash = ''] = / --hash (\S+)\n$/.exec(shown.stdout) ?? [];
    const approved = await folder.run(['editions', 'approve', name, '--hash', hash]);
    expect([approved.code, approved.stderr]).toEqual([0, '']);
    const sent = await folder.run(['editions', 'send', 'breaking']);
    expect(sent.stdout).toMatch(/^breaking\/\S+ closes on /);
    await folder.run(['start', '--once', '--role', 'schedule']);
    const again = await folder.run(['alert', 'brand-new']);
    expect([again.code, again.stderr]).toEqual([1, 'daywire: breaking has sent brand-new already\n']);
    expect((await folder.run(['deliver'])).stdout).toMatch(/submitted/);
    const status = await folder.run(['status']);
    expect(status.stdout).toMatch(/newsletter:breaking +by "daywire alert"/);
  });

  it('names the newsletters that can have one', async () => {
    const folder = newFolder('sample');
    const outcomes = [
      await folder.run(['alert', 'x']),
      await folder.run(['alert', 'x', '--newsletter', 'daily-roundup']),
    ];
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual([
      [1, 'daywire: no newsletter is of kind alert: add one to the configuration\n'],
      [1, 'daywire: daily-roundup is a roundup: an alert needs a newsletter of kind alert\n'],
    ]);
  });
});
