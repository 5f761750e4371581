/**
 * `daywire start` of a benchmark, in its own process: it serves, and delivers signed messages to a sink.
 */

import { join } from 'node:path';
import { openParts } from '../src/app/context-parts.ts';
import { type RunningApp, type StartOptions, start } from '../src/app/start.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { readDeliveryCounts } from '../src/core/store/counts.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { openLog } from '../src/lib/log.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { benchConfig, SECRETS } from './delivery-config.ts';

export interface DeliveringSetup {
  folder: string;
  store: { databaseUrl?: string; path: string };
  smtpUrl: string;
  connections: number;
}

export interface DeliveringServer extends RunningApp {
  app: AppContext;
}

/** Starts the roles on free ports. `stop` closes the store, too. */
export async function startDeliveringServer(
  setup: DeliveringSetup,
  options: Pick<StartOptions, 'roles' | 'openDesk'>,
): Promise<DeliveringServer> {
  const base = benchConfig(setup.folder, setup.smtpUrl, setup.connections);
  const config = {
    ...base,
    paths: { ...base.paths, data: setup.folder, feeds: join(setup.folder, 'feeds') },
    server: { ...base.server, port: 0, metrics: { host: '127.0.0.1', port: 0 } },
    secrets: { ...base.secrets, signingSecret: SECRETS[0] },
  };
  const store = await openStore(setup.store);
  const log = openLog(process.stderr, 'error');
  const app = {
    config,
    store,
    ...openParts(config, store, { clock: Date.now, log }),
    templates: openTemplates(config.paths.templates, config.publication.zone),
    clock: Date.now,
    log,
  };
  const running = await start(app, { ...options, stop: new AbortController().signal });
  return {
    ...running,
    app,
    async stop() {
      await running.stop();
      await store.close();
    },
  };
}

/** The messages of an edition that were submitted so far. */
export async function countSubmitted({ db }: Pick<Store, 'db'>, editionId: number): Promise<number> {
  const counts = await readDeliveryCounts(db, [editionId]);
  return counts.find(({ state }) => state === 'submitted')?.count ?? 0;
}

/** For the process that measures, one line each. */
export function printLine(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
