import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/app/status.ts';
import { editConfig, newFolder, startedFolder, storyFile } from '../support/command.ts';

describe.concurrent('daywire import', () => {
  it('stores what is good, names file and line of what is not, and exits 1', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), storyFile('good'));
    writeFileSync(join(folder.path, 'in/bad.md'), storyFile('bad', 'sektion: world\n'));
    const { code, stdout, stderr } = await folder.exec(['import', 'in']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: in\/bad\.md:\d+: .*sektion/m);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toMatch(/1 added, 0 updated, 0 unchanged, 1 rejected/);
    expect(readFileSync(join(folder.path, 'feeds/world.json'), 'utf8')).toContain('Headline of good');
    const status = (await folder.run(['status'])).stdout;
    expect(status).toMatch(/rejected\n {2}import: in\/bad\.md/);
  });

  it('says that a path does not exist', async () => {
    const { code, stderr } = await newFolder('sample').run(['import', 'nowhere.md']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere\.md/);
  });
});

describe.concurrent('daywire compose, preview and deliver', () => {
  it('preview prints the path of an HTML file and closes nothing; compose closes once; deliver mails', async () => {
    const folder = await startedFolder();
    mkdirSync(join(folder.path, 'in'));
    for (const id of ['one', 'two', 'three', 'four']) writeFileSync(join(folder.path, `in/${id}.md`), storyFile(id));
    await folder.run(['import', 'in']);
    const shown = await folder.exec(['preview', 'daily-roundup']);
    expect(shown.code).toBe(0);
    const html = readFileSync(shown.stdout.trim(), 'utf8');
    expect(html).toContain('Headline of one');
    const composed = await folder.exec(['compose', 'daily-roundup']);
    expect(composed.stdout).toMatch(/was closed on/);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions).toHaveLength(1);
    expect((await folder.exec(['deliver'])).stdout).toMatch(/0 submitted/);
  });

  it('a retraction pauses what is queued and alerts, until it is resumed; what is cancelled never goes', async () => {
    const folder = newFolder('sample');
    await folder.run(['start', '--once', '--role', 'schedule']);
    const read = async (): Promise<Status> => JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    const slot = (await read()).editions[0]?.slot;
    const retract = async (id: string): Promise<void> => {
      writeFileSync(join(folder.path, `${id}.md`), storyFile(id, 'state: retracted\nnote: Wrong.\n'));
      await folder.run(['import', `${id}.md`]);
    };
    await retract('montana-bans-tiktok');
    const paused = await read();
    expect(paused.editions[0]).toMatchObject({ deliveryState: 'paused', deliveries: { pending: 7 } });
    expect(paused.alerts).toMatchObject([
      { message: expect.stringContaining(`editions resume daily-roundup/${slot}`) },
    ]);
    expect((await folder.run(['deliver'])).stdout).toBe('0 submitted\n');
    expect((await folder.run(['editions', 'resume', `daily-roundup/${slot}`])).code).toBe(0);
    await folder.run(['publish']);
    const resumed = await read();
    expect(resumed.alerts).toEqual([]);
    expect(resumed.editions[0]).toMatchObject({ deliveryState: 'delivering' });
    expect((await folder.run(['editions', 'cancel', `${slot}`, '--reason', 'wrong'])).stdout).toMatch(/7 pending/);
    expect((await folder.run(['deliver'])).stdout).toBe('0 submitted\n');
    expect((await read()).editions[0]).toMatchObject({
      deliveryState: 'cancelled',
      reason: 'wrong',
      deliveries: { suppressed: 7 },
    });
  });

  it('names the newsletters there are', async () => {
    const { code, stderr } = await newFolder('sample').run(['compose', 'weekly']);
    expect(code).toBe(1);
    expect(stderr).toBe('daywire: there is no newsletter weekly: the configuration has daily-roundup\n');
  });
});

