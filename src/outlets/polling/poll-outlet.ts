/**
 * Polls the feed of an outlet that was claimed. What it has read, and how it is polled next, are recorded in one
 * transaction, if the claim still holds: a process that dies loses and doubles nothing.
 */
import type { RoundupSource } from '../../core/config/config.ts';
import { inTransaction, type Store, type Tx } from '../../core/store/store.ts';
import type { FetchClient, RequestGate } from '../../lib/guarded-fetch/fetch-client.ts';
import { type Clock, MINUTE } from '../../lib/time.ts';
import { holdHost, openHostGate, type Wait } from '../../sources/host-gate.ts';
import { recordPollProgress, releaseSource, type SourceRow } from '../../sources/source-state.ts';
import { countHeldItems } from '../items/held-items.ts';
import { adoptOutletName } from '../items/item-keys.ts';
import { recordOutletItems } from '../items/outlet-items.ts';
import { afterPoll, type FeedCondition, type PollSignal } from './feed-state.ts';
import {
  conditionOf,
  type FeedFindings,
  findOutletFeed,
  hintsOf,
  type OutletFeedRow,
  recordOutletPoll,
} from './outlet-feeds.ts';
import type { OutletDocument } from './read-outlet-feed.ts';
import { type OutletResponse, requestFeed } from './request-feed.ts';

export interface OutletPollDeps {
  store: Store;
  /** Opens a client whose requests pass a gate. */
  openClient: (gate: RequestGate) => FetchClient;
  clock: Clock;
  wait: Wait;
  /** A random number from -1 to 1. */
  jitter: () => number;
  signal?: AbortSignal | undefined;
}

export type OutletPollOutcome =
  | {
      kind: 'polled';
      before: FeedCondition;
      after: FeedCondition;
      /** Null for never. */
      nextAt: number | null;
      /** New items; the old ones are dated before the window, or were there before the first poll. */
      added: number;
      old: number;
      /** Items that wait for the operator. */
      held: number;
      /** What was repaired or left out, for people. */
      problems: string[];
    }
  /** The process ends, or another process has taken over. */
  | { kind: 'stopped' };

/** The claim is renewed at most so often. */
const RENEW_EVERY = MINUTE / 2;

class LostOutletError extends Error {}

/** Polls a claimed source, and records how that ended. @throws what the store throws */
export async function pollClaimedOutlet(
  deps: OutletPollDeps,
  source: RoundupSource,
  row: SourceRow,
  { windowMs }: { windowMs: number },
): Promise<OutletPollOutcome> {
  const { store, clock } = deps;
  const startedAt = clock();
  const lost = new AbortController();
  const signal = deps.signal === undefined ? lost.signal : AbortSignal.any([lost.signal, deps.signal]);
  try {
    const feed = await findOutletFeed(store.db, row.id);
    const client = deps.openClient(openHostGate({ ...deps, db: store.db, onWait: renewing(deps, row, lost) }));
    const response = await requestFeed({ client, clock, signal }, source, row);
    // Before the transaction, which may be repeated.
    const jitter = deps.jitter();
    return await inTransaction(store.db, (tx) =>
      recordResponse({ tx, clock }, { source, row, feed, response }, { startedAt, windowMs, jitter }),
    );
  } catch (error) {
    if (error instanceof LostOutletError || lost.signal.aborted) return { kind: 'stopped' };
    if (deps.signal?.aborted) {
      await releaseSource(store.db, row, clock());
      return { kind: 'stopped' };
    }
    throw error;
  }
}

/** Keeps the claim while requests wait for their host. */
function renewing({ store, clock }: OutletPollDeps, row: SourceRow, lost: AbortController): () => Promise<void> {
  let renewedAt = clock();
  return async () => {
    const now = clock();
    if (now - renewedAt < RENEW_EVERY) return;
    renewedAt = now;
    if (!(await recordPollProgress(store.db, row, {}, now))) lost.abort(new LostOutletError());
  };
}

interface PolledFeed {
  source: RoundupSource;
  row: SourceRow;
  feed: OutletFeedRow | null;
  response: OutletResponse;
}

/** @throws LostOutletError */
async function recordResponse(
  { tx, clock }: { tx: Tx; clock: Clock },
  { source, row, feed, response }: PolledFeed,
  { startedAt, windowMs, jitter }: { startedAt: number; windowMs: number; jitter: number },
): Promise<OutletPollOutcome> {
  const now = clock();
  const condition = conditionOf(row, feed, now);
  const recorded =
    response.kind === 'document'
      ? await recordDocument(tx, { source, row }, response.document, { now, windowMs })
      : null;
  if (response.kind === 'unchanged') await adoptOutletName(tx, { source: row.id, outlet: source.outlet });
  if (response.kind === 'problem' && response.hold !== null)
    await holdHost(tx, response.hold.host, response.hold.until, now);
  const held = recorded?.held ?? (await countHeldItems(tx, row.id));
  const before = response.kind === 'problem' ? condition : { ...condition, endpoint: response.endpoint };
  const { signal, findings } = learn(response, { feed, recorded, held });
  const transition = afterPoll(before, signal, { now, jitter });
  if (!(await recordOutletPoll(tx, row, transition, { startedAt, now, findings }))) throw new LostOutletError();
  const { added = 0, old = 0, problems = [] } = recorded ?? {};
  const readProblems = response.kind === 'document' ? response.document.problems : [];
  return {
    ...{ kind: 'polled', before: condition, after: transition.condition, nextAt: transition.nextAt },
    ...{ added, old, held, problems: [...readProblems, ...problems] },
  };
}

type Recorded = NonNullable<Awaited<ReturnType<typeof recordOutletItems>>>;

/** @throws LostOutletError */
async function recordDocument(
  tx: Tx,
  { source, row }: Pick<PolledFeed, 'source' | 'row'>,
  { entries }: OutletDocument,
  times: { now: number; windowMs: number },
): Promise<Recorded> {
  const { language } = source;
  const inLanguage = language === undefined ? entries : entries.map((entry) => ({ ...entry, language }));
  const recorded = await recordOutletItems(tx, row, source.outlet, inLanguage, times);
  if (recorded === null) throw new LostOutletError();
  return recorded;
}

/** What a response says of the feed. */
function learn(
  response: OutletResponse,
  { feed, recorded, held }: { feed: OutletFeedRow | null; recorded: Recorded | null; held: number },
): { signal: PollSignal; findings: FeedFindings } {
  if (response.kind === 'problem') return { signal: response.signal, findings: {} };
  const { movedTo, maxAge, etag, lastModified } = response;
  if (response.kind === 'unchanged') {
    const rhythm = { itemGap: feed?.item_gap ?? null, maxAge, hints: hintsOf(feed), hasValidators: true };
    return { signal: { kind: 'read', movedTo, knowsOne: null, newsAt: null, held, rhythm }, findings: {} };
  }
  const { itemGap, hints, repaired } = response.document;
  const hasValidators = (etag ?? lastModified) !== null;
  const rhythm = { itemGap, maxAge, hints, hasValidators };
  // Before the first document nothing is known, and the new place is as good as the old one.
  const knowsOne = feed === null || feed.read_at === null ? null : (recorded?.knowsOne ?? false);
  return {
    signal: { kind: 'read', movedTo, knowsOne, newsAt: recorded?.newsAt ?? null, held, rhythm },
    findings: { etag, lastModified, repaired, itemGap, hints },
  };
}
