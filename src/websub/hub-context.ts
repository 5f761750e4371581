/**
 * What the hub's tasks work with.
 */
import type { Config } from '../config/config.ts';
import type { SigningSecrets } from '../config/signing-secrets.ts';
import type { Resolve } from '../lib/guarded-fetch/guarded-socket.ts';
import type { Log } from '../lib/log.ts';
import type { Clock } from '../lib/time.ts';
import type { Store } from '../store/store.ts';

export interface HubContext {
  store: Store;
  config: Pick<Config, 'hub' | 'publication'>;
  /** They encrypt the subscribers' secrets. */
  secrets: SigningSecrets;
  clock: Clock;
  log: Log;
  /** Default: DNS. */
  resolve?: Resolve;
}
