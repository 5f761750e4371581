import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findImportFiles } from '../../../../src/articles/import/files/import-files.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

it('finds the files of a large folder in the order of their names, with those of folders between them', async () => {
  const folder = temporaryFolder();
  const names = Array.from({ length: 150 }, (_, n) => `story-${String(n).padStart(3, '0')}`);
  for (const name of names) {
    if (name.endsWith('00')) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'inner.md'), 'Text.');
    } else writeFileSync(join(folder, `${name}.md`), 'Text.');
  }
  const found = await findImportFiles([folder]);
  expect(found.map(({ name }) => name)).toEqual(
    names.map((name) => join(folder, name.endsWith('00') ? `${name}/inner.md` : `${name}.md`)),
  );
});

it('finds links to files, and passes over hidden files, other files, and links to folders', async () => {
  const folder = temporaryFolder();
  for (const name of ['a.md', '.hidden.md', 'picture.png']) writeFileSync(join(folder, name), 'Text.');
  mkdirSync(join(folder, '.drafts'));
  writeFileSync(join(folder, '.drafts/b.md'), 'Text.');
  symlinkSync(join(folder, 'a.md'), join(folder, 'link.md'));
  symlinkSync(folder, join(folder, 'loop.md'));
  const found = await findImportFiles([folder]);
  expect(found.map(({ name }) => name)).toEqual([join(folder, 'a.md'), join(folder, 'link.md')]);
});

it('rejects a link that leads nowhere, and finds the files beside it', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'b.md'), 'Text.');
  symlinkSync(join(folder, 'gone.md'), join(folder, 'a.md'));
  const [broken, other] = await findImportFiles([folder]);
  const contents: unknown[] = [];
  for await (const { content } of broken?.records() ?? []) contents.push(content);
  expect(contents).toEqual([{ kind: 'unreadable', rule: 'does not exist' }]);
  expect(other?.name).toBe(join(folder, 'b.md'));
});
