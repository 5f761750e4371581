import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../../src/app/status.ts';
import { openStore } from '../../../src/core/store/store.ts';
import type { Tables } from '../../../src/core/store/tables.ts';
import type { EditionDetails, EditionStatus } from '../../../src/delivery/status/edition-status.ts';
import { articleFile } from '../../support/articles.ts';
import { type Folder, scheduledFolder, startedFolder, storedRows } from '../../support/command.ts';

describe.concurrent('daywire compose', () => {
  it('closes an edition once', async () => {
    const folder = await scheduledFolder();
    const [edition] = await listEditions(folder);
    const { code, stdout } = await folder.exec(['compose', 'daily-roundup']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^daily-roundup .*, number 1, was closed on .*: http/);
    expect(JSON.parse((await folder.run(['compose', 'daily-roundup', '--json'])).stdout)).toEqual({
      ...edition,
      queued: 7,
      tooFew: 0,
      isNew: false,
      expiring: [],
    });
    expect(await listEditions(folder)).toHaveLength(1);
  });
});

describe.concurrent('daywire editions check', () => {
  it('prints the problems of the coming edition, fails if one is an error, and records nothing', async () => {
    const folder = await startedFolder();
    mkdirSync(join(folder.path, 'in'));
    const write = (headline: string) =>
      writeFileSync(join(folder.path, 'in/one.md'), articleFile('one').replace('Headline of one', headline));
    write('TK percent more');
    await folder.run(['import', '--undated', 'now', 'in']);
    const before = storedRows(folder);
    const failed = await folder.run(['editions', 'check', 'daily-roundup', '--no-links']);
    expect([failed.code, failed.stderr]).toEqual([1, '']);
    expect(failed.stdout).toMatch(/^daily-roundup\/\S+: \d+ stories\n\d+ of 102400 bytes of HTML \(\d+%\)\n/);
    expect(failed.stdout).toContain('one (TK percent more): its headline still contains "TK"');
    const json = await folder.run(['editions', 'check', 'daily-roundup', '--no-links', '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      edition: expect.stringMatching(/^daily-roundup\//),
      html: { maximum: 102_400 },
      problems: expect.arrayContaining([
        expect.objectContaining({ code: 'leftover-word', place: expect.objectContaining({ articleId: 'one' }) }),
      ]),
    });
    expect(storedRows(folder)).toEqual(before);

    write('Nine percent more');
    await folder.run(['import', '--undated', 'now', 'in']);
    const passed = await folder.run(['editions', 'check', 'daily-roundup', '--no-links']);
    expect(passed.code).toBe(0);
    expect(passed.stdout).not.toContain('error');
  });
});

