import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../scripts/readme-commands.ts';
import { ROOT } from '../support/sample.ts';

describe('the commands of the README', () => {
  it('are those of the section, without comments', () => {
    const readme =
      '# A\n\n## Install\n\nText.\n\n```sh\na --b "#1"   # why\n# all of it\n\nc\n```\n\n## Other\n\n```sh\nd\n```\n';
    expect(commandsOf(readme, 'Install')).toEqual(['a --b "#1"', 'c']);
    expect(commandsOf(readme, 'Other')).toEqual(['d']);
  });

  it('must exist', () => {
    const readme = '# A\n\n## Install\n\nText.\n\n## Other\n\n```sh\nd\n```\n';
    expect(() => commandsOf(readme, 'Install')).toThrow('no shell commands under "## Install"');
    expect(() => commandsOf(readme, 'Missing')).toThrow('no shell commands under "## Missing"');
  });

  it('lead from the package to a running server in ten lines', () => {
    const commands = commandsOf(readFileSync(join(ROOT, 'README.md'), 'utf8'), 'Install');
    expect(commands.length).toBeLessThanOrEqual(10);
    expect(commands.at(-1)).toBe('npx daywire start');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(commands).toContain(`npm install ../daywire-${version}.tgz`);
  });
});
