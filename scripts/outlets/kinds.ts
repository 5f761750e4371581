/** All kinds of outlets that a newsroom meets: what each answers, and which states its feed must have. */
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { answerConditionally, type OutletStory, rssOf } from './feed-document.ts';
import type { OutletAnswer, OutletRequest } from './outlet-server.ts';

export interface OutletKind {
  /** Answers a request to its host; `since` is the time since the beginning. */
  answer(request: OutletRequest, since: number, stories: OutletStory[]): OutletAnswer;
  /** Milliseconds between two stories. */
  gap: number;
  hasValidators: boolean;
  /** The states that it has, in this order, and by when it must have each: milliseconds since the beginning. */
  states: [state: string, by: number][];
  /** The least time between two polls, in milliseconds. */
  least: number;
  /** Feeds of one kind that share a host, instead of a host for each. */
  sharesHost?: true;
  path: string;
  /** The number of the newest story; null while time goes on. */
  endsAt?: number;
}

const QUARTER = 13.5 * MINUTE;
const ACTIVE: OutletKind['states'] = [['active', 0]];

const withEtag = (request: OutletRequest, stories: OutletStory[], more = {}): OutletAnswer =>
  answerConditionally(request, rssOf(request.host, stories), { etag: true }, more);

function etag(gap: number, change: Partial<OutletKind> = {}): OutletKind {
  return {
    answer: (request, _since, stories) => withEtag(request, stories),
    ...{ gap, hasValidators: true, states: ACTIVE, least: QUARTER, path: '/feed' },
    ...change,
  };
}

function dated(gap: number): OutletKind {
  return etag(gap, {
    answer: (request, _since, stories) =>
      answerConditionally(request, rssOf(request.host, stories), { modifiedAt: stories[0]?.at ?? 0 }),
  });
}

function bare(gap: number): OutletKind {
  return etag(gap, {
    answer: ({ host }, _since, stories) => ({ status: 200, body: rssOf(host, stories) }),
    ...{ hasValidators: false, least: HOUR },
  });
}

/** As `etag`, with another answer for a while. */
function during(from: number, until: number, answer: OutletKind['answer'], states: OutletKind['states']): OutletKind {
  return etag(HOUR, {
    answer: (request, since, stories) =>
      since >= from && since < until ? answer(request, since, stories) : withEtag(request, stories),
    states,
  });
}

/** Always the same answer, which is no feed. */
function always(answer: OutletAnswer, states: OutletKind['states']): OutletKind {
  return etag(HOUR, { answer: () => answer, states, hasValidators: false });
}

/** What is sent to a host of outlets to which others redirect. */
const redirect = (status: number, host: string, path = '/feed'): OutletKind['answer'] => {
  return (request, since, stories) => {
    if (!request.host.startsWith('from-')) return withEtag({ ...request, host: 'moved.example' }, stories);
    const port = /:\d+$/.exec(request.headers.host ?? '')?.[0] ?? '';
    return { status, headers: { Location: `http://${host.replace('*', String(since))}${port}${path}` } };
  };
};

const PAGE: OutletAnswer = {
  status: 200,
  headers: { 'Content-Type': 'text/html' },
  body: '<!doctype html><title>Log in</title><p>Please log in.',
};
const CHALLENGE: OutletAnswer = { ...PAGE, body: '<!doctype html><script>window._cf_chl_opt = {};</script>' };
const retryAt = (until: number): OutletKind['answer'] => {
  return (_request, since) => ({
    status: 429,
    headers: { 'Retry-After': String(Math.ceil((until - since) / SECOND)) },
  });
};
const NEVER = Number.POSITIVE_INFINITY;
const FAILING: OutletKind['states'] = [['failing', 0]];

