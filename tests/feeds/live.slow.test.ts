import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { loadConfig } from '../../src/core/config/config.ts';
import { openStore } from '../../src/core/store/store.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { importText } from '../articles/imports.ts';
import { articleFile } from '../support/articles.ts';
import { editConfig, newFolder, printed } from '../support/command.ts';
import { newPostgresUrl } from '../support/databases.ts';

describe.concurrent('a running daywire', () => {
  it.for(['sqlite', 'postgres'])(
    'publishes a change by another process, and an embargo that ends, and no sooner (%s)',
    async (dialect) => {
      const folder = newFolder('sample');
      editConfig(folder, 'port: 8080', 'port: 0');
      const env =
        dialect === 'postgres'
          ? { DAYWIRE_DATABASE_URL: await newPostgresUrl('empty'), DAYWIRE_SECRET: 's'.repeat(40) }
          : {};
      const child = folder.spawn(['start'], env);
      await printed(child, /Ctrl-C/);
      const config = loadConfig('config/daywire.yaml', env, folder.path);
      const store = await openStore({ path: config.paths.store, databaseUrl: config.secrets.databaseUrl });
      // Only writes to the store, as another machine would: it does not notify the running process.
      const write = (id: string, more: string) => {
        const input = { source: `${id}.md`, text: articleFile(id, more), format: 'markdown' } as const;
        return importText(store, config, input, { clock: Date.now, undated: 'now' });
      };
      const isInFeeds = (id: string): boolean[] =>
        ['latest.rss', 'latest.atom', 'latest.json', '24-hours.json', 'world.rss'].map((name) =>
          readFileSync(join(folder.path, 'feeds', name), 'utf8').includes(`articles/${id}`),
        );
      const published = async (id: string): Promise<number> => {
        await vi.waitUntil(() => isInFeeds(id).every(Boolean), { timeout: 30 * SECOND, interval: 20 });
        return Date.now();
      };

      // "bench responsive" measures how soon.
      const until = Date.now() + 2 * SECOND;
      await write('embargoed', `state: scheduled\nembargo: ${new Date(until).toISOString()}\n`);
      await write('changed', `published: ${new Date(Date.now() - MINUTE).toISOString()}\n`);
      await published('changed');
      expect(await published('embargoed')).toBeGreaterThanOrEqual(until);
      await store.close();
    },
  );
});
