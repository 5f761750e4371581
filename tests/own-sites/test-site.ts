/** A site on a local port, and an app that polls it. */
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { onTestFinished } from 'vitest';
import { ghostApp, ghostId } from '../../scripts/cms/ghost.ts';
import { makePosts, type StandInPost } from '../../scripts/cms/posts.ts';
import { wordPressApp } from '../../scripts/cms/wordpress.ts';
import type { Store } from '../../src/core/store/store.ts';
import type { SitePollResult } from '../../src/own-sites/import-entries.ts';
import { SITES } from '../../src/own-sites/poll.ts';
import type { Wait } from '../../src/sources/host-gate.ts';
import { type PollOutcome, pollDue } from '../../src/sources/polling/poller.ts';
import { NOW } from '../support/clock.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';

const GHOST_KEY = '0123456789abcdef0123456789';

export interface TestSite {
  url: string;
  /** Paths and queries of the requests, in order. */
  requests: string[];
  app: Hono;
  /** Answers instead of the site while it is set. */
  instead: ((request: Request) => Response | null | Promise<Response | null>) | null;
}

/** Serves an app until the test has finished. */
export async function openSite(app: Hono): Promise<TestSite> {
  const site: TestSite = { url: '', requests: [], app, instead: null };
  const fetch = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    site.requests.push(pathname + search);
    return (await site.instead?.(request)) ?? app.fetch(request);
  };
  await new Promise<void>((resolve) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      site.url = `http://127.0.0.1:${port}`;
      resolve();
    });
    onTestFinished(() => new Promise<void>((done) => server.close(() => done())));
  });
  return site;
}

export interface Newsroom {
  site: TestSite;
  posts: StandInPost[];
  app: TestApp;
  /** The id of the article of a post. */
  articleOf(post: StandInPost): string;
}

/** A WordPress or Ghost site with posts, and an app with it as the source `times`. */
export async function openNewsroom(
  store: Store,
  api: 'wordpress' | 'ghost',
  { posts: count = 12, source = '' }: { posts?: number; source?: string } = {},
): Promise<Newsroom> {
  const posts = makePosts(count, NOW);
  const site = await openSite(api === 'ghost' ? ghostApp(posts, GHOST_KEY) : wordPressApp(posts));
  const app = openPollingApp(store, site.url, source);
  const articleOf = ({ id }: StandInPost): string => `times.${api === 'ghost' ? ghostId(id) : id}`;
  return { site, posts, app, articleOf };
}

/** @param source further keys of the source */
export function openPollingApp(store: Store, url: string, source = ''): TestApp {
  const keys = `{ id: times, url: "${url}", use: articles${source === '' ? '' : `, ${source}`} }`;
  return openTestApp(store, {
    feeds: ['latest'],
    env: { DAYWIRE_SOURCE_KEYS: `times=${GHOST_KEY}` },
    edit: (yaml) => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\nsources:\n  - ${keys}\n`,
  });
}

/** Lets the clock pass instead of waiting for a host. */
export function waitOf(app: Pick<TestApp, 'now'>): Wait {
  return async (milliseconds) => {
    app.now += milliseconds;
  };
}

/** Polls the source that is due. @param later moves the clock before that */
export async function poll(app: TestApp, later = 0) {
  app.now += later;
  const [polled] = await pollDue(app, SITES, { jitter: () => 0, wait: waitOf(app) });
  if (polled === undefined) throw new Error('no source was due');
  return readable(polled.outcome);
}

/** An outcome with its end in a word. */
function readable(outcome: PollOutcome<SitePollResult>) {
  if (outcome.kind === 'stopped') return outcome;
  const { after, result } = outcome;
  return after.failures > 0
    ? { kind: 'failed' as const, problem: after.reason, result }
    : { kind: 'polled' as const, result };
}
