import { expect, it } from 'vitest';
import { formatStatus } from '../../../src/app/cli/status.ts';
import { readStatus } from '../../../src/app/status.ts';
import { lookUpSomeImages } from '../../../src/articles/remote-images/remote-images.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { publish } from '../../../src/feeds/publish/publish.ts';
import { ok, startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { article, saveAll } from '../../support/articles.ts';
import { openMigrated } from '../../support/databases.ts';
import { picture, SVG } from '../../support/pictures.ts';
import { openTestApp } from '../../support/test-app.ts';

it('adds a picture of another server to feeds once it is looked up, and shows those not usable', async () => {
  const photo = await picture(64, 48);
  const server = await startRawServer((path) => ok([], path === '/a.jpg' ? photo : SVG));
  const store = await openMigrated();
  const edit = (yaml: string) => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\n`;
  const app = openTestApp(store, { edit, feeds: ['latest'] });
  const unknown = { alt: '', credit: null, type: null, length: null, width: null, height: null };
  const image = (path: string) => ({ ...unknown, url: server.url(path), isLookedUp: true as const });
  await saveAll(store, [article('a', { image: image('/a.jpg') }), article('b', { image: image('/b.jpg') })]);
  const rss = async () => {
    await publish(app);
    return String((await findDocument(store.db, 'latest.rss'))?.body);
  };
  const before = await rss();
  expect(before).toContain(`<media:content url="${server.url('/a.jpg')}" medium="image"/>`);
  expect(before).not.toContain('<enclosure');

  app.now += 1_000;
  expect(await lookUpSomeImages(app)).toMatchObject({ found: 1, failed: 0, waiting: 0 });
  app.now += 1_000;
  expect(await rss()).toContain(
    `<enclosure length="${photo.length}" type="image/jpeg" url="${server.url('/a.jpg')}"/>`,
  );
  expect(formatStatus(await readStatus(app, app.now))).toContain(
    `pictures on other servers\n  not usable, ${server.url('/b.jpg')}: it is SVG, not a JPEG`,
  );
  await store.close();
});