describe.concurrent('daywire subscribers', () => {
  it('ends quietly where its reader has had enough, as in "| head -1"', async () => {
    const folder = newFolder('sample');
    const many = Array.from({ length: 3_000 }, (_, number) => `reader${number}@example.com\n`).join('');
    writeFileSync(join(folder.path, 'list.csv'), `email\n${many}`);
    await folder.run(['subscribers', 'import', 'list.csv']);
    const child = folder.spawn(['subscribers', 'list']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
    expect(stderr).toBe('');
  });
});

describe.concurrent('daywire check', () => {
  it('says what is good, warns where one-click unsubscribe cannot be, and exits 0', async () => {
    const { code, stdout } = await newFolder('sample').run(['check']);
    expect(stdout).toMatch(/warning .*publication\.url.*https/);
    expect(stdout).not.toMatch(/PROBLEM/);
    expect(code).toBe(0);
  });

  it('finds a broken template, with its line', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'templates'));
    writeFileSync(join(folder.path, 'templates/daily-roundup.mjml'), '<mjml>\n{% if edition.top %}\n</mjml>');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +templates: .*daily-roundup\.mjml.*line:2/);
  });

  it('finds a template that parses and cannot be rendered', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'templates'));
    writeFileSync(join(folder.path, 'templates/daily-roundup.mjml'), '<mjml><mj-body><mj-nothing/></mj-body></mjml>');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +newsletters daily-roundup: template daily-roundup: .*mj-nothing/);
  });

  it('names every key of a broken configuration', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'Asia/Shanghai', 'Nowhere');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM {2}?config\/daywire\.yaml:\d+: publication\.zone is "Nowhere": must be/);
  });

  it('finds a secret that is open to others, and a store that could not be made', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'var'));
    writeFileSync(join(folder.path, 'var/secret'), 's'.repeat(40), { mode: 0o644 });
    writeFileSync(join(folder.path, 'a-file'), '');
    editConfig(folder, 'store: var/daywire.db', 'store: a-file/daywire.db');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /PROBLEM +signing secret: .*var\/secret is open to other users \(mode 644\): run "chmod 600/,
    );
    expect(stdout).toMatch(/PROBLEM +paths\.store is .*a-file\/daywire\.db: its folder cannot be written/);
  });

  it('fails where the SMTP server cannot be reached, without showing the password', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'transport: file', 'transport: smtp');
    const { code, stdout } = await folder.run(['check'], {
      DAYWIRE_SMTP_URL: 'smtp://user:hunter2hunter2@127.0.0.1:1',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +delivery: /);
    expect(stdout).not.toMatch(/hunter2/);
  });
});

describe.concurrent('daywire status', () => {
  it('is one screen for people, and one object for programs', async () => {
    const folder = await startedFolder();
    const { code, stdout } = await folder.run(['status']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^The Meridian Wire, .*, var\/daywire\.db\n\narticles\n {2}1 corrected, 43 published, 1 retracted, 1 scheduled\n\nfeeds\n/,
    );
    expect(stdout).toMatch(/\neditions\n {2}daily-roundup \d{4}-\d\d-\d\d no\. 1: Tech Roundup: .* \(7 submitted\)\n/);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    // An embargo that has not ended is nothing to be done yet.
    expect(status.pendingChanges).toBe(0);
    expect(status.feeds).toHaveLength(30);
    for (const { path, bytes } of status.feeds) expect(bytes).toBe(statSync(join(folder.path, 'feeds', path)).size);
  });
});

describe.concurrent('daywire init', () => {
  it('makes a newsroom that works at once', async () => {
    const folder = newFolder('empty');
    const made = await folder.run(['init', '--name', 'The "Quoted" Times & Co', '--zone', 'America/New_York']);
    expect(made.stderr).toBe('');
    expect(made.code).toBe(0);
    expect(existsSync(join(folder.path, 'templates/daily-roundup.mjml'))).toBe(true);
    for (const id of ['one', 'two', 'three']) {
      writeFileSync(join(folder.path, `articles/${id}.md`), storyFile(id).replace('world', 'news'));
    }
    expect((await folder.run(['check'])).code).toBe(0);
    const started = await folder.run(['start', '--once']);
    expect(started.stderr).toBe('');
    expect(started.code).toBe(0);
    expect(started.stdout).toMatch(/3 added/);
    expect(started.stdout).not.toMatch(/sample articles/);
    expect((await folder.run(['compose', 'daily-roundup'])).stdout).toMatch(/number 1, closed, 0 deliveries/);
  });

  it('never writes over a file, and refuses an answer that the configuration refuses', async () => {
    const folder = newFolder('sample');
    const { code, stderr } = await folder.run(['init']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/exists already: nothing was written/);
    const empty = newFolder('empty');
    const wrong = await empty.run(['init', '--zone', 'Nowhere']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/publication\.zone is "Nowhere"/);
    expect(readdirSync(empty.path)).toEqual([]);
  });
});

describe.concurrent('the command line', () => {
  it('lists its commands', async () => {
    const { code, stdout } = await newFolder('empty').exec(['--help']);
    expect(code).toBe(0);
    for (const command of ['init', 'check', 'import', 'publish', 'compose', 'deliver', 'preview', 'status', 'start']) {
      expect(stdout).toContain(command);
    }
  });

  it.each([[['nonsense']], [['compose']], [['start', '--nope']], [[]]])('exits 2 on wrong usage: %j', async (args) => {
    const { code, stderr } = await newFolder('empty').exec(args);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
  });

  it('says what DAYWIRE_LOG may be', async () => {
    const { code, stderr } = await newFolder('sample').run(['publish'], { DAYWIRE_LOG: 'loud' });
    expect(code).toBe(1);
    expect(stderr).toBe('daywire: DAYWIRE_LOG is loud: it must be one of debug, info, warn, error, silent\n');
  });

  it('shows the stack trace only where it is asked for', async () => {
    const folder = newFolder('empty');
    const plain = await folder.exec(['publish']);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/^daywire: config\/daywire\.yaml: cannot be read/);
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    expect((await folder.run(['--debug', 'publish'])).stderr).toMatch(/\n\s+at /);
  });
});
