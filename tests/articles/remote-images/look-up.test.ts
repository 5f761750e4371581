import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatStatus } from '../../../src/app/cli/status.ts';
import { readStatus } from '../../../src/app/status.ts';
import { readDueChanges } from '../../../src/articles/pending-changes.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import {
  claimImages,
  countImages,
  listFailedImages,
  recordLookUp,
} from '../../../src/articles/remote-images/image-queue.ts';
import { type LookUpContext, lookUpImages, lookUpSomeImages } from '../../../src/articles/remote-images/look-up.ts';
import { openConfiguredClient } from '../../../src/core/config/fetching.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { findDocument } from '../../../src/feeds/documents.ts';
import { publish } from '../../../src/feeds/publish/publish.ts';
import { PICTURES } from '../../../src/lib/pictures/picture-decoder.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { ok, startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { article, saveAll } from '../../support/articles.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { HTML, picture, SVG } from '../../support/pictures.ts';
import { sampleConfig } from '../../support/sample.ts';
import { openTestApp } from '../../support/test-app.ts';
import { importText } from '../imports.ts';

const NOW = Date.UTC(2026, 10, 27, 8);
const localhost = async () => [{ address: '127.0.0.1', family: 4 }];
const config = { ...sampleConfig(), fetch: { allow: ['127.0.0.0/8'] } };

