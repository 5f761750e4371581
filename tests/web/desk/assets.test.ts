import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BUILT_IN_TEMPLATES } from '../../../src/lib/templates.ts';

it('the scripts of the desk have at most 25 KB, and its stylesheet at most 20 KB', () => {
  const size = (name: string): number => statSync(join(BUILT_IN_TEMPLATES, 'desk', name)).size;
  expect(size('desk.js')).toBeGreaterThan(0);
  expect(size('desk.js') + size('unsaved.js')).toBeLessThanOrEqual(25 * 1024);
  expect(size('desk.css')).toBeLessThanOrEqual(20 * 1024);
});
