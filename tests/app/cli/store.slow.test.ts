import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/app/status.ts';
import { articleFile } from '../../support/articles.ts';
import { editConfig, type Folder, keepOneFeed, newFolder, printed } from '../../support/command.ts';
import { newPostgresUrl } from '../../support/databases.ts';

const SECRET = { DAYWIRE_SECRET: 's'.repeat(40) };

describe.concurrent('a backup', () => {
  it('can be made while daywire writes, and once restored mails nothing until the queue is released', async () => {
    const folder = await queuedFolder();
    mkdirSync(join(folder.path, 'in'));
    editConfig(folder, 'watch: []', 'watch: [in]');
    editConfig(folder, 'port: 8080', 'port: 0');
    const child = folder.spawn(['start', '--role', 'web', 'schedule'], SECRET);
    await printed(child, /Ctrl-C/);
    const imported = printed(child, /"msg":"imported"/);
    for (let n = 0; n < 300; n++)
      writeFileSync(join(folder.path, `in/story-${n}.md`), articleFile(`story-${n}`, 'published: 2026-11-02 08:00\n'));
    await imported;
    const backup = join(folder.path, 'backup.db');
    expect(await folder.exec(['backup', backup], SECRET)).toMatchObject({ code: 0, stderr: '' });
    const again = await folder.run(['backup', backup], SECRET);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/backup\.db exists already/) });

    const restored = newFolder('sample');
    const { code, stdout } = await restored.exec(['restore', backup], SECRET);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Nothing is mailed until "daywire queue release"/);
    await expectHeld(restored, SECRET);
    expect((await restored.run(['queue', 'release'], SECRET)).stdout).toBe('the queue is released\n');
    expect((await restored.run(['deliver'], SECRET)).code).toBe(0);
    const mail = join(restored.path, 'var/mail/daily-roundup');
    const [slot = ''] = readdirSync(mail);
    expect(readdirSync(join(mail, slot))).toHaveLength(7);
    const twice = await restored.run(['restore', backup], SECRET);
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringMatching(/is not empty/) });
  });

  it('raises an alert if it fails, which the next good one resolves', async () => {
    const folder = await queuedFolder();
    const alerts = async () =>
      (await status(folder, SECRET)).alerts.map(({ key }) => key).filter((key) => key !== 'delivery');
    writeFileSync(join(folder.path, 'taken'), '');
    // A mistake of the operator, then a folder that is none.
    expect((await folder.run(['backup', 'taken'], SECRET)).code).toBe(1);
    expect(await alerts()).toEqual([]);
    expect((await folder.run(['backup', 'taken/backup.db'], SECRET)).code).toBe(1);
    expect(await alerts()).toEqual(['storage:backup']);
    expect((await folder.run(['backup', 'good.db'], SECRET)).code).toBe(0);
    expect(await alerts()).toEqual([]);
  });

  it('holds its queue also when its file replaces the store', async () => {
    const other = newFolder('sample');
    mkdirSync(join(other.path, 'var'));
    copyFileSync(await queuedBackup(), join(other.path, 'var/daywire.db'));
    await expectHeld(other, SECRET);
  });

  it('moves an SQLite store to PostgreSQL and back', async () => {
    const postgres = { ...SECRET, DAYWIRE_DATABASE_URL: await newPostgresUrl('empty') };
    const moved = newFolder('sample');
    expect((await moved.exec(['restore', await queuedBackup()], postgres)).code).toBe(0);
    await expectHeld(moved, postgres);
    expect((await moved.run(['backup', 'back.db'], postgres)).code).toBe(0);
    const back = newFolder('sample');
    expect((await back.run(['restore', join(moved.path, 'back.db')], SECRET)).code).toBe(0);
    await expectHeld(back, SECRET);
    expect((await status(back, SECRET)).editions[0]?.deliveries).toEqual({ pending: 7 });
  });

  it('is rehearsed without a mail, and the exit code tells a good one from a damaged one', async () => {
    const backup = await queuedBackup();
    const folder = newFolder('sample');
    const report = await folder.run(['restore', '--rehearse', backup], SECRET);
    expect(report).toMatchObject({ code: 0, stderr: '' });
    expect(report.stdout).toMatch(/is a good backup: made \S+Z, .* ago; \d+ rows of \d+ tables/);
    expect(existsSync(join(folder.path, 'var/mail'))).toBe(false);
    expect(existsSync(join(folder.path, 'var/daywire.db'))).toBe(false);
    const json = JSON.parse((await folder.run(['restore', '--rehearse', '--json', backup], SECRET)).stdout);
    expect(json).toMatchObject({ problem: null, tables: { deliveries: 7 } });

    const damaged = join(folder.path, 'damaged.db');
    writeFileSync(damaged, readFileSync(backup).subarray(0, 100_000));
    const line = await folder.run(['restore', '--rehearse', damaged], SECRET);
    expect(line.code).toBe(1);
    expect(line.stdout).toMatch(/^[^\n]*damaged\.db is not a good backup: [^\n]+\n$/);
    const both = await folder.run(['restore', '--rehearse', '--adopt-secret', backup], SECRET);
    expect(both.code).toBe(2);
    // Never a restore by mistake.
    expect((await folder.run(['restore', '--json', backup], SECRET)).stdout).toContain('"problem": null');
    expect(existsSync(join(folder.path, 'var/daywire.db'))).toBe(false);
  });

  it('that is no database leaves the store empty', async () => {
    const folder = newFolder('sample');
    writeFileSync(join(folder.path, 'text.db'), 'no database at all'.repeat(1_000));
    const { code, stderr } = await folder.run(['restore', 'text.db'], SECRET);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: text\.db cannot be read: file is not a database\n$/);
    expect((await status(folder, SECRET)).articles).toEqual({});
  });
});

let queued: Promise<Folder> | null = null;

/** A started sample whose mail server cannot be reached: its edition is queued. All tests share it. */
function queuedFolder(): Promise<Folder> {
  queued ??= (async () => {
    const folder = newFolder('sample');
    keepOneFeed(folder);
    editConfig(folder, 'transport: file', 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1');
    expect((await folder.run(['start', '--once'], SECRET)).stdout).toMatch(/0 submitted; stopped/);
    await folder.run(['backup', 'queued.db'], SECRET);
    return folder;
  })();
  return queued;
}

async function queuedBackup(): Promise<string> {
  return join((await queuedFolder()).path, 'queued.db');
}

async function expectHeld(folder: Folder, env: NodeJS.ProcessEnv): Promise<void> {
  const { code, stdout } = await folder.run(['start', '--once'], env);
  expect(stdout).toMatch(
    /0 submitted; stopped: the queue is held, restored from a backup of .*"daywire queue release"/,
  );
  expect(code).toBe(1);
  expect(existsSync(join(folder.path, 'var/mail'))).toBe(false);
}

async function status(folder: Folder, env: NodeJS.ProcessEnv): Promise<Status> {
  return JSON.parse((await folder.run(['status', '--json'], env)).stdout) as Status;
}
