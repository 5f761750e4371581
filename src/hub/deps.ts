/**
 * What the hub's errands are made from: handed in by the shell that starts them.
 */
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import type { SigningSecrets } from '../subscribers/secret.ts';
import type { Clock } from '../time.ts';
import type { Resolve } from './guarded-request.ts';

export interface HubDeps {
  store: Store;
  config: Pick<Config, 'hub' | 'publication'>;
  /** They seal subscribers' secrets. */
  secrets: SigningSecrets;
  clock: Clock;
  log: Log;
  /** Default: by DNS. */
  resolve?: Resolve;
}
