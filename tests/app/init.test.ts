import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_ANSWERS, init } from '../../src/app/init.ts';
import { importPaths } from '../../src/articles/import/import.ts';
import { loadConfig } from '../../src/core/config/config.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const newsroomAt = async (url: string): Promise<string> => {
  const folder = temporaryFolder();
  await init(folder, { ...DEFAULT_ANSWERS, url }, NOW);
  return folder;
};

it.each([
  ['http://127.0.0.1:8090', 8090],
  ['http://news.example', 8080],
  ['https://news.example:8443', 8080],
])('serves the port of an http address: %s', async (url, port) => {
  expect(loadConfig('config/daywire.yaml', {}, await newsroomAt(url)).server.port).toBe(port);
});

it('writes an example that is imported with other sections, too', async () => {
  const folder = await newsroomAt(DEFAULT_ANSWERS.url);
  const file = join(folder, 'config/daywire.yaml');
  const yaml = readFileSync(file, 'utf8')
    .replace(/- \{ id: news, title: .*\}/, '- { id: local, title: Local }')
    .replace(/sections: \[news\]/, 'sections: [local]');
  writeFileSync(file, yaml);
  const store = await openMigrated();
  const config = loadConfig('config/daywire.yaml', {}, folder);
  const report = await importPaths(store, config, [join(folder, 'articles')], { clock: () => NOW });
  expect(report).toMatchObject({ added: 1, rejectedCount: 0, warningCount: 1 });
});
