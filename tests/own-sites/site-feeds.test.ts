import { Hono } from 'hono';
import { Temporal } from 'temporal-polyfill';
import { expect, it } from 'vitest';
import { articleSources } from '../../src/core/config/sources.ts';
import type { Store } from '../../src/core/store/store.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import { pollDue, pollNow } from '../../src/sources/polling/poller.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';
import { allArticles } from '../support/sample.ts';
import { openTestApp } from '../support/test-app.ts';
import { openSite, waitOf } from './test-site.ts';

const TOMBSTONES = 'xmlns:at="http://purl.org/atompub/tombstones/1.0"';
const entry = (name: string, date = new Date(NOW - HOUR).toISOString()): string =>
  `<entry><id>urn:${name}:1</id><title>${name}</title><link href="https://times.example/${name}"/>` +
  `<published>${date}</published><content>All of ${name}.</content></entry>`;
const feed = (...parts: string[]): string =>
  `<feed xmlns="http://www.w3.org/2005/Atom" ${TOMBSTONES}>${parts.join('')}</feed>`;

/** A site with documents by path, and an app that polls some of them. */
async function openFeeds(store: Store, documents: Record<string, string>, sources: Record<string, string>) {
  const hono = new Hono();
  hono.get('/:name', (c) => {
    const document = documents[c.req.param('name')];
    if (document === undefined) return c.body(null, 404);
    return c.req.header('If-None-Match') === '"always"'
      ? c.body(null, 304)
      : c.body(document, 200, { ETag: '"always"' });
  });
  const site = await openSite(hono);
  const list = Object.entries(sources).map(
    ([id, more]) => `  - { id: ${id}, url: "${site.url}/${id}", use: articles, api: feed${more} }\n`,
  );
  const edit = (yaml: string): string => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\nsources:\n${list.join('')}`;
  const app = openTestApp(store, { feeds: ['latest'], edit });
  const poll = async (id: string) => {
    const source = articleSources(app.config).find((one) => one.id === id);
    if (source === undefined) throw new Error(`no source ${id}`);
    const result = await pollNow(app, SITES, source, { wait: waitOf(app), jitter: () => 0 });
    if (result.kind !== 'polled' || result.outcome.kind !== 'polled') throw new Error(`not polled: ${result.kind}`);
    return result.outcome.result;
  };
  return { app, site, documents, poll };
}

forEachDatabase((open) => {
  it('has a story of two sources of one site once, in the section of the second one', async () => {
    const store = await open();
    const documents = { main: feed(entry('one'), entry('two')), sport: feed(entry('two'), entry('three')) };
    const { app, poll } = await openFeeds(store, documents, { main: '', sport: ', section: world' });
    expect(await poll('main')).toMatchObject({ added: 2 });
    expect(await poll('sport')).toMatchObject({ added: 1 });
    const twice = (await allArticles(store)).map(({ headline, section, updatedAt }) => [headline, section, updatedAt]);
    expect(twice.map(([headline, section]) => `${headline} ${section}`).toSorted()).toEqual([
      'one null',
      'three world',
      'two world',
    ]);
    app.now += 2 * DAY;
    expect(await poll('main')).toMatchObject({ added: 0, updated: 0 });
    expect(await poll('sport')).toMatchObject({ added: 0, updated: 0 });
    expect(
      (await allArticles(store)).map(({ headline, section, updatedAt }) => [headline, section, updatedAt]),
    ).toEqual(twice);
  });

  it('never polls two sources of one site at once, and imports what both have once', async () => {
    const store = await open();
    const documents = { main: feed(entry('one'), entry('two')), sport: feed(entry('two'), entry('three')) };
    const { app, poll } = await openFeeds(store, documents, { main: '', sport: '' });
    const polls = await Promise.allSettled([poll('main'), poll('sport')]);
    expect(polls).toMatchObject([{ status: 'fulfilled' }, { reason: { message: 'not polled: busy' } }]);
    await poll('sport');
    expect(await allArticles(store)).toHaveLength(3);
    const endpoint = 'http://localhost:9/sport';
    await store.db.updateTable('sources').set({ endpoint }).where('id', '=', 'sport').execute();
    app.now += DAY;
    expect(await pollDue(app, SITES, { wait: waitOf(app) })).toHaveLength(2);
  });

  it('knows the stories of a site whose new address is written into the configuration', async () => {
    const store = await open();
    const [one, two] = [entry('one'), entry('two', new Date(NOW - 3 * HOUR).toISOString())];
    const { app, documents, poll } = await openFeeds(store, { main: feed(one, two) }, { main: '' });
    expect(await poll('main')).toMatchObject({ added: 2 });
    // Its new system writes other guids and links, and dates without their zone.
    documents.moved = feed(
      ...[one, two].map((written) => written.replace(/urn:(\w+)/, 'tag:new.example,2026:$1').replace('times.', 'new.')),
    )
      .replaceAll(/example\/(one|two)/g, 'example/2026/$1-story')
      .replaceAll(/T(\d\d):/g, (_, hour) => `T${String(Number(hour) - 1).padStart(2, '0')}:`);
    for (const source of articleSources(app.config)) source.url = source.url.replace('/main', '/moved');
    app.now += 2 * HOUR;
    expect(await poll('main')).toMatchObject({ added: 0 });
    expect(await allArticles(store)).toHaveLength(2);
  });

  it('reads a source whose section an article cannot have, such as one of the kind roundup', async () => {
    const store = await open();
    const digest = entry('one').replace('<id>', '<category term="Digest"/><id>');
    const documents = { main: feed(digest), sport: feed(digest, entry('two')) };
    const kinds = ', kinds: { Digest: roundup }';
    const { poll } = await openFeeds(store, documents, { main: kinds, sport: ', section: world' });
    expect(await poll('main')).toMatchObject({ added: 1 });
    expect(await poll('sport')).toMatchObject({ added: 1 });
  });

  it('asks without conditions once a day, so that a server that always answers 304 hides no edit', async () => {
    const { app, documents, poll } = await openFeeds(await open(), { main: feed(entry('one')) }, { main: '' });
    await poll('main');
    documents.main = feed(entry('one').replace('All of', 'Corrected:'));
    app.now += HOUR;
    expect(await poll('main')).toMatchObject({ updated: 0 });
    app.now += DAY;
    expect(await poll('main')).toMatchObject({ updated: 1 });
  });

  it('retracts what a tombstone names, once, and at most five at once without an editor', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `story-${index}`);
    const { app, documents, poll } = await openFeeds(
      await open(),
      { main: feed(...names.map((name) => entry(name))) },
      { main: '' },
    );
    await poll('main');
    const gone = (count: number): string =>
      feed(
        ...names.slice(0, count).map((name) => `<at:deleted-entry ref="urn:${name}:1" when="2026-12-01T00:00:00Z"/>`),
        ...names.slice(count).map((name) => entry(name)),
      );
    documents.main = gone(1);
    app.now += 2 * DAY;
    expect(await poll('main')).toMatchObject({ retracted: 1, waiting: 0 });
    documents.main = gone(7);
    app.now += 2 * DAY;
    expect(await poll('main')).toMatchObject({ retracted: 0, waiting: 6 });
  });

  it('reads older pages at the first import, and stops at one that is missing', async () => {
    const documents: Record<string, string> = {
      main: feed('<link rel="next" href="/second"/>', entry('one')),
      second: feed('<link rel="next" href="/third"/>', entry('two')),
    };
    const { app, site, poll } = await openFeeds(await open(), documents, { main: '' });
    expect(await poll('main')).toMatchObject({
      added: 2,
      feedProblems: [expect.stringContaining('/third answered 404')],
    });
    app.now += 2 * DAY;
    await poll('main');
    expect(site.requests).toEqual(['/main', '/main', '/second', '/third', '/main']);
  });

  it('takes a date without a zone for local time, and names one that cannot be read', async () => {
    const store = await open();
    const documents = { main: feed(entry('one', '2026-11-20T09:00:00'), entry('two', 'yesterday noon')) };
    const { app, poll } = await openFeeds(store, documents, { main: '' });
    const { feedProblems } = await poll('main');
    expect(feedProblems).toContain('dates that cannot be read: 1, such as “yesterday noon”');
    const local = Temporal.PlainDateTime.from('2026-11-20T09:00').toZonedDateTime(app.config.publication.zone);
    const one = (await allArticles(store)).find(({ headline }) => headline === 'one');
    expect(one?.publishedAt).toBe(local.epochMilliseconds);
  });
});
