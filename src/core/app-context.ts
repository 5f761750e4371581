/** What every operation takes: configuration, store, keys, templates, clock and log, opened together. */
import type { Log } from '../lib/log.ts';
import { openTemplates, type Templates } from '../lib/templates.ts';
import type { Clock } from '../lib/time.ts';
import type { AlertSender } from './alerts/alert-sender.ts';
import { type Config, loadConfig } from './config/config.ts';
import type { Keys } from './keys.ts';
import { ensureSchema } from './store/schema.ts';
import { openStore, type Store } from './store/store.ts';

export interface AppContext {
  readonly config: Config;
  readonly store: Store;
  readonly keys: Keys;
  readonly templates: Templates;
  readonly clock: Clock;
  readonly log: Log;
  readonly alerts: AlertSender;
  /** Called before feeds are published: pauses editions that may no longer go out. */
  beforePublish(app: AppContext): Promise<void>;
}

/** Members of the context that later modules provide. */
export type ContextParts = Pick<AppContext, 'keys' | 'alerts' | 'beforePublish'>;

/** What the process provides. */
export interface ProcessEnv {
  configFile: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  clock: Clock;
  log: Log;
  /** Whether `work` waits for a database that is away, and creates the schema itself. */
  isLasting?: boolean | undefined;
}

export type ProcessTools = Pick<ProcessEnv, 'clock' | 'log'>;

/**
 * Opens the context, creating the schema in an empty database unless `isLasting`; calls `work`; sends alerts and closes
 * the context, also after an error.
 * @throws ConfigError, StoreError, or what `work` throws
 */
export async function withAppContext<T>(
  processEnv: ProcessEnv,
  openParts: (config: Config, store: Store, env: ProcessTools) => ContextParts,
  work: (app: AppContext) => Promise<T>,
): Promise<T> {
  const { configFile, env, cwd, clock, log, isLasting } = processEnv;
  const config = loadConfig(configFile, env, cwd);
  const { databaseUrl } = config.secrets;
  const store = await openStore({ databaseUrl, path: config.paths.store, isLasting });
  let parts: ContextParts | undefined;
  try {
    if (!isLasting) await ensureSchema(store);
    const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
    parts = openParts(config, store, processEnv);
    return await work({ config, store, templates, clock, log, ...parts });
  } finally {
    await parts?.alerts.send();
    await store.close();
  }
}
