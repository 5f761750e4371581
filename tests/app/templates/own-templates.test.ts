import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { needsTemplateCheck, ownTemplateWarnings } from '../../../src/app/templates/own-templates.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Whether templates are checked at the start, with a folder that `prepare` fills. */
function isChecked(prepare: (folder: string) => void, template?: string): boolean {
  const { paths, newsletters } = sampleConfig();
  const templates = join(temporaryFolder(), 'templates');
  prepare(templates);
  const named = newsletters.map((newsletter) => (template === undefined ? newsletter : { ...newsletter, template }));
  return needsTemplateCheck({ paths: { ...paths, templates }, newsletters: named });
}

it('templates are not checked at the start where none differs from those that daywire ships', () => {
  expect(isChecked(() => {})).toBe(false);
  expect(
    isChecked((folder) => mkdirSync(folder)),
    'an empty folder',
  ).toBe(false);
  expect(
    isChecked((folder) => cpSync(BUILT_IN_TEMPLATES, folder, { recursive: true })),
    'copies',
  ).toBe(false);
});

it('templates are checked at the start where the newsroom has others, or one is missing', () => {
  const write = (name: string) => (folder: string) => {
    mkdirSync(folder);
    writeFileSync(join(folder, name), 'Text.');
  };
  expect(isChecked(write('weekly-roundup.txt'))).toBe(true);
  expect(isChecked(write('our-own.mjml'))).toBe(true);
  expect(isChecked(() => {}, 'no-such-template')).toBe(true);
  expect(
    isChecked((folder) => writeFileSync(folder, '')),
    'a file, which cannot be read as a folder',
  ).toBe(true);
});

it('a folder of templates that is a file is named with its key', () => {
  const file = join(temporaryFolder(), 'templates');
  writeFileSync(file, '');
  const message = `paths.templates is ${file}: must be a folder that can be read (ENOTDIR)`;
  expect(ownTemplateWarnings(file)).toEqual([message]);
  expect(openTemplates(file, 'UTC').problems()).toEqual([message]);
});
