/**
 * Polls the feed of a newsroom's own site through what happens to feeds in years: other guids, another host, tracking,
 * dates in a wrong zone, broken documents, errors and redirects. Exits with 1 if a story was doubled, lost, hidden,
 * renamed, retracted, or kept a date that the feed has mended.
 * `node scripts/feed-stages.ts [--polls 4] [--database sqlite|postgres]`
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toArticle } from '../src/articles/stored-document.ts';
import { parseConfig } from '../src/core/config/config.ts';
import { articleSources } from '../src/core/config/sources.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { sha256 } from '../src/lib/sha256.ts';
import { HOUR, MINUTE, rfc3339, SECOND } from '../src/lib/time.ts';
import { decideHeldPosts } from '../src/own-sites/held-posts.ts';
import { SITES } from '../src/own-sites/poll.ts';
import { pollNow } from '../src/sources/polling/poller.ts';
import { findSourceRow } from '../src/sources/source-state.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: { polls: { type: 'string', default: '4' }, database: { type: 'string', default: 'sqlite' } },
});

/** Stories in a document. */
const LENGTH = 30;

interface Story {
  number: number;
  at: number;
}

/** How the site writes its feed. */
interface Style {
  title: (number: number) => string;
  guid: (story: Story, host: string) => string | null;
  host: string;
  /** Added to links. */
  query: string;
  /** By which its dates are wrong; null: it has none. */
  shift: number | null;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** Instead of the document. Null: the document. */
type Fault = ((request: IncomingMessage, document: string) => Answer | null) | null;

const style: Style = {
  title: (number) => `Council settles question ${number}`,
  guid: ({ number }, host) => `https://${host}/?p=${number}`,
  ...{ host: 'old.example', query: '', shift: 0 },
};
let fault: Fault = null;
let now = Date.UTC(2026, 10, 2, 9, 0, 0);
const stories: Story[] = [];
/** What a whole document has shown, by number. */
const shown = new Set<number>();
/** The id of the article of each story, once it has one. */
const ids = new Map<number, string>();

function publish(count = 1): void {
  for (let n = 0; n < count; n++) {
    const number = stories.length + 1;
    stories.unshift({ number, at: now - (count - n) * MINUTE });
  }
}

function documentOf(): string {
  const items = stories.slice(0, LENGTH).map((story) => {
    const { number, at } = story;
    const guid = style.guid(story, style.host);
    const link = `https://${style.host}/news/${number}-council-settles-a-question${style.query}`;
    return [
      `<item><title>${style.title(number)}</title><link>${link.replaceAll('&', '&amp;')}</link>`,
      guid === null ? '' : `<guid isPermaLink="false">${guid}</guid>`,
      style.shift === null ? '' : `<pubDate>${new Date(at + style.shift).toUTCString()}</pubDate>`,
      `<content:encoded><![CDATA[<p>Text of story ${number}.</p>]]></content:encoded></item>`,
    ].join('');
  });
  const open = '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>';
  return `${open}<title>The Times</title>${items.join('\n')}</channel></rss>`;
}

const page = (status: number, headers = {}): Fault => {
  const body =
    '<!doctype html><html><head><title>Just a moment</title></head><body>Checking your browser</body></html>';
  return () => ({ status, headers: { 'Content-Type': 'text/html', ...headers }, body });
};

/** The life of the feed: what changes before the polls of each stage. */
const STAGES: [name: string, change: () => void][] = [
  ['begins', () => {}],
  ['guids are permalinks', () => change({ guid: ({ number }, host) => `https://${host}/news/${number}` })],
  ['guids are tags', () => change({ guid: ({ number }) => `tag:times.example,2026:${number}` })],
  ['guids are random in each document', () => change({ guid: () => `urn:uuid:${crypto.randomUUID()}` })],
  ['one guid for all', () => change({ guid: () => 'https://times.example/feed' })],
  ['guids are places in the document', () => change({ guid: (story) => String(stories.indexOf(story) + 1) })],
  ['no guids', () => change({ guid: () => null })],
  ['numbered guids', () => change({ guid: ({ number }, host) => `https://${host}/?p=${number}` })],
  ['another host', () => change({ host: 'www.new.example' })],
  ['tracking in links', () => change({ query: '?utm_source=rss&utm_medium=feed' })],
  ['other tracking and guids', () => change({ query: '?utm_source=feed2', guid: ({ number }) => `story-${number}` })],
  ['corrected titles', () => change({ title: (number) => `Council answers question ${number}` })],
  ['no tracking', () => change({ query: '' })],
  ['dates of +0800 labelled as GMT', () => change({ shift: 8 * HOUR })],
  ['dates mended', () => change({ shift: 0 })],
  ['no dates', () => change({ shift: null })],
  ['dates again', () => change({ shift: 0 })],
  [
    'truncated document',
    () => fail((_, text) => ({ status: 200, body: text.slice(0, Math.floor(text.length * 0.6)) })),
  ],
  ['whole again', () => fail(null)],
  ['feed without items', () => fail(() => ({ status: 200, body: '<rss version="2.0"><channel></channel></rss>' }))],
  ['empty answer', () => fail(() => ({ status: 200, body: '' }))],
  ['challenge, 200', () => fail(page(200))],
  ['challenge, 403', () => fail(page(403))],
  ['challenge, 503', () => fail(page(503, { 'Retry-After': '120' }))],
  ['back from the challenge', () => fail(null)],
  ['301 whose target answers 304', () => fail(movedUnchanged)],
  ['410', () => fail(() => ({ status: 410 }))],
  ['404, and other guids behind it', () => fail(() => ({ status: 404 }))],
  ['back with other guids', () => fail(null, { guid: ({ number }) => `post:${number}` })],
  ['a flood, accepted by the operator', () => publish(29)],
];

function change(parts: Partial<Style>): void {
  Object.assign(style, parts);
}

function fail(next: Fault, parts: Partial<Style> = {}): void {
  fault = next;
  change(parts);
}

/** Both addresses have the document, and the new one knows its validator. */
function movedUnchanged({ url, headers }: IncomingMessage): Answer | null {
  if (url === '/feed.xml') return { status: 301, headers: { Location: '/moved.xml' } };
  return headers['if-none-match'] === undefined ? null : { status: 304 };
}

const server = createServer((request, response) => {
  const document = documentOf();
  const own: Answer = { status: 200, headers: { ETag: `"${sha256(document).slice(0, 16)}"` }, body: document };
  const { status, headers, body } = fault?.(request, document) ?? own;
  response.writeHead(status, headers).end(body);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/feed.xml`;
const folder = mkdtempSync(join(tmpdir(), 'daywire-life-cycle-'));
const postgres = values.database === 'postgres' ? await startPostgresServer('life_cycle', NOT_DURABLE) : null;
const store = await openStore({
  path: join(folder, 'daywire.sqlite'),
  ...(postgres === null ? {} : { databaseUrl: `${postgres.url}/life_cycle` }),
});
const broken: string[] = [];
try {
  await migrate(store);
  const config = parseConfig(configOf(url), { file: 'life-cycle.yaml', env: {}, cwd: folder });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const app = { store, config, clock: () => now, log };
  const [source] = articleSources(config) as [ReturnType<typeof articleSources>[number]];
  const wait = async (milliseconds: number): Promise<void> => {
    now += milliseconds;
  };
  publish(LENGTH);
  for (const [index, story] of stories.entries()) story.at = now - index * 3 * HOUR;
  let polls = 0;
  for (const [name, begin] of STAGES) {
    begin();
    const states = new Set<string>();
    for (let n = 0; n < Number(values.polls); n++) {
      now += HOUR;
      if (name !== '301 whose target answers 304') publish();
      const poll = await pollNow(app, SITES, source, { wait, jitter: () => 0 });
      polls += 1;
      if (poll.kind === 'polled' && poll.outcome.kind === 'polled') {
        const { after, result } = poll.outcome;
        states.add(after.state);
        if (result.retracted > 0) broken.push(`${name}: ${result.retracted} articles were retracted`);
        if (after.failures === 0 && fault === null)
          for (const { number } of stories.slice(0, LENGTH)) shown.add(number);
      } else states.add(poll.kind);
      if (states.has('held')) await decideHeldPosts(app, source, 'accept');
      broken.push(...(await faultsNow()).map((problem) => `${name}, poll ${n + 1}: ${problem}`));
    }
    const moved = (await findSourceRow(store.db, source.id))?.moved_to ?? null;
    const articles = `${ids.size} articles of ${stories.length} stories`;
    console.log(`${name}: ${[...states].join(', ')}; ${articles}${moved === null ? '' : `; redirects to ${moved}`}`);
  }
  console.log(`${polls} polls, ${values.database}`);
  for (const problem of broken) console.log(`BROKEN: ${problem}`);
  console.log(
    broken.length === 0
      ? 'no story was doubled, lost, hidden, renamed, retracted or misdated'
      : `${broken.length} faults`,
  );
  process.exitCode = broken.length === 0 ? 0 : 1;
} finally {
  await store.close();
  await postgres?.stop();
  server.close();
  rmSync(folder, { recursive: true });
}

/** What is wrong with the stored articles, as sentences. */
async function faultsNow(): Promise<string[]> {
  const rows = await store.db.selectFrom('articles').selectAll().execute();
  const articles = rows.map(toArticle);
  const byStory = Map.groupBy(articles, ({ bodyHtml }) => Number(/Text of story (\d+)/.exec(bodyHtml)?.[1]));
  // A document of now has the true dates of all its stories.
  const isTrue = style.shift === 0 && fault === null;
  const problems: string[] = [];
  for (const [number, same] of byStory) {
    const [{ id, publishedAt, status }] = same as [(typeof same)[number]];
    if (same.length > 1) problems.push(`story ${number} was doubled: ${same.map((one) => one.id).join(', ')}`);
    if ((ids.get(number) ?? id) !== id) problems.push(`story ${number} was ${ids.get(number)}, and is ${id}`);
    if (publishedAt > now) problems.push(`story ${number} is hidden until ${rfc3339(publishedAt)}`);
    const story = stories.slice(0, LENGTH).find((one) => one.number === number);
    if (isTrue && story !== undefined && publishedAt !== Math.floor(story.at / SECOND) * SECOND)
      problems.push(`story ${number} is dated ${rfc3339(publishedAt)} instead of ${rfc3339(story.at)}`);
    if (status.state !== 'published') problems.push(`story ${number} is ${status.state}`);
    ids.set(number, id);
  }
  const lost = [...shown, ...ids.keys()].filter((number) => !byStory.has(number));
  return [...problems, ...[...new Set(lost)].map((number) => `story ${number} was lost`)];
}

function configOf(address: string): string {
  return `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Taipei
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
fetch: { allow: [127.0.0.0/8] }
sources: [{ id: times, url: "${address}", use: articles, api: feed }]
`;
}
