import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ownTemplateWarnings } from '../../../src/app/templates/own-templates.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it('a folder of templates that is a file is named with its key', () => {
  const file = join(temporaryFolder(), 'templates');
  writeFileSync(file, '');
  const message = `paths.templates is ${file}: must be a folder that can be read (ENOTDIR)`;
  expect(ownTemplateWarnings(file)).toEqual([message]);
  expect(openTemplates(file, 'UTC').problems()).toEqual([message]);
});
