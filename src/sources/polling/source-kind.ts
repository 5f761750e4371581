/** The difference between the newsroom's own sites and the feeds of other outlets: the reading, and its result. */
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import type { AnySource } from '../../core/config/sources.ts';
import type { Tx } from '../../core/store/store.ts';
import type { FetchClient, RequestGate } from '../../lib/guarded-fetch/fetch-client.ts';
import { type PollFindings, recordPollProgress, type SourceRow } from '../source-state.ts';
import type { ReadSignal } from './poll-state.ts';

/** Parts of an app that polling needs. */
export type PollApp = Pick<AppContext, 'store' | 'config' | 'clock' | 'log'>;

export interface SourceKind<S extends AnySource = AnySource, R = unknown> {
  /** Those of the configuration. */
  sources(config: Pick<Config, 'sources'>): S[];
  /** Ids of other sources that are never polled at the same time: each would take their common items for new. */
  siblings(config: Pick<Config, 'sources'>, source: S): string[];
  /** @param gate admits requests to a host, one after the other */
  openClient(app: PollApp, gate: RequestGate): FetchClient;
  /** The result of a poll that has stored nothing. */
  emptyResult(): R;
  /**
   * Reads a claimed source.
   * @returns what is stored in the transaction that ends the poll
   * @throws PollError
   */
  read(poll: Poll<S, R>): Promise<EndOfPoll>;
  /** What a poll has changed, as in `['3 added', '1 updated']`. */
  describeChanges(result: R): string[];
  /** What was repaired, left out or rejected, for people. */
  problems(result: R): string[];
  /** Tries a source that may not be configured. Nothing is stored. @throws PollError that says why there is none */
  try(app: TryApp, source: S, signal: AbortSignal): Promise<SourceTest>;
}

export type TryApp = Pick<AppContext, 'store' | 'config' | 'clock'>;

export type EndOfPoll = (tx: Tx, now: number) => Promise<{ signal: ReadSignal; findings: PollFindings }>;

/** A claimed poll under way. */
export interface Poll<S extends AnySource, R> extends PollApp {
  source: S;
  row: SourceRow;
  client: FetchClient;
  /** From -1 to 1. */
  jitter: number;
  signal: AbortSignal;
  /** Whether an operator has asked for it: nothing that could be put off is. */
  isByHand: boolean;
  /** Result of the parts that are stored so far. */
  result: R;
}

/** Findings at the address of a configured or proposed source. */
export interface SourceTest {
  /** What is polled, such as `the WordPress REST API`. */
  what: string;
  endpoint: string;
  /** Title that it gives itself. */
  title: string | null;
  /** Items that can be used. */
  items: number;
  /** The first ones; `detail` says what they would become, or be known by. */
  newest: { headline: string; url: string | null; published: string | null; detail: string }[];
  /** What an operator should know: what was repaired, left out or rejected. */
  notes: string[];
}

/** Another process has claimed the source since. */
export class LostClaimError extends Error {}

/** Records progress, and keeps the claim. @throws LostClaimError */
export async function progress(
  { store, row, clock }: Pick<Poll<AnySource, unknown>, 'store' | 'row' | 'clock'>,
  change: Parameters<typeof recordPollProgress>[2],
): Promise<void> {
  if (!(await recordPollProgress(store.db, row, change, clock()))) throw new LostClaimError();
  Object.assign(row, change);
}
