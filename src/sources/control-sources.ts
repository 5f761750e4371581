/**
 * What an operator decides about the polls of a source. Each takes effect in the process that polls, within seconds.
 * `onCommit` is called last, in the same transaction.
 */
import type { Action } from '../core/actions.ts';
import type { AppContext } from '../core/app-context.ts';
import type { AnySource } from '../core/config/sources.ts';
import { type InTransaction, inTransaction, type Tx } from '../core/store/store.ts';
import {
  askedPause,
  findSourceRow,
  pausePolls,
  registerSources,
  requestPoll,
  resumePolls,
  type SourceRow,
} from './source-state.ts';

type ControlApp = Pick<AppContext, 'store' | 'config' | 'clock'>;

/** Pauses the polls of a source, or polls a paused one again, and one that is gone. */
export function setPaused(
  app: ControlApp,
  source: AnySource,
  isPaused: boolean,
  onCommit?: InTransaction,
): Promise<void> {
  return withSource(app, source, async (tx, { id }, now) => {
    await (isPaused ? pausePolls : resumePolls)(tx, id, now);
    await onCommit?.(tx);
  });
}

/** Makes a source due at once: the process that polls does so within seconds. */
export function requestSourcePoll(
  app: ControlApp,
  source: AnySource,
  onCommit?: InTransaction,
): Promise<
  | { kind: 'requested' }
  /** It must be resumed first. */
  | { kind: 'stopped'; why: 'paused' | 'gone' }
  /** Its server asked not to be called before. */
  | { kind: 'waiting'; until: number }
> {
  return withSource(app, source, async (tx, row, now) => {
    if (row.paused_at !== null) return { kind: 'stopped', why: 'paused' };
    if (row.state === 'gone') return { kind: 'stopped', why: 'gone' };
    const until = askedPause(row, now);
    if (until !== null) return { kind: 'waiting', until };
    await requestPoll(tx, row.id, now);
    await onCommit?.(tx);
    return { kind: 'requested' };
  });
}

function withSource<T>(
  { store, config, clock }: ControlApp,
  source: AnySource,
  act: (tx: Tx, row: SourceRow, now: number) => Promise<T>,
): Promise<T> {
  return inTransaction(store.db, async (tx) => {
    const now = clock();
    await registerSources(tx, config, [source], now);
    return act(tx, (await findSourceRow(tx, source.id)) as SourceRow, now);
  });
}

/** Where the desk has the commands of the group `sources`. */
const AT_DESK = {
  accept: '“Accept” on the page Sources',
  'accept --ignore': '“Ignore for good” on the page Sources',
  resume: '“Resume” on the page Sources',
  withdraw: '“Retract the articles” on the page Sources',
  'withdraw --keep': '“Keep the articles” on the page Sources',
} as const;

/** What an operator can do about a source. @param to see `Action` */
export function sourceAction(verb: keyof typeof AT_DESK, to: string, id: string): Action {
  const [command, option] = verb.split(' ');
  return { to, command: ['sources', command, id, option].filter(Boolean).join(' '), desk: AT_DESK[verb] };
}

/** The page of the desk that has a source. */
export function sourcePage({ source }: Readonly<Record<string, string | number>>) {
  const path = source === undefined ? '/sources' : `/sources#source-${encodeURIComponent(source)}`;
  return { label: 'The source', path, needs: 'editions.read' as const };
}