describe('pictures on other servers', () => {
  forEachDatabase((open) => {
    it('are looked up after the import, once for all articles, which is no edit', async () => {
      const { store, look, server, clock } = await setUp(open);
      const photo = await picture(80, 60);
      server.answers['/photo.jpg'] = { body: photo };
      const url = server.url('/photo.jpg');
      await put(
        store,
        ['a', 'b'].map((id) => record(id, { image: { url, alt: 'A roof' } })),
      );
      const before = await findArticle(store.db, 'a');
      expect(before?.image).toEqual({
        url,
        alt: 'A roof',
        credit: null,
        type: null,
        length: null,
        width: null,
        height: null,
        isLookedUp: true,
      });
      expect(await countImages(store.db)).toEqual({ pending: 1, failed: 0 });
      await store.db.deleteFrom('pending_changes').execute();

      clock.now += MINUTE;
      expect(await look()).toEqual({ found: 1, failed: 0, givenUp: [] });
      const after = await findArticle(store.db, 'a');
      const image = { ...before?.image, type: 'image/jpeg', length: photo.length, width: 80, height: 60 };
      expect(after).toEqual({ ...before, image });
      expect((await findArticle(store.db, 'b'))?.image).toEqual(image);
      const changes = await readDueChanges(store.db, clock.now + 1, { limit: 10 });
      expect(changes.map(({ articleId }) => articleId).sort()).toEqual(['a', 'b']);
      expect(server.requests).toHaveLength(1);

      // Another article with the same picture waits for nothing, and importing again changes nothing.
      expect(await put(store, [record('c', { image: { url, alt: 'A roof' } })])).toMatchObject({ added: 1 });
      expect((await findArticle(store.db, 'c'))?.image).toEqual(image);
      expect(await put(store, [record('a', { image: { url, alt: 'A roof' } })])).toMatchObject({ unchanged: 1 });
      expect(await look()).toMatchObject({ found: 0 });
      expect(server.requests).toHaveLength(1);
      expect(await store.db.selectFrom('remote_image_uses').selectAll().execute()).toEqual([]);
    });

    it('stay known when the article is edited, and another picture is looked up', async () => {
      const { store, look, server } = await setUp(open);
      server.answers['/1.png'] = { body: await picture(10, 20, 'png') };
      server.answers['/2.png'] = { body: await picture(30, 40, 'png') };
      const at = (path: string) => ({ image: { url: server.url(path), alt: '' } });
      await put(store, [record('a', at('/1.png'))]);
      await look();
      // As after the loss of the table: the article itself knows its picture.
      await store.db.deleteFrom('remote_images').execute();
      expect(await put(store, [record('a', { ...at('/1.png'), headline: 'Edited' })])).toMatchObject({ updated: 1 });
      expect((await findArticle(store.db, 'a'))?.image).toMatchObject({ width: 10, length: expect.any(Number) });
      await put(store, [record('a', at('/2.png'))]);
      expect((await findArticle(store.db, 'a'))?.image).toMatchObject({ width: null, length: null });
      await look();
      expect((await findArticle(store.db, 'a'))?.image).toMatchObject({ type: 'image/png', width: 30, height: 40 });
    });

    it('are not looked up where the article states type and length, or has no picture there', async () => {
      const { store, look, server } = await setUp(open);
      const image = { url: server.url('/photo.jpg'), type: 'image/jpeg', length: 5 };
      await put(store, [
        record('a', { image }),
        record('b', {}),
        record('c', { image: { url: server.url('/gone.jpg') } }),
      ]);
      await put(store, [record('c', {})]);
      expect(await store.db.selectFrom('remote_image_uses').selectAll().execute()).toEqual([]);
      await look();
      expect((await findArticle(store.db, 'a'))?.image).toMatchObject({ length: 5, width: null });
      expect((await findArticle(store.db, 'c'))?.image).toBeNull();
      expect(server.requests).toEqual(['/gone.jpg']);
    });

    it('that are none, or too long, are given up at once, with the reason', async () => {
      const { store, look, server } = await setUp(open);
      server.answers['/a.jpg'] = { body: HTML, type: 'image/jpeg' };
      server.answers['/b.jpg'] = { body: SVG, type: 'image/svg+xml' };
      server.answers['/c.jpg'] = { body: (await picture(800, 600)).subarray(0, 700), type: 'image/jpeg' };
      server.answers['/d.png'] = { body: Buffer.alloc(0), headers: { 'Content-Length': String(16 * 1024 * 1024) } };
      const urls = ['/a.jpg', '/b.jpg', '/c.jpg', '/d.png'].map((path) => server.url(path));
      await put(
        store,
        urls.map((url, index) => record(`a${index}`, { image: { url } })),
      );
      const report = await look();
      const reasons = new Map(report.givenUp.map(({ url, reason }) => [url, reason]));
      expect(urls.map((url) => reasons.get(url))).toEqual([
        'it is HTML, not a JPEG, PNG, WebP, GIF or AVIF picture',
        'it is SVG, not a JPEG, PNG, WebP, GIF or AVIF picture',
        'it cannot be decoded: it is damaged or cut off',
        'its body is longer than 15 MiB',
      ]);
      expect(await countImages(store.db)).toEqual({ pending: 0, failed: 4 });
      expect(await listFailedImages(store.db, 2)).toHaveLength(2);
      expect(await look()).toEqual({ found: 0, failed: 0, givenUp: [] });
    });

    it('at addresses that are not allowed are never connected to', async () => {
      const { store, server, context } = await setUp(open);
      await put(store, [record('a', { image: { url: server.url('/a.jpg') } })]);
      const client = openConfiguredClient(sampleConfig(), localhost);
      const report = await lookUpImages({ ...context, client });
      expect(report.givenUp.map(({ reason }) => reason)).toEqual(['its address is not public']);
      expect(server.requests).toEqual([]);
    });

    it('are tried again after failures, later each time, and then given up', async () => {
      const { store, look, server, clock } = await setUp(open);
      server.answers['/a.jpg'] = { status: 503, body: Buffer.from('busy'), headers: { 'Retry-After': '7200' } };
      await put(store, [record('a', { image: { url: server.url('/a.jpg') } })]);
      expect(await look()).toEqual({ found: 0, failed: 1, givenUp: [] });
      clock.now += 2 * HOUR - 1;
      expect(await look()).toMatchObject({ failed: 0 });
      server.answers['/a.jpg'] = { status: 500, body: Buffer.alloc(0) };
      for (const wait of [1, 10 * MINUTE, HOUR, 6 * HOUR]) {
        clock.now += wait;
        expect(await look()).toMatchObject({ failed: 1, givenUp: [] });
      }
      clock.now += DAY;
      const reason = 'its server answered 500';
      expect(await look()).toMatchObject({ failed: 0, givenUp: [{ reason }] });
      expect(await listFailedImages(store.db, 10)).toEqual([{ url: server.url('/a.jpg'), reason, at: clock.now }]);
      // An import that writes the article again starts new attempts, but not at once.
      server.answers['/a.jpg'] = { body: await picture(8, 8) };
      const again = (headline: string) =>
        put(store, [record('a', { headline, image: { url: server.url('/a.jpg') } })], clock.now);
      await again('Second');
      expect(await look()).toMatchObject({ found: 0 });
      clock.now += HOUR;
      await again('Third');
      expect(await look()).toMatchObject({ found: 1 });
      expect((await findArticle(store.db, 'a'))?.image).toMatchObject({ width: 8 });
    });

    it('of a server that is overloaded or down wait together, and those of others do not', async () => {
      const { store, look, server, clock } = await setUp(open);
      const other = server.url('/ok.png').replace('photos.example.com', 'photos.example.org');
      const paths = Array.from({ length: 9 }, (_, index) => `/${index}.png`);
      const overloaded = { status: 429, body: Buffer.alloc(0), headers: { 'Retry-After': '600' } };
      server.answers['/ok.png'] = { body: await picture(8, 8, 'png') };
      for (const path of paths) server.answers[path] = overloaded;
      const urls = [...paths.map(server.url), other];
      await put(
        store,
        urls.map((url, index) => record(`a${index}`, { image: { url } })),
      );
      expect(await look()).toMatchObject({ found: 1 });
      // As many as are looked up at a time.
      expect(server.requests.filter((path) => path !== '/ok.png').length).toBeLessThanOrEqual(8);
      server.requests.length = 0;
      clock.now += 10 * MINUTE - 1;
      expect(await look()).toEqual({ found: 0, failed: 0, givenUp: [] });
      for (const path of paths) server.answers[path] = { status: 404, body: Buffer.alloc(0) };
      clock.now += 1;
      // A picture that is missing says nothing about the others.
      await look();
      expect(new Set(server.requests)).toEqual(new Set(paths));
    });

    it('complete their articles together, which are published then', async () => {
      const { store, look, server } = await setUp(open);
      const waiting: Promise<unknown[]>[] = [];
      server.onRequest = () => {
        const rows = store.db.selectFrom('remote_image_uses').selectAll().execute();
        waiting.push(rows);
        return rows;
      };
      const paths = Array.from({ length: 6 }, (_, index) => `/${index}.png`);
      for (const [index, path] of paths.entries()) server.answers[path] = { body: await picture(8, 8 + index, 'png') };
      await put(
        store,
        paths.map((path, index) => record(`a${index}`, { image: { url: server.url(path) } })),
      );
      expect(await look()).toMatchObject({ found: 6 });
      expect((await Promise.all(waiting)).map((rows) => rows.length)).toEqual([6, 6, 6, 6, 6, 6]);
      expect(await store.db.selectFrom('remote_image_uses').selectAll().execute()).toEqual([]);
    });

    it('are claimed by one process each, and a result that comes too late changes nothing', async () => {
      const { store, server, clock } = await setUp(open);
      await put(store, [record('a', { image: { url: server.url('/a.jpg') } })]);
      const [first] = await claimImages(store.db, clock.now, 10);
      expect(await claimImages(store.db, clock.now, 10)).toEqual([]);
      clock.now += 2 * MINUTE;
      const [second] = await claimImages(store.db, clock.now, 10);
      const facts = { type: 'image/jpeg', length: 1, width: 1, height: 1 };
      if (first === undefined || second === undefined) throw new Error('claimed twice');
      expect(await recordLookUp(store.db, first, { kind: 'found', facts }, clock.now)).toBeNull();
      expect(await recordLookUp(store.db, second, { kind: 'postponed' }, clock.now)).toEqual({ isGivenUp: false });
      expect(await countImages(store.db)).toEqual({ pending: 1, failed: 0 });
    });

    it('wait for the next time when the process stops or the decoder is busy', async () => {
      const { store, server, context, look, clock } = await setUp(open);
      server.answers['/a.jpg'] = { body: await picture(8, 8) };
      await put(store, [record('a', { image: { url: server.url('/a.jpg') } })]);
      const busy = { inspect: async () => ({ kind: 'busy' as const }) };
      expect(await lookUpImages({ ...context, decoder: busy })).toEqual({ found: 0, failed: 0, givenUp: [] });
      // No fault of the picture: it is not given up.
      const none = { inspect: async () => ({ kind: 'unavailable' as const, reason: 'no process' }) };
      expect(await lookUpImages({ ...context, decoder: none })).toEqual({ found: 0, failed: 1, givenUp: [] });
      clock.now += MINUTE;
      const stop = new AbortController();
      server.onRequest = () => stop.abort();
      expect(await lookUpImages(context, stop.signal)).toEqual({ found: 0, failed: 0, givenUp: [] });
      expect(await look()).toMatchObject({ found: 1 });
    });
  });
});

