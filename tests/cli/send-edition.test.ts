import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { articleFile } from '../support/articles.ts';
import { editConfig, type Folder, scheduledFolder } from '../support/command.ts';

describe.concurrent('daywire editions send', () => {
  async function folderWith(undoSeconds: number): Promise<Folder> {
    const folder = await scheduledFolder();
    editConfig(folder, 'minimumStories: 3', `minimumStories: 1\n    undoSeconds: ${undoSeconds}`);
    writeFileSync(join(folder.path, 'new.md'), articleFile('brand-new', 'pinned: true'));
    await folder.run(['import', 'new.md']);
    return folder;
  }

  it('closes the edition after its countdown, and refuses to cancel it then', async () => {
    const folder = await folderWith(0);
    const sent = await folder.run(['editions', 'send', 'daily-roundup', '--json']);
    expect(JSON.parse(sent.stdout)).toMatchObject({ outcome: 'closed', number: 2 });
    const { edition } = JSON.parse(sent.stdout) as { edition: string };
    const cancelled = await folder.run(['editions', 'send', edition, '--cancel']);
    expect(cancelled).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${edition} is closed, too late to cancel: "daywire editions pause ${edition}"`),
    });
  });

  it('has nothing to cancel where no countdown runs', async () => {
    const folder = await folderWith(60);
    const { code, stderr } = await folder.run(['editions', 'send', 'daily-roundup', '--cancel']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: daily-roundup\/[-\d]+ is not being sent: there is nothing to cancel\n$/);
  });
});