/** The outlets, by name. Each has a host of its own, except those that share one. */
export const KINDS: Record<string, OutletKind> = {
  ...Object.fromEntries([5, 20, 60, 120, 240, 720, 1440].map((gap) => [`etag-${gap}`, etag(gap * MINUTE)])),
  ...Object.fromEntries([30, 120, 180, 360].map((gap) => [`dated-${gap}`, dated(gap * MINUTE)])),
  ...Object.fromEntries([10, 60, 600].map((gap) => [`bare-${gap}`, bare(gap * MINUTE)])),
  'max-age': etag(20 * MINUTE, {
    answer: (request, _since, stories) => withEtag(request, stories, { 'Cache-Control': 'public, max-age=10800' }),
    least: 3 * HOUR,
  }),
  'busy-seconds': during(2 * HOUR, 5 * HOUR, retryAt(5 * HOUR), [
    ...ACTIVE,
    ['waiting', 4 * HOUR],
    ['active', 7 * HOUR],
  ]),
  'busy-date': during(
    3 * HOUR,
    8 * HOUR,
    ({ at }, since) => ({
      status: 503,
      headers: { 'Retry-After': new Date(at - since + 8 * HOUR + SECOND).toUTCString() },
    }),
    [...ACTIVE, ['waiting', 5 * HOUR], ['active', 10 * HOUR]],
  ),
  'busy-long': during(HOUR, NEVER, () => ({ status: 429, headers: { 'Retry-After': '864000' } }), [
    ...ACTIVE,
    ['waiting', 3 * HOUR],
  ]),
  'busy-silent': always({ status: 429 }, [['waiting', 0]]),
  forbidden: { ...always({ status: 403 }, [['blocked', 0]]), least: 0.9 * DAY },
  'forbidden-once': during(2 * HOUR, 4 * HOUR, () => ({ status: 403 }), [
    ...ACTIVE,
    ['blocked', 4 * HOUR],
    ['active', 34 * HOUR],
  ]),
  challenge: during(2 * HOUR, NEVER, () => CHALLENGE, [...ACTIVE, ['blocked', 4 * HOUR]]),
  page: during(2 * HOUR, NEVER, () => PAGE, [...ACTIVE, ['blocked', 4 * HOUR]]),
  'from-login': during(
    2 * HOUR,
    NEVER,
    (request, since, stories) =>
      request.host.startsWith('from-') ? redirect(308, 'login.example', '/login')(request, since, stories) : PAGE,
    [...ACTIVE, ['blocked', 4 * HOUR]],
  ),
  'not-found': always({ status: 404 }, [...FAILING, ['gone', 16 * DAY]]),
  'not-found-once': during(2 * HOUR, 4 * HOUR, () => ({ status: 404 }), [
    ...ACTIVE,
    ['failing', 4 * HOUR],
    ['active', 8 * HOUR],
  ]),
  gone: during(3 * HOUR, NEVER, () => ({ status: 410 }), [...ACTIVE, ['gone', 5 * HOUR]]),
  'from-permanent': etag(HOUR, { answer: redirect(301, 'moved.example'), states: [...ACTIVE, ['moved', 60 * HOUR]] }),
  'from-temporary': etag(HOUR, { answer: redirect(302, 'moved.example') }),
  'from-changing': etag(HOUR, { answer: redirect(301, 'moved-*.example') }),
  slow: always({ status: 200, body: rssOf('slow', [{ number: 1, at: 0 }]), fault: 'never' }, FAILING),
  cut: always({ status: 200, body: rssOf('cut', [{ number: 1, at: 0 }]), fault: 'cut' }, FAILING),
  broken: etag(HOUR, {
    answer: (request, _since, stories) =>
      answerConditionally(request, rssOf(request.host, stories).replaceAll('</link>', ''), { etag: true }),
  }),
  'no-feed': always({ status: 200, body: 'Hello' }, FAILING),
  error: always({ status: 500 }, FAILING),
  dormant: etag(DAY, { endsAt: -40 * DAY, states: [['dormant', 0]], least: 0.9 * DAY }),
  flood: etag(HOUR, {
    answer: (request, since, stories) => {
      const numbers = since < 5 * HOUR ? [] : Array.from({ length: 5_000 }, (_, index) => 1e6 + index);
      const flood = numbers.map((number) => ({ number, at: request.at - since + 5 * HOUR - number / 1_000 }));
      return withEtag(request, [...flood, ...stories]);
    },
    states: [...ACTIVE, ['held', 7 * HOUR]],
  }),
  burst: etag(HOUR, {
    answer: (request, since, stories) => {
      // Fifteen at once, every six hours.
      const last = Math.floor(since / (6 * HOUR));
      const at = request.at - since + last * 6 * HOUR;
      const burst = Array.from({ length: 15 }, (_, index) => ({ number: 1e6 + last * 100 + index, at: at - index }));
      return withEtag(request, [...burst, ...stories.slice(0, 3)]);
    },
  }),
  discovered: etag(HOUR, {
    answer: (request, _since, stories) => {
      if (request.path === '/real.xml') return withEtag(request, stories);
      return { ...PAGE, body: '<link rel="alternate" type="application/rss+xml" href="/real.xml">' };
    },
    path: '/',
  }),
  ...Object.fromEntries(
    [1, 2, 3, 4].map((number) => [`many-${number}`, etag(HOUR, { sharesHost: true, path: `/feed-${number}` })]),
  ),
  'many-busy': {
    ...during(6 * HOUR, 7 * HOUR, retryAt(7 * HOUR), [...ACTIVE, ['waiting', 7 * HOUR], ['active', 9 * HOUR]]),
    ...{ sharesHost: true, path: '/feed-busy' },
  },
  undated: etag(HOUR, {
    answer: (request, _since, stories) =>
      answerConditionally(request, rssOf(request.host, stories).replaceAll(/<pubDate>[^<]*<\/pubDate>/g, ''), {
        etag: true,
      }),
  }),
};
