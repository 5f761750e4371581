/**
 * A newsroom opened for work: its configuration, store and templates. Every command begins here.
 */
import { type Config, loadConfig } from '../config/config.ts';
import type { Log } from '../lib/log.ts';
import { openTemplates, type Templates } from '../lib/templates.ts';
import type { Clock } from '../lib/time.ts';
import { ensureSchema } from '../store/schema.ts';
import { openStore, type Store } from '../store/store.ts';

export interface AppContext {
  readonly config: Config;
  readonly store: Store;
  readonly templates: Templates;
  readonly clock: Clock;
  readonly log: Log;
}

/** Where a command runs: what the process gives it. */
export interface ProcessEnv {
  configFile: string;
  env: NodeJS.ProcessEnv;
  cwd: string;
  clock: Clock;
  log: Log;
}

/**
 * Opens the newsroom, and makes the schema of an empty database. The caller closes the store.
 * @throws ConfigError, StoreError
 */
async function openAppContext(surroundings: ProcessEnv): Promise<AppContext> {
  const { configFile, env, cwd, clock, log } = surroundings;
  const config = loadConfig(configFile, env, cwd);
  const store = await openStore({ databaseUrl: config.secrets.databaseUrl, path: config.paths.store });
  try {
    await ensureSchema(store);
    const templates = openTemplates(config.paths.templates, config.publication.zone);
    return { config, store, templates, clock, log };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Opens the newsroom, calls `work`, and closes it whatever happens. */
export async function withAppContext<T>(surroundings: ProcessEnv, work: (app: AppContext) => Promise<T>): Promise<T> {
  const app = await openAppContext(surroundings);
  try {
    return await work(app);
  } finally {
    await app.store.close();
  }
}
