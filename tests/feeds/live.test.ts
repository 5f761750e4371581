import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { importText } from '../../src/articles/import/import.ts';
import { loadConfig } from '../../src/config/config.ts';
import { MINUTE, SECOND } from '../../src/lib/time.ts';
import { openStore } from '../../src/store/store.ts';
import { articleFile, editConfig, newFolder, printed } from '../support/command.ts';
import { newPostgresUrl } from '../support/databases.ts';

describe.concurrent('a running daywire has in its folder of feeds, within two seconds,', () => {
  // By the wall clock: on a machine that is busy with all other tests, one try may be late.
  it.for(['sqlite', 'postgres'])(
    'a change by another process, and an embargo that ends (%s)',
    { retry: 2 },
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
      // It writes into the store alone, as another machine would: nothing tells the running one.
      const write = (id: string, more: string) =>
        importText(
          store,
          config,
          { source: `${id}.md`, text: articleFile(id, more), format: 'markdown' },
          { clock: Date.now },
        );
      const shows = (id: string): boolean[] =>
        ['latest.rss', 'latest.atom', 'latest.json', '24-hours.json', 'world.rss'].map((name) =>
          readFileSync(join(folder.path, 'feeds', name), 'utf8').includes(`articles/${id}`),
        );
      const shownIn = (id: string, timeout: number) =>
        vi.waitUntil(() => shows(id).every(Boolean), { timeout, interval: 20 });

      const ends = Date.now() + 3 * SECOND;
      await write('embargoed', `state: scheduled\nembargo: ${new Date(ends).toISOString()}\n`);
      await write('changed', `published: ${new Date(Date.now() - MINUTE).toISOString()}\n`);
      await store.close();
      const written = Date.now();
      await shownIn('changed', 10 * SECOND);
      expect(Date.now() - written).toBeLessThan(2 * SECOND);
      expect(shows('embargoed')).not.toContain(true);
      await shownIn('embargoed', 15 * SECOND);
      const late = Date.now() - ends;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(2 * SECOND);
    },
  );
});