interface Answer {
  status?: number;
  body: Buffer;
  type?: string;
  headers?: Record<string, string>;
}

async function setUp(open: () => Promise<Store>) {
  const store = await open();
  const server = await startPictureServer();
  const clock = { now: NOW };
  const context: LookUpContext = {
    db: store.db,
    client: openConfiguredClient(config, localhost),
    decoder: PICTURES,
    clock: () => clock.now,
  };
  return { store, server, clock, context, look: () => lookUpImages(context) };
}

async function startPictureServer() {
  const state = {
    answers: {} as Record<string, Answer>,
    requests: [] as string[],
    /** Awaited before the answer. */
    onRequest: (): unknown => undefined,
    // Pictures at private addresses are removed from articles, but a name may lead to one.
    url: (path: string) => `http://photos.example.com:${(server.address() as AddressInfo).port}${path}`,
  };
  const server: Server = createServer(async (request: IncomingMessage, response) => {
    state.requests.push(request.url ?? '');
    await state.onRequest();
    const answer = state.answers[request.url ?? ''] ?? { status: 404, body: Buffer.from('no') };
    response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'image/png', ...answer.headers });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return state;
}

function record(id: string, fields: object): object {
  return { id, headline: `Story ${id}`, body: 'Text.', published: '2026-11-26T08:00:00Z', ...fields };
}

async function put(store: Store, records: object[], now = NOW) {
  const text = records.map((one) => JSON.stringify(one)).join('\n');
  const report = await importText(
    store,
    config,
    { source: 'in.jsonl', text, format: 'jsonl' },
    { clock: () => now, undated: 'now' },
  );
  expect(report.rejected).toEqual([]);
  return report;
}

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
});
