import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Status } from '../../../src/app/status.ts';
import { articleFile } from '../../support/articles.ts';
import { editConfig, type Folder, keepOneFeed, newFolder, printed, startedFolder } from '../../support/command.ts';
import { newPostgresUrl } from '../../support/databases.ts';

describe.concurrent('daywire start --once', () => {
  it('loads, publishes, composes and delivers the sample, and summarises it in about ten lines', async () => {
    const folder = newFolder('sample');
    const { code, stdout, stderr } = await folder.exec(['start', '--once']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').length).toBeLessThanOrEqual(12);
    expect(stdout).toMatch(/the store was empty: loaded \d+ sample articles/);
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

  it('does nothing twice, and prints its summary as JSON', async () => {
    const folder = await startedFolder();
    const { code, stdout } = await folder.run(['start', '--once', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ sample: null, edition: null, delivered: { submitted: 0, failed: 0 } });
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions).toHaveLength(1);
    expect(status.editions[0]?.deliveries).toEqual({ submitted: 7 });
  });

  it('first prints what is wrong, without log lines between, and goes on', async () => {
    const folder = newFolder('empty');
    await folder.run(['init']);
    editConfig(folder, 'watch: [articles]', 'watch: [nowhere]');
    const { code, stdout, stderr } = await folder.run(['start', '--once']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}problem +import\.watch is .*nowhere: there is no such file or folder\n/);
    expect(stdout).toMatch(/\n {2}warning +publication\.postalAddress is .*\n/);
    expect(stdout).toMatch(/\n {2}warning +newsletters daily-roundup: nobody is subscribed/);
    expect(stderr).toBe('');
    const logged = await folder.run(['start', '--once'], { DAYWIRE_LOG: 'warn' });
    expect(logged.stderr).toMatch(/"problem":"import\.watch is .*nowhere: .*","msg":"check before the start"/);
    const json = JSON.parse((await folder.run(['start', '--once', '--json'])).stdout) as { checks: object[] };
    expect(json.checks).toContainEqual({ kind: 'problem', message: expect.stringMatching(/^import\.watch/) });
  });

  it('works on PostgreSQL, which requires DAYWIRE_SECRET', async () => {
    const folder = newFolder('sample');
    keepOneFeed(folder);
    const env = { DAYWIRE_DATABASE_URL: await newPostgresUrl('empty') };
    const without = await folder.run(['start', '--once'], env);
    expect(without.code).toBe(78);
    expect(without.stderr).toMatch(/set DAYWIRE_SECRET/);
    const { code, stdout, stderr } = await folder.run(['start', '--once'], { ...env, DAYWIRE_SECRET: 's'.repeat(40) });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(/7 submitted/);
    expect(existsSync(join(folder.path, 'var/daywire.db'))).toBe(false);
  });

  it('exits 1 when the mail server cannot be reached, and keeps the deliveries pending', async () => {
    const folder = newFolder('sample');
    keepOneFeed(folder);
    editConfig(folder, 'transport: file', 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1');
    const { code, stdout } = await folder.run(['start', '--once']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/0 submitted.*stopped: /);
    const status = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect(status.editions[0]?.deliveries).toEqual({ pending: 7 });
    // A refused connection is an alert at once.
    expect(status.alerts).toMatchObject([{ kind: 'delivery' }]);
  });
});

describe('daywire start', () => {
  it('serves what another process publishes, and drains on SIGTERM', async () => {
    const { folder, child, url } = await running();
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    expect(await latest(url)).not.toContain('Headline of breaking');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/breaking.md'), articleFile('breaking'));
    expect((await folder.run(['import', '--undated', 'now', 'in'])).code).toBe(0);
    expect(await latest(url)).toContain('Headline of breaking');
    expect(readFileSync(join(folder.path, 'feeds/latest.rss'), 'utf8')).toContain('Headline of breaking');
    // A terminal that closes, or a tool that rotates logs, does not end it.
    child.kill('SIGHUP');
    await printed(child, /SIGHUP is ignored/);
    expect((await fetch(`${url}healthz`)).status).toBe(200);
    expect(await ended(child, 'SIGTERM')).toEqual([0, null]);
  });

  it('ends at once on a second signal', async () => {
    const { child, url } = await running();
    // An unfinished request, for which the first signal waits.
    const { hostname, port } = new URL(url);
    const open = connect(Number(port), hostname);
    open.on('error', () => {});
    await new Promise((resolve) => open.write('GET / HTTP/1.1\r\nHost: x\r\n', resolve));
    await vi.waitUntil(async () => (await fetch(`${url}readyz`)).ok, { timeout: 20_000 });
    child.kill('SIGTERM');
    await printed(child, /stopping/);
    expect(await ended(child, 'SIGTERM')).toEqual([null, 'SIGTERM']);
    open.destroy();
  });

  it('logs an unhandled rejection with its stack, stops, and exits 1', async () => {
    const code = 'process.on("SIGUSR2", () => void Promise.reject(new Error("nobody waited for this")))';
    const { child } = await running({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` });
    const logged = printed(child, /\{.*"msg":"stopping: unhandled rejection"\}/);
    expect(await ended(child, 'SIGUSR2')).toEqual([1, null]);
    expect(JSON.parse(await logged)).toMatchObject({
      level: 50,
      error: expect.stringMatching(/^Error: nobody waited for this\n +at /),
    });
  });

  it('logs no address, no token and no secret', async () => {
    const secrets = { DAYWIRE_SECRET: 'k'.repeat(40), DAYWIRE_SECRET_PREVIOUS_FILE: 'var/secret' };
    const { folder, child, url } = await running({ DAYWIRE_LOG: 'debug', ...secrets });
    let log = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    await folder.run(['subscribers', 'add', 'reader@example.com'], secrets);
    const mail = join(folder.path, 'var/mail/daily-roundup');
    const [slot = ''] = readdirSync(mail);
    const [first = ''] = readdirSync(join(mail, slot));
    const token = /unsubscribe\/([\w.~-]+)>/.exec(
      readFileSync(join(mail, slot, first), 'utf8').replace(/\r\n /g, ''),
    )?.[1];
    expect(token).toMatch(/.{20}/);
    const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' });
    await fetch(`${url}unsubscribe/${token}`, { method: 'POST', body });
    await fetch(`${url}unsubscribe/${token}x`, { method: 'POST', body });
    await ended(child, 'SIGTERM');
    expect(log).toMatch(/stopping/);
    expect(log).not.toMatch(/@example\.com/);
    expect(log).not.toContain(token);
    expect(log).not.toContain('kkkk');
    expect(log).not.toContain(readFileSync(join(folder.path, 'var/secret'), 'utf8').trim());
  });
});

describe.concurrent('daywire start --role', () => {
  it.for(['sqlite', 'postgres'])(
    'shares the first start among processes, also when one is killed (%s)',
    async (dialect) => {
      const folder = newFolder('sample');
      keepOneFeed(folder);
      editConfig(folder, 'port: 8080', 'port: 0');
      const env: NodeJS.ProcessEnv = { DAYWIRE_SECRET: 's'.repeat(40) };
      if (dialect === 'postgres') env.DAYWIRE_DATABASE_URL = await newPostgresUrl('empty');
      const start = (...roles: string[]): ChildProcess => folder.spawn(['start', '--role', ...roles], env);
      const deliverer = start('deliver', 'web');
      const web = printed(deliverer, /(http:\/\/127\.0\.0\.1:\d+\/) \(Ctrl-C/);
      const [killed, scheduler] = [start('schedule'), start('schedule')];
      // One of them is publishing the sample's feeds, or composing its edition.
      await vi.waitUntil(() => existsSync(join(folder.path, 'feeds')), { timeout: 100_000, interval: 10 });
      killed.kill('SIGKILL');
      const mail = join(folder.path, 'var/mail/daily-roundup');
      const mailed = (): string[] =>
        existsSync(mail) ? readdirSync(mail).flatMap((slot) => readdirSync(join(mail, slot))) : [];
      await vi.waitUntil(() => mailed().length === 7, { timeout: 100_000 });
      const url = await web;
      await vi.waitUntil(async () => (await latest(url)).includes('"items"'), { timeout: 20_000 });
      for (const child of [deliverer, scheduler]) expect(await ended(child, 'SIGTERM')).toEqual([0, null]);
      const status = JSON.parse((await folder.run(['status', '--json'], env)).stdout) as Status;
      expect(status.editions).toMatchObject([{ number: 1, deliveries: { submitted: 7 } }]);
      expect(status.subscribers).toEqual([
        { newsletter: 'daily-roundup', state: 'confirmed', count: 7 },
        { newsletter: 'weekly-roundup', state: 'confirmed', count: 3 },
      ]);
      expect(mailed()).toHaveLength(7);
    },
  );

  it('web prints the addresses of pages and metrics, and neither loads the sample nor mails', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'port: 8080', 'port: 0');
    const child = folder.spawn(['start', '--role', 'web']);
    const metrics = printed(child, /\n {2}metrics +(http:\/\/127\.0\.0\.1:\d+\/metrics)\n/);
    const url = await printed(child, /(http:\/\/127\.0\.0\.1:\d+\/) \(Ctrl-C/);
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(await metrics)).status).toBe(200);
    expect((await fetch(`${url}feeds/latest.json`)).status).toBe(503);
    expect(await ended(child, 'SIGTERM')).toEqual([0, null]);
    const { articles, editions } = JSON.parse((await folder.run(['status', '--json'])).stdout) as Status;
    expect({ articles, editions }).toEqual({ articles: {}, editions: [] });
  });

  it('deliver submits what another process has closed, and composes nothing', async () => {
    const folder = newFolder('sample');
    keepOneFeed(folder);
    expect((await folder.run(['start', '--once', '--role', 'schedule'])).stdout).not.toMatch(/submitted/);
    const { code, stdout } = await folder.run(['start', '--once', '--role', 'deliver']);
    expect(stdout).toMatch(/7 submitted/);
    expect(stdout).not.toMatch(/edition|feeds in/);
    expect(code).toBe(0);
  });

  it('lists the roles when it is given another one', async () => {
    const { code, stderr } = await newFolder('sample').run(['start', '--role', 'mail']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/'mail' is invalid.*web, desk, schedule, deliver/);
  });
});

describe.concurrent('the process of daywire start', () => {
  const print =
    '--import=data:text/javascript,console.log(' +
    'process.pid,process.env.MALLOC_ARENA_MAX,process.env.MALLOC_MMAP_THRESHOLD_,process.execArgv.join())';
  /** For each time that the process has begun: its id, two settings of glibc, and its flags. */
  const beginnings = async (nodeOptions: string, command = ['start']): Promise<string[][]> => {
    const env = { NODE_OPTIONS: nodeOptions };
    const { code, stdout } = await newFolder('empty').exec([...command, '--help'], env);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`Usage: daywire ${command.join(' ')}`)]);
    return (stdout.match(/^\d+ .*$/gm) ?? []).map((line) => line.split(' '));
  };

  it.each([
    [['start'], 4, '32768'],
    [['import'], 8, '65536'],
    [['subscribers', 'import'], 8, '32768'],
  ])(
    'begins again with settings for less memory, under the same process id: %j',
    async (command, semiSpace, mmapThreshold) => {
      const [first, second, ...more] = await beginnings(print, command);
      const [pid] = first ?? [];
      expect([first, second, more]).toEqual([
        [pid, 'undefined', 'undefined', ''],
        [pid, '1', mmapThreshold, `--max-semi-space-size=${semiSpace},--heap-growing-percent=40`],
        [],
      ]);
    },
  );

  it.each([
    ['an operator has set the flag', '--max-semi-space-size=4'],
    ['an operator has spelled the flag in another way', '--max_semi_space_size=4'],
    ['it may not start programs', '--permission --allow-fs-read=* --allow-worker'],
  ])('does not begin again where %s', async (_, nodeOptions) => {
    expect(await beginnings(`${nodeOptions} ${print}`)).toHaveLength(1);
  });
});

/** A running process of the sample. */
async function running(
  env?: NodeJS.ProcessEnv,
  hub = 'hub: self',
): Promise<{ folder: Folder; child: ChildProcess; url: string }> {
  const folder = await startedFolder();
  editConfig(folder, 'port: 8080', 'port: 0');
  editConfig(folder, 'hub: self', hub);
  const child = folder.spawn(['start'], env);
  return { folder, child, url: await printed(child, /(http:\/\/127\.0\.0\.1:\d+\/) \(Ctrl-C/) };
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<[code: number | null, signal: string | null]> {
  child.kill(signal);
  return new Promise((resolve) => child.once('exit', (code, by) => resolve([code, by])));
}

async function latest(url: string): Promise<string> {
  return (await fetch(`${url}feeds/latest.json`)).text();
}
