import type { ContextParts } from '../core/app-context.ts';
import type { Config } from '../core/config/config.ts';
import type { Store } from '../core/store/store.ts';
import { pauseRetracted } from '../delivery/control/retraction.ts';
import { openKeys } from '../delivery/message/open-keys.ts';

/** What delivery gives to every context. */
export function openParts(config: Config, store: Store): ContextParts {
  return { keys: openKeys(config, store), beforePublish: pauseRetracted };
}
