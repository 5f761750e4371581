import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../src/status.ts';
import { newFolder, printed } from './command.ts';
import { newPostgresUrl } from './databases.ts';

const article = (id: string, more = ''): string =>
  `---\nid: ${id}\nheadline: Headline of ${id}\nsection: world\ndek: A dek.\n${more}---\n\nA paragraph of ${id}.\n`;

describe('daywire start --once', () => {
  it('fills, publishes, composes and delivers the sample newsroom, and says so in about ten lines', async () => {
    const folder = newFolder('sample');
    const { code, stdout, stderr } = await folder.run(['start', '--once']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(12);
    expect(stdout).toMatch(/the store was empty: \d+ sample stories/);
    expect(stdout).toMatch(/daily-roundup \d{4}-\d\d-\d\d, number 1, closed, 7 deliveries queued/);
    expect(stdout).toMatch(/7 submitted/);
    const feeds = readdirSync(join(folder.path, 'feeds'));
    expect(feeds).toEqual(
      expect.arrayContaining(['latest.rss', 'latest.atom', 'latest.json', 'feeds.opml', 'index.html']),
    );
    const roundups = JSON.parse(readFileSync(join(folder.path, 'feeds/roundups.json'), 'utf8')) as { items: object[] };
    expect(roundups.items).toHaveLength(1);
    expect(statSync(join(folder.path, 'var/secret')).mode & 0o777).toBe(0o600);
  });

  it('does nothing twice', async () => {
    const folder = newFolder('sample');
    await folder.run(['start', '--once']);
    const { code, stdout } = await folder.run(['start', '--once']);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/sample stories/);
    expect(stdout).toMatch(/0 submitted/);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions).toHaveLength(1);
    expect(status.editions[0]?.deliveries).toEqual({ submitted: 7 });
  });

  it('works on PostgreSQL, where the signing secret must be given', async () => {
    const folder = newFolder('sample');
    const env = { DAYWIRE_DATABASE_URL: await newPostgresUrl('empty') };
    const without = await folder.run(['start', '--once'], env);
    expect(without.code).toBe(1);
    expect(without.stderr).toMatch(/set DAYWIRE_SECRET/);
    const { code, stdout, stderr } = await folder.run(['start', '--once'], { ...env, DAYWIRE_SECRET: 's'.repeat(40) });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/7 submitted/);
    expect(existsSync(join(folder.path, 'var/daywire.db'))).toBe(false);
  });

  it('exits 1 where the mail server cannot be reached, and keeps the deliveries', async () => {
    const folder = newFolder('sample');
    useSmtp(folder.path, 'smtp://127.0.0.1:1');
    const { code, stdout } = await folder.run(['start', '--once']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/0 submitted.*stopped: /);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions[0]?.deliveries).toEqual({ pending: 7 });
    expect(status.alerts.map((alert) => alert.cause)).toEqual(['delivery']);
  });
});

describe('daywire start', () => {
  it('serves, publishes a change from another process within two seconds, and drains on SIGTERM', async () => {
    const folder = newFolder('sample');
    usePort(folder.path, 0);
    const child = folder.spawn(['start']);
    const url = await printed(child, /(http:\/\/127\.0\.0\.1:\d+\/) \(Ctrl-C/);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    const before = await (await fetch(`${url}feeds/latest.json`)).text();
    expect(before).not.toContain('Headline of breaking');

    // Straight into the store, as another process would write it: nothing tells the server but the store itself.
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/breaking.md'), article('breaking'));
    const imported = await folder.run(['import', 'in']);
    expect(imported.code).toBe(0);
    const after = await (await fetch(`${url}feeds/latest.json`)).text();
    expect(after).toContain('Headline of breaking');
    expect(readFileSync(join(folder.path, 'feeds/latest.rss'), 'utf8')).toContain('Headline of breaking');

    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('names the port that is taken and the key to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const folder = newFolder('sample');
    usePort(folder.path, port);
    const { code, stderr } = await folder.run(['start']);
    taken.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`127\\.0\\.0\\.1:${port} is taken by another process.*server\\.port`));
  });
});

describe('daywire import', () => {
  it('stores what is good, names file and line of what is not, and exits 1', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), article('good'));
    writeFileSync(join(folder.path, 'in/bad.md'), article('bad', 'sektion: world\n'));
    const { code, stdout, stderr } = await folder.run(['import', 'in']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: in\/bad\.md:\d+: .*sektion/m);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toMatch(/1 added, 0 updated, 0 unchanged, 1 set aside/);
    expect(readFileSync(join(folder.path, 'feeds/world.json'), 'utf8')).toContain('Headline of good');
    const status = (await folder.run(['status'])).stdout;
    expect(status).toMatch(/set aside\n {2}import: in\/bad\.md/);
  });

  it('says that a path does not exist', async () => {
    const { code, stderr } = await newFolder('sample').run(['import', 'nowhere.md']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere\.md/);
  });
});

