/**
 * What an operator decides about the polls of a source. Each takes effect in the process that polls, within seconds.
 * The parameter `kind` is the kind of the source, from SOURCE_KINDS of outlets/polling/outlet-feeds.ts; `onCommit` is
 * called last, in the same transaction.
 */
import type { AppContext } from '../core/app-context.ts';
import type { Config } from '../core/config/config.ts';
import type { AnySource } from '../core/config/sources.ts';
import type { InTransaction, Tx } from '../core/store/store.ts';
import { inTransaction } from '../core/store/store.ts';
import { findSourceRow, requestPoll, setPaused } from './source-state.ts';

/** Why a poll that an operator requests does not happen. */
export type PollObstacle =
  /** It is paused, or gone: it must be resumed first. */
  | { kind: 'stopped'; why: 'paused' | 'gone' }
  /** Its server asked not to be called before. */
  | { kind: 'waiting'; until: number };

/** What differs between the newsroom's own sites and the feeds of other outlets. Instants are epoch milliseconds. */
export interface SourceKind {
  /** Adds a source of the configuration to the store, if it is new. */
  register(tx: Tx, config: Config, source: AnySource, now: number): Promise<void>;
  /** Polls a paused source again. */
  resume(tx: Tx, id: string, now: number): Promise<void>;
  /** Why a source that is not paused cannot be polled now, or null. */
  findObstacle(tx: Tx, id: string, now: number): Promise<PollObstacle | null>;
}

type ControlApp = Pick<AppContext, 'store' | 'config' | 'clock'>;

/** Pauses the polls of a source. */
export function pauseSource(
  { store, config, clock }: ControlApp,
  kind: SourceKind,
  source: AnySource,
  onCommit?: InTransaction,
): Promise<void> {
  return inTransaction(store.db, async (tx) => {
    await kind.register(tx, config, source, clock());
    await setPaused(tx, source.id, true, clock());
    await onCommit?.(tx);
  });
}

/** Polls a paused source again, and the feed of an outlet that is gone. */
export function resumeSource(
  { store, config, clock }: ControlApp,
  kind: SourceKind,
  source: AnySource,
  onCommit?: InTransaction,
): Promise<void> {
  return inTransaction(store.db, async (tx) => {
    await kind.register(tx, config, source, clock());
    await kind.resume(tx, source.id, clock());
    await onCommit?.(tx);
  });
}

/** Makes a source due at once: the process that polls does so within seconds. */
export function requestSourcePoll(
  { store, config, clock }: ControlApp,
  kind: SourceKind,
  source: AnySource,
  onCommit?: InTransaction,
): Promise<{ kind: 'requested' } | PollObstacle> {
  return inTransaction(store.db, async (tx) => {
    const now = clock();
    await kind.register(tx, config, source, now);
    const row = await findSourceRow(tx, source.id);
    if (row?.paused_at != null) return { kind: 'stopped', why: 'paused' };
    const obstacle = await kind.findObstacle(tx, source.id, now);
    if (obstacle !== null) return obstacle;
    await requestPoll(tx, source.id, now);
    await onCommit?.(tx);
    return { kind: 'requested' };
  });
}
