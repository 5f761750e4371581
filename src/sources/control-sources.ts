/**
 * What an operator decides about the polls of a source. Each takes effect in the process that polls, within seconds.
 */

import type { AppContext } from '../core/app-context.ts';
import type { AnySource } from '../core/config/sources.ts';
import type { Tx } from '../core/store/store.ts';
import { type InTransaction, inTransaction } from '../core/store/transaction.ts';
import { findOutletFeed, registerOutlets, resumeOutlet } from '../outlets/polling/outlet-feeds.ts';
import { findSourceRow, registerSources, requestPoll, setPaused } from './source-state.ts';

type ControlApp = Pick<AppContext, 'store' | 'config' | 'clock'>;

/** Pauses the polls of a source. @param onCommit called last, in the same transaction */
export function pauseSource(app: ControlApp, source: AnySource, onCommit?: InTransaction): Promise<void> {
  return inTransaction(app.store.db, async (tx) => {
    await register(tx, app, source);
    await setPaused(tx, source.id, true, app.clock());
    await onCommit?.(tx);
  });
}

/** Polls a paused source again, and the feed of an outlet that is gone. @param onCommit as for `pauseSource` */
export function resumeSource(app: ControlApp, source: AnySource, onCommit?: InTransaction): Promise<void> {
  return inTransaction(app.store.db, async (tx) => {
    await register(tx, app, source);
    if (source.use === 'roundup') await resumeOutlet(tx, source.id, app.clock());
    else await setPaused(tx, source.id, false, app.clock());
    await onCommit?.(tx);
  });
}

export type PollRequest =
  | { kind: 'requested' }
  /** It is paused, or gone: it must be resumed first. */
  | { kind: 'stopped'; why: 'paused' | 'gone' }
  /** Its server asked not to be called before. */
  | { kind: 'waiting'; until: number };

/**
 * Makes a source due at once: the process that polls does so within seconds.
 * @param onCommit called last, in the same transaction, where it is requested
 */
export function requestSourcePoll(app: ControlApp, source: AnySource, onCommit?: InTransaction): Promise<PollRequest> {
  return inTransaction(app.store.db, async (tx): Promise<PollRequest> => {
    const now = app.clock();
    await register(tx, app, source);
    const row = await findSourceRow(tx, source.id);
    if (row?.paused_at != null) return { kind: 'stopped', why: 'paused' };
    const feed = source.use === 'roundup' ? await findOutletFeed(tx, source.id) : null;
    if (feed?.state === 'gone') return { kind: 'stopped', why: 'gone' };
    if (feed?.state === 'waiting' && row !== null && row.due_at > now) return { kind: 'waiting', until: row.due_at };
    await requestPoll(tx, source.id, now);
    await onCommit?.(tx);
    return { kind: 'requested' };
  });
}

async function register(tx: Tx, { config, clock }: ControlApp, source: AnySource): Promise<void> {
  if (source.use === 'roundup') await registerOutlets(tx, [source], clock());
  else await registerSources(tx, { ...config, sources: [source] }, clock());
}
