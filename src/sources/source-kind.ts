import type { Config } from '../core/config/config.ts';
import type { AnySource } from '../core/config/sources.ts';
import type { Tx } from '../core/store/store.ts';

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
