import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listLicences } from '../../scripts/licences.ts';
import { bundle } from '../../scripts/package/bundle.ts';

describe('listLicences', () => {
  it('refuses no package that an installation gets', { timeout: 60_000 }, async () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'));
    const { byLicence, refused } = listLicences(lock.packages, (await bundle(['sharp'])).packages);
    expect([...byLicence.values()].flat().length).toBeGreaterThan(100);
    expect(refused).toEqual([]);
  });

  it('refuses other licences, and packages without one, but not those of development that are not bundled', () => {
    const packages = {
      '': { license: 'GPL-3.0' },
      'node_modules/one': { license: 'GPL-3.0' },
      'node_modules/two': {},
      'node_modules/three': { license: '(MIT OR GPL-3.0)' },
      'node_modules/four': { license: 'MIT AND GPL-3.0' },
      'node_modules/five': { license: 'SSPL-1.0', dev: true },
      'node_modules/six': { license: 'MIT (https://licence.example)' },
      'node_modules/seven': { license: 'ISC', dev: true },
    };
    expect(listLicences(packages, ['node_modules/seven'])).toEqual({
      byLicence: new Map([
        ['(MIT OR GPL-3.0)', ['three']],
        ['GPL-3.0', ['one']],
        ['ISC', ['seven']],
        ['MIT (https://licence.example)', ['six']],
        ['MIT AND GPL-3.0', ['four']],
        ['none', ['two']],
      ]),
      refused: ['four: MIT AND GPL-3.0', 'one: GPL-3.0', 'two: none'],
    });
  });
});
