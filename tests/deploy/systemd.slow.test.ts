import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROLES } from '../../src/app/start.ts';
import { SECRETS } from '../../src/core/config/secrets.ts';
import { LAST_REPLY_LIMIT } from '../../src/delivery/transport/connection.ts';
import { MINUTE } from '../../src/lib/time.ts';

const shipped = resolve(import.meta.dirname, '../../deploy/systemd');
const PROGRAM = '/opt/daywire/node_modules/.bin/daywire';
const SERVICES = [
  'daywire.service',
  'daywire@.service',
  'daywire-backup.service',
  'daywire-rehearsal.service',
] as const;
/** The highest exposure that "systemd-analyze security" may find, in tenths. */
const EXPOSURE_LIMIT = 25;

const read = (name: string): string => readFileSync(join(shipped, name), 'utf8');

/** The values of a key, in their order. */
const valuesOf = (text: string, key: string): string[] =>
  text.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));

/** The lines of a unit that give or take rights, without those of the paths that it writes. */
const rightsOf = (name: string): string[] =>
  read(name)
    .split('# Rights.')[1]
    ?.split('[Install]')[0]
    ?.split('\n')
    .filter((line) => /^\w/.test(line) && !/^(?:ReadWritePaths|StateDirectory\w*)=/.test(line)) ?? [];

const isInstalled = spawnSync('systemd-analyze', ['--version'], { stdio: 'ignore' }).error === undefined;

describe.skipIf(!isInstalled)('the systemd units, as systemd reads them (skipped where it is not installed)', () => {
  const root = mkdtempSync(join(tmpdir(), 'daywire-systemd-'));
  const units = join(root, 'etc/systemd/system');
  // The program that the units name is not installed here.
  const install = (name: string, text: string): void =>
    writeFileSync(join(units, name), text.replaceAll(PROGRAM, '/bin/sh'));

  beforeAll(() => {
    mkdirSync(units, { recursive: true });
    for (const name of readdirSync(shipped)) if (/\.(?:service|timer)$/.test(name)) install(name, read(name));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const verify = (...names: string[]): string => {
    const run = spawnSync('systemd-analyze', ['verify', '--man=no', ...names.map((name) => join(units, name))], {
      encoding: 'utf8',
    });
    return `${run.stderr}exit code ${run.status}`;
  };
  const secure = (...options: string[]): { status: number | null; output: string } => {
    const run = spawnSync(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', `--root=${root}`, ...options],
      { encoding: 'utf8' },
    );
    return { status: run.status, output: run.stdout + run.stderr };
  };

  it('are valid, and each instance of daywire@ is one of the roles', () => {
    const roles = ROLES.map((role) => `daywire@${role}.service`);
    const timed = ['backup', 'rehearsal'].flatMap((name) => [`daywire-${name}.service`, `daywire-${name}.timer`]);
    expect(verify('daywire.service', ...roles, ...timed)).toBe('exit code 0');
  });

  it('have an exposure of at most 2.5', () => {
    const page = readFileSync(join(shipped, '../../docs/deploying.md'), 'utf8');
    for (const name of SERVICES) {
      const { status, output } = secure(`--threshold=${EXPOSURE_LIMIT}`, name);
      expect(status, output).toBe(0);
      const [, exposure] = /Overall exposure level for .*: (\d\.\d) OK/.exec(output) ?? [];
      expect(page).toContain(`gives an exposure of ${exposure} `);
    }
    install('open.service', read('daywire.service').replace(/# Rights.*\[Install\]/s, '[Install]'));
    expect(secure(`--threshold=${EXPOSURE_LIMIT}`, 'open.service').status).toBe(1);
  });

  it('rehearse the newest backup, and say where there is none', () => {
    const [, command = ''] = /^ExecStart=\/bin\/sh -c '(.*?)'$/ms.exec(read('daywire-rehearsal.service')) ?? [];
    const folder = mkdtempSync(join(root, 'backups-'));
    writeFileSync(join(folder, 'daywire'), '#!/bin/sh\necho "$@"', { mode: 0o755 });
    const run = () =>
      spawnSync('/bin/sh', ['-c', command.replaceAll('\\\n', ' ')], {
        env: { PATH: `${folder}:/usr/bin:/bin`, STATE_DIRECTORY: folder },
        encoding: 'utf8',
      });
    expect(run()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringMatching(/there is no backup/) });
    for (const [name, age] of [
      ['daywire-2.db', 0],
      ['daywire-1.db', 9],
      ['other.db', -9],
    ] as const) {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), 1000 - age, 1000 - age);
    }
    expect(run()).toMatchObject({ status: 0, stdout: `restore --rehearse ${folder}/daywire-2.db\n` });
  });

  it('have a user that systemd-sysusers can create, and who owns the folders of the newsroom', () => {
    execFileSync('systemd-sysusers', [`--root=${root}`, join(shipped, 'daywire.sysusers.conf')], { stdio: 'pipe' });
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^daywire:x:\d+:\d+:daywire:\/srv\/daywire:/m);
    const group = join(root, 'etc/group');
    writeFileSync(group, `${readFileSync(group, 'utf8')}www-data:x:33:\n`);
    const run = spawnSync(
      'systemd-tmpfiles',
      ['--create', '--dry-run', `--root=${root}`, join(shipped, 'daywire.tmpfiles.conf')],
      { encoding: 'utf8' },
    );
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain('/srv/daywire/feeds');
  });
});

