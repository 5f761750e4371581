/**
 * The process that bench/http.ts measures: the sample newsroom, published, mirrored and served. Prints the feed's URL.
 */

import { join } from 'node:path';
import pino from 'pino';
import { openParts } from '../src/app/context-parts.ts';
import { createApp } from '../src/app/routes/app.ts';
import { loadSampleNewsroom } from '../src/app/sample/newsroom.ts';
import { parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { publish } from '../src/feeds/publish/publish.ts';
import { openReaderCounter } from '../src/feeds/readers/reader-counts.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { listen } from '../src/web/server/listen.ts';

const [folder = '.', feed = 'latest.atom'] = process.argv.slice(2);
const config = parseConfig(
  `
sample: true
publication:
  name: The Meridian Wire
  about: News.
  url: https://wire.example.com
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Shanghai
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Sample Road
sections:
  - { id: business-tech, title: Business & Tech }
  - { id: finance-economy, title: Finance & Economy }
  - { id: world, title: World }
  - { id: trending, title: Trending Stories }
feeds: [{ id: latest, title: Latest }]
`,
  { file: 'bench.yaml', env: {}, cwd: folder },
);
const store = await openStore({ path: join(folder, 'daywire.db') });
await migrate(store);
const clock = Date.now;
const templates = openTemplates(config.paths.templates, config.publication.zone);
await loadSampleNewsroom(store, config, { now: clock() });
const log = pino({ level: 'silent' });
await publish({ store, config, templates, clock, log, ...openParts(config, store, { clock, log }) });
// With all that a request costs in production, its place in the statistics included.
const readers = openReaderCounter({ store, clock, zone: config.publication.zone });
const app = createApp({ store, config, templates, secrets: ['of the bench alone'], clock, readers });
const serving = await listen(app, { host: '127.0.0.1', port: 0 });
process.stdout.write(`${serving.url}feeds/${feed}\n`);
process.once('SIGTERM', async () => {
  await serving.close();
  await store.close();
});
