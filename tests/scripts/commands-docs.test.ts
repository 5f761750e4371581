import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commandsDocs } from '../../scripts/commands-docs.ts';
import { ROOT } from '../support/sample.ts';

it('docs/commands.md is current: "npm run docs:commands" writes it', async () => {
  expect(await commandsDocs()).toBe(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8'));
});