describe('daywire compose, preview and deliver', () => {
  it('preview prints the path of an HTML file and closes nothing; compose closes once; deliver mails', async () => {
    const folder = newFolder('sample');
    await folder.run(['start', '--once']);
    mkdirSync(join(folder.path, 'in'));
    for (const id of ['one', 'two', 'three', 'four']) writeFileSync(join(folder.path, `in/${id}.md`), article(id));
    await folder.run(['import', 'in']);
    const shown = await folder.run(['preview', 'daily-roundup']);
    expect(shown.code).toBe(0);
    const html = readFileSync(shown.stdout.trim(), 'utf8');
    expect(html).toContain('Headline of one');
    const composed = await folder.run(['compose', 'daily-roundup']);
    expect(composed.stdout).toMatch(/was closed on/);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions).toHaveLength(1);
    expect((await folder.run(['deliver'])).stdout).toMatch(/0 submitted/);
  });

  it('names the newsletters there are', async () => {
    const { code, stderr } = await newFolder('sample').run(['compose', 'weekly']);
    expect(code).toBe(1);
    expect(stderr).toBe('daywire: there is no newsletter weekly: the configuration has daily-roundup\n');
  });
});

describe('daywire subscribers', () => {
  it('adds, lists and removes', async () => {
    const folder = newFolder('sample');
    const added = await folder.run(['subscribers', 'add', 'reader@example.com', '--zone', 'Europe/Berlin']);
    expect(added.stdout).toBe('reader@example.com: daily-roundup added\n');
    expect((await folder.run(['subscribers', 'list'])).stdout).toBe(
      'reader@example.com\tdaily-roundup confirmed\tEurope/Berlin\n',
    );
    expect((await folder.run(['subscribers', 'remove', 'reader@example.com'])).stdout).toMatch(
      /unsubscribed from daily/,
    );
    const refused = await folder.run(['subscribers', 'add', 'no-address']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/no-address/);
  });
});

describe('daywire check', () => {
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
    const file = join(folder.path, 'config/daywire.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('Asia/Shanghai', 'Nowhere'));
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM {2}?config\/daywire\.yaml:\d+: publication\.zone is "Nowhere": must be/);
  });

  it('fails where the SMTP server cannot be reached, without showing the password', async () => {
    const folder = newFolder('sample');
    useSmtp(folder.path, null);
    const { code, stdout } = await folder.run(['check'], {
      DAYWIRE_SMTP_URL: 'smtp://user:hunter2hunter2@127.0.0.1:1',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +delivery: /);
    expect(stdout).not.toMatch(/hunter2/);
  });
});

describe('daywire init', () => {
  it('makes a newsroom that works at once', async () => {
    const folder = newFolder('empty');
    const made = await folder.run(['init', '--name', 'The "Quoted" Times & Co', '--zone', 'America/New_York']);
    expect(made.stderr).toBe('');
    expect(made.code).toBe(0);
    expect(existsSync(join(folder.path, 'templates/daily-roundup.mjml'))).toBe(true);
    for (const id of ['one', 'two', 'three']) {
      writeFileSync(join(folder.path, `articles/${id}.md`), article(id).replace('world', 'news'));
    }
    expect((await folder.run(['check'])).code).toBe(0);
    const started = await folder.run(['start', '--once']);
    expect(started.stderr).toBe('');
    expect(started.code).toBe(0);
    expect(started.stdout).toMatch(/3 added/);
    expect(started.stdout).not.toMatch(/sample stories/);
    expect((await folder.run(['compose', 'daily-roundup'])).stdout).toMatch(/number 1, closed, 0 deliveries/);
  });

  it('never writes over a file, and refuses an answer that the configuration refuses', async () => {
    const folder = newFolder('sample');
    const { code, stderr } = await folder.run(['init']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/is there already: nothing was written/);
    const empty = newFolder('empty');
    const wrong = await empty.run(['init', '--zone', 'Nowhere']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/publication\.zone is "Nowhere"/);
    expect(readdirSync(empty.path)).toEqual([]);
  });
});

describe('the command line', () => {
  it('lists its commands', async () => {
    const { code, stdout } = await newFolder('empty').run(['--help']);
    expect(code).toBe(0);
    for (const command of ['init', 'check', 'import', 'publish', 'compose', 'deliver', 'preview', 'status', 'start']) {
      expect(stdout).toContain(command);
    }
  });

  it.each([[['nonsense']], [['compose']], [['start', '--nope']], [[]]])('exits 2 on wrong usage: %j', async (args) => {
    const { code, stderr } = await newFolder('empty').run(args);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
  });

  it('shows the stack trace only where it is asked for', async () => {
    const folder = newFolder('empty');
    const plain = await folder.run(['publish']);
    expect(plain.code).toBe(1);
    expect(plain.stderr).toMatch(/^daywire: config\/daywire\.yaml: cannot be read/);
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    expect((await folder.run(['--debug', 'publish'])).stderr).toMatch(/\n\s+at /);
  });
});

function usePort(folder: string, port: number): void {
  const file = join(folder, 'config/daywire.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('port: 8080', `port: ${port}`));
}

function useSmtp(folder: string, url: string | null): void {
  const file = join(folder, 'config/daywire.yaml');
  const lines = url === null ? 'transport: smtp' : `transport: smtp\n  smtpUrl: ${url}`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('transport: file', lines));
}