describe('the systemd units', () => {
  it('have the same rights', () => {
    const [one, ...others] = SERVICES.map(rightsOf);
    expect(one?.length).toBeGreaterThan(25);
    for (const other of others) expect(other).toEqual(one);
  });

  it('write only where daywire.tmpfiles.conf makes folders for the user daywire', () => {
    const folders = read('daywire.tmpfiles.conf')
      .split('\n')
      .filter((line) => line.startsWith('d '))
      .map((line) => line.split(/\s+/));
    const writable = folders.filter(([, , , user]) => user === 'daywire').map(([, path]) => path);
    expect(writable).toHaveLength(3);
    const written = SERVICES.map((name) => valuesOf(read(name), 'ReadWritePaths').flatMap((value) => value.split(' ')));
    expect(written[0]).toEqual(writable);
    expect(written[1]).toEqual(writable);
    for (const other of written.slice(2)) expect(other).toEqual(['/srv/daywire/var']);
    expect(writable).toContain('/srv/daywire/var');
    const feeds = folders.find(([, path]) => path === '/srv/daywire/feeds');
    expect(feeds).toEqual(['d', '/srv/daywire/feeds', '2750', 'daywire', 'www-data']);
    expect(readFileSync(join(shipped, '../nginx.conf'), 'utf8')).toContain('root /srv/daywire;');
  });

  it('are not started again after wrong usage or a wrong configuration', () => {
    for (const name of ['daywire.service', 'daywire@.service']) {
      expect(valuesOf(read(name), 'RestartPreventExitStatus')).toEqual(['2 78']);
    }
  });

  it('wait for the slowest submission, and name secrets that daywire knows', () => {
    const known = Object.values(SECRETS).map(({ name }) => `${name}_FILE`);
    const named = [...read('environment').matchAll(/^#?(DAYWIRE_\w+)=(.*)$/gm)];
    expect(named.length).toBeGreaterThan(4);
    for (const [, name, path] of named) {
      expect(known).toContain(name);
      expect(path).toMatch(/^\/etc\/daywire\/secrets\/[a-z-]+$/);
    }
    for (const name of ['daywire.service', 'daywire@.service']) {
      // Later, another process submits a message again that this one was submitting.
      expect(valuesOf(read(name), 'TimeoutStopSec')).toEqual([`${LAST_REPLY_LIMIT / MINUTE + 2}min`]);
    }
  });

  it('run as the command of operators does', () => {
    const script = read('daywire.sh');
    execFileSync('sh', ['-n', join(shipped, 'daywire.sh')]);
    const unit = read('daywire.service');
    expect(script).toContain(`cd ${valuesOf(unit, 'WorkingDirectory')[0]}\n`);
    expect(script).toContain(valuesOf(unit, 'Environment').find((value) => value.startsWith('PATH=')));
    expect(script).toContain(`umask ${valuesOf(unit, 'UMask')[0]?.slice(1)}\n`);
    // Required by both, without "-": otherwise a lost file would mean an empty SQLite store instead of PostgreSQL.
    for (const name of SERVICES) expect(valuesOf(read(name), 'EnvironmentFile')).toEqual(['/etc/daywire/environment']);
    expect(script).toMatch(/^\. \/etc\/daywire\/environment$/m);
    expect(script).toContain(`--reuid=${valuesOf(unit, 'User')[0]} --regid=${valuesOf(unit, 'Group')[0]} `);
    expect(script).toContain(`${valuesOf(unit, 'ExecStart')[0]?.split(' ')[0]} "$@"`);
  });
});