describe.concurrent('daywire editions', () => {
  it('list and show print what was delivered, as text and as JSON', async () => {
    const folder = await startedFolder();
    const [edition] = (await listEditions(folder)) as [EditionStatus];
    expect(edition).toMatchObject({ newsletter: 'daily-roundup', deliveryState: 'done', deliveries: { submitted: 7 } });
    const name = `daily-roundup/${edition.slot}`;
    const list = (await folder.run(['editions', 'list'])).stdout;
    expect(list).toMatch(new RegExp(`^edition .*\n${name} +1 +done +7 submitted +Tech Roundup: .*\n$`));
    const details = JSON.parse((await folder.run(['editions', 'show', name, '--json'])).stdout) as EditionDetails;
    expect(details).toMatchObject({ ...edition, failedDeliveries: [] });
    expect(details.articles.length).toBeGreaterThan(20);
    const shown = (await folder.run(['editions', 'show', edition.slot])).stdout;
    for (const { id } of details.articles) expect(shown).toContain(id);
    expect(shown).toContain('\ndeliveries  7 submitted\n');
    const unknown = await folder.run(['editions', 'show', '2020-01-01']);
    expect([unknown.code, unknown.stderr]).toEqual([
      1,
      'daywire: there is no edition 2020-01-01: see "daywire editions list"\n',
    ]);
  });

  it('reissue closes the next revision, and show tells both apart', async () => {
    const folder = await startedFolder();
    const [{ slot }] = (await listEditions(folder)) as [EditionStatus];
    const name = `daily-roundup/${slot}`;
    const same = await folder.run(['editions', 'reissue', name]);
    expect([same.code, same.stderr]).toEqual([1, expect.stringContaining('nothing has changed since it closed')]);
    const note = ['--note', 'A headline was wrong.', '--by', 'Ada'];
    const dryRun = await folder.run(['editions', 'reissue', name, '--dry-run', ...note]);
    expect(dryRun.stdout).toMatch(
      new RegExp(
        `^${name} would be reissued as revision 2: Tech Roundup: .*\\n0 deliveries would be queued\\n` +
          '7 deliveries of earlier revisions submitted: no second mail to these subscribers\\n' +
          '.*preview/daily-roundup\\.html\\n$',
      ),
    );
    const done = JSON.parse((await folder.run(['editions', 'reissue', name, '--json', ...note])).stdout);
    expect(done).toMatchObject({
      ...{ slot, number: 1, revision: 2, queued: 0, submitted: 7, asCorrection: false, dryRun: false },
      subject: expect.stringMatching(/^Tech Roundup: /),
    });
    expect((await folder.run(['editions', 'list'])).stdout).toContain(' 1, revision 2 ');
    const shown = (await folder.run(['editions', 'show', name])).stdout;
    expect(shown).toMatch(
      /\nrevisions\n {2}2, closed .*\n {2}1, closed .*: 7 submitted; cancelled: reissued as revision 2\n/,
    );
    const other = await folder.run(['editions', 'show', `${name}@3`]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/there is no edition .*@3: see/)]);
    const first = (await folder.run(['editions', 'show', `${name}@1`])).stdout;
    expect(first).toContain('\ndelivery    cancelled: reissued as revision 2\n');
  });

  it('pause, resume and cancel control what is pending, and retraction pauses by itself', async () => {
    const folder = await scheduledFolder();
    const status = async (): Promise<Status> => JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    const slot = (await status()).editions[0]?.slot;
    const name = `daily-roundup/${slot}`;
    const file = join(folder.path, 'retracted.md');
    writeFileSync(file, articleFile('montana-bans-tiktok', 'state: retracted\nnote: Wrong.\n'));
    // As if the article were from this folder, not from the sample.
    const database = new DatabaseSync(join(folder.path, 'var/daywire.db'));
    database.prepare('update articles set origin = ? where id = ?').run(file, 'montana-bans-tiktok');
    database.close();
    await folder.run(['import', '--undated', 'now', 'retracted.md']);
    const retracted = await status();
    expect(retracted.editions[0]).toMatchObject({ deliveryState: 'paused', deliveries: { pending: 7 } });
    expect(retracted.alerts).toMatchObject([{ message: expect.stringContaining(`"daywire editions resume ${name}"`) }]);
    const waiting = `0 submitted\n7 deliveries of ${name} wait: continue with "daywire editions resume ${name}"\n`;
    expect((await folder.run(['deliver'])).stdout).toBe(waiting);

    expect((await folder.run(['editions', 'resume', name])).stdout).toBe(`${name} is resumed\n`);
    expect((await folder.run(['editions', 'resume', name])).stdout).toBe(`${name} was not paused\n`);
    await folder.run(['publish']);
    const resumed = await status();
    expect(resumed.alerts).toEqual([]);
    expect(resumed.editions[0]).toMatchObject({ deliveryState: 'delivering', reason: null });

    const paused = await folder.run(['editions', 'pause', `${slot}`, '--reason', 'a typo']);
    expect(paused.stdout).toBe(`${name} is paused; continue with "daywire editions resume ${name}"\n`);
    expect((await status()).editions[0]).toMatchObject({ deliveryState: 'paused', reason: 'a typo' });
    expect((await folder.run(['editions', 'cancel', `${slot}`, '--reason', 'wrong'])).stdout).toBe(
      `${name} is cancelled: 7 pending deliveries will not be submitted\n`,
    );
    expect((await folder.run(['deliver'])).stdout).toBe('0 submitted\n');
    expect((await status()).editions[0]).toMatchObject({
      deliveryState: 'cancelled',
      reason: 'wrong',
      deliveries: { suppressed: 7 },
    });
    expect(await folder.run(['editions', 'resume', name])).toMatchObject({
      code: 1,
      stderr: `daywire: ${name} is cancelled and cannot be resumed: to deliver what was not submitted, use "daywire editions retry ${name} --cancelled"\n`,
    });
    expect((await folder.run(['editions', 'retry', name, '--cancelled'])).stdout).toBe(
      `${name}: 7 deliveries are pending again\n  7 × cancelled: wrong\n`,
    );
  });

  it('resume extends deliveries that have expired or lets them fail, and retry makes them pending again', async () => {
    const folder = await scheduledFolder();
    const [edition] = await listEditions(folder);
    const name = `daily-roundup/${edition?.slot}`;
    const expireWhilePaused = async () => {
      await folder.run(['editions', 'pause', name]);
      await changeDeliveries(folder, { expires_at: Date.now() - 1 });
    };
    await expireWhilePaused();
    expect(await folder.run(['editions', 'resume', name])).toMatchObject({
      code: 1,
      stderr:
        'daywire: 7 pending deliveries have expired and would fail at once: to extend them, use ' +
        `"daywire editions resume ${name} --extend 12h"; to let them fail, use ` +
        `"daywire editions resume ${name} --expire"\n`,
    });
    expect((await folder.run(['editions', 'resume', name, '--extend', '12h'])).stdout).toBe(
      `${name} is resumed; 7 deliveries extended\n`,
    );
    await expireWhilePaused();
    expect((await folder.run(['editions', 'resume', name, '--expire'])).stdout).toBe(`${name} is resumed\n`);
    await folder.run(['deliver']);
    const shown = (await folder.run(['editions', 'show', name])).stdout;
    expect(shown).toContain('\ndelivery    done\n');
    expect(shown).toContain('\nfailures\n  7 × expired: never tried\n');

    await folder.run(['subscribers', 'suppress', 'ada.brandt@example.com']);
    expect((await folder.run(['editions', 'retry', name])).stdout).toBe(
      `${name}: 6 deliveries are pending again; 1 of people who have left, are suppressed or paused stays as they are\n` +
        '  6 × expired: never tried\n',
    );
    expect((await folder.run(['deliver'])).stdout).toBe('6 submitted\n');
  });

  it('settle records an uncertain delivery as submitted, or makes it pending again', async () => {
    const folder = await scheduledFolder();
    await changeDeliveries(folder, { state: 'submitting', lease_until: 1 });
    const [edition] = await listEditions(folder);
    const name = `daily-roundup/${edition?.slot}`;
    const settle = (address: string, as: string) => folder.run(['editions', 'settle', name, address, '--as', as]);
    expect((await settle('ada.brandt@example.com', 'submitted')).stdout).toBe(
      `${name} for ada.brandt@example.com: recorded as submitted\n`,
    );
    expect((await settle('liu.wen@example.com', 'retry')).stdout).toBe(
      `${name} for liu.wen@example.com: pending again\n`,
    );
    expect(await settle('nobody@example.com', 'retry')).toMatchObject({
      code: 1,
      stderr: 'daywire: nobody@example.com: there is no such subscriber\n',
    });
    expect((await listEditions(folder))[0]?.deliveries).toEqual({ pending: 1, submitting: 5, submitted: 1 });
    const either = await folder.run(['editions', 'settle', name, '--as', 'retry']);
    expect([either.code, either.stderr]).toEqual([
      1,
      'daywire: settle takes either the address of a subscriber or --all\n',
    ]);
    expect((await folder.run(['editions', 'settle', name, '--all', '--as', 'submitted'])).stdout).toBe(
      `${name}: 5 uncertain deliveries recorded as submitted\n`,
    );
    expect((await listEditions(folder))[0]?.deliveries).toEqual({ pending: 1, submitted: 6 });
  });
});

async function listEditions(folder: Folder): Promise<EditionStatus[]> {
  return JSON.parse((await folder.run(['editions', 'list', '--json'])).stdout) as EditionStatus[];
}

async function changeDeliveries({ path }: Folder, row: Partial<Tables['deliveries']>): Promise<void> {
  const store = await openStore({ path: join(path, 'var/daywire.db') });
  await store.db.updateTable('deliveries').set(row).execute();
  await store.close();
}
