import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../scripts/page-commands.ts';
import { ROOT } from '../support/sample.ts';

describe('the commands of a page', () => {
  it('are those of its first block, without comments', () => {
    expect(commandsOf('# A\n\n```sh\na --b "#1"   # why\n# all of it\n\nc\n```\n\n```sh\nd\n```\n')).toEqual([
      'a --b "#1"',
      'c',
    ]);
  });

  it('must exist', () => {
    expect(() => commandsOf('# A\n\nText.\n')).toThrow('the page has no shell commands');
  });

  it('lead from the package to a running server in ten lines', () => {
    const commands = commandsOf(readFileSync(join(ROOT, 'docs/installing.md'), 'utf8'));
    expect(commands.length).toBeLessThanOrEqual(10);
    expect(commands.at(-1)).toBe('npx daywire start');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(commands).toContain(`npm install ../daywire-${version}.tgz`);
  });
});
