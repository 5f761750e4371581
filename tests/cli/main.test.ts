import { describe, expect, it } from 'vitest';
import { newFolder } from '../support/command.ts';

describe.concurrent('the command line', () => {
  it('lists its commands', async () => {
    const { code, stdout } = await newFolder('empty').exec(['--help']);
    expect(code).toBe(0);
    const listed = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, command]) => command);
    expect(listed).toEqual([
      ...[
        'init',
        'check',
        'domain',
        'locales',
        'templates',
        'start',
        'status',
        'import',
        'articles',
        'rejected',
        'sources',
        'publish',
        'feeds',
        'roundup',
        'compose',
        'editions',
        'alert',
      ],
      ...['deliver', 'queue', 'bounce', 'subscribers', 'accounts', 'migrate', 'backup', 'restore', 'secret', 'help'],
    ]);
  });

  it.each([
    [['nonsense']],
    [['compose']],
    [['start', '--nope']],
    [['editions']],
    [['editions', 'settle', 'daily-roundup/2026-11-24', 'ada@example.com']],
    [['editions', 'settle', 'daily-roundup/2026-11-24', 'ada@example.com', '--as', 'again']],
    [['editions', 'list', '--limit', '0']],
    [['editions', 'preview', 'daily-roundup', '--text', '--json']],
    [[]],
  ])('exits 2 on wrong usage: %j', async (args) => {
    const { code, stderr } = await newFolder('empty').run(args);
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
  });

  it('lists the levels that DAYWIRE_LOG allows', async () => {
    const { code, stderr } = await newFolder('sample').run(['publish'], { DAYWIRE_LOG: 'loud' });
    expect(code).toBe(78);
    expect(stderr).toBe('daywire: DAYWIRE_LOG is loud: it must be one of debug, info, warn, error, silent\n');
  });

  it('shows the stack trace only with --debug', async () => {
    const folder = newFolder('empty');
    const plain = await folder.run(['publish']);
    // EX_CONFIG: the units of systemd do not try again.
    expect(plain.code).toBe(78);
    expect(plain.stderr).toMatch(/^daywire: config\/daywire\.yaml: cannot be read/);
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    expect((await folder.run(['--debug', 'publish'])).stderr).toMatch(/\n\s+at /);
  });
});
