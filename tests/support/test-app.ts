/**
 * An AppContext in this process: the sample's configuration with a folder of its own, a given store, and a clock set by
 * hand.
 */
import { openParts } from '../../src/app/context-parts.ts';
import { loadSampleNewsroom } from '../../src/app/sample/newsroom.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import type { Store } from '../../src/core/store/store.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { clockAt, NOW } from './clock.ts';
import { ROOT, sampleConfig, withoutSources } from './sample.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface TestApp extends AppContext {
  /** What the clock returns. */
  now: number;
  /** Holds feeds, mail and templates. */
  folder: string;
}

export interface TestAppOptions {
  /** Secrets. */
  env?: NodeJS.ProcessEnv;
  /** Changes the text of the sample's configuration, which has no sources here unless `outlets` is true. */
  edit?: (yaml: string) => string;
  /** Ids of the feeds to keep; a run with one feed takes half as long as one with all. */
  feeds?: string[];
  /** Whether it polls the sample's outlets. */
  outlets?: boolean;
  /** An empty folder of the caller; default: one that is removed when the test has finished. */
  folder?: string;
}

/** Without articles and subscribers. Its server takes any free port. */
export function openTestApp(
  store: Store,
  { env = {}, edit = (yaml) => yaml, feeds, outlets = false, folder = temporaryFolder() }: TestAppOptions = {},
): TestApp {
  const parsed = sampleConfig(
    (yaml) =>
      edit(outlets ? yaml : withoutSources(yaml))
        .replace('port: 8080', 'port: 0')
        .replace('metrics: 127.0.0.1:9464', 'metrics: 127.0.0.1:0')
        .replace(/(media|imprint|privacy|file): sample\//g, `$1: ${ROOT}/sample/`),
    { env: { DAYWIRE_SECRET: 's'.repeat(40), ...env }, cwd: folder },
  );
  const config = { ...parsed, feeds: parsed.feeds.filter(({ id }) => feeds?.includes(id) ?? true) };
  const at = clockAt(NOW);
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return Object.assign(at, {
    folder,
    config,
    store,
    ...openParts(config, store, { clock: at.clock, log }),
    templates: openTemplates(config.paths.templates, config.publication.zone),
    log,
  });
}

/** With the sample's articles and subscribers. */
export async function openSampleApp(store: Store, options?: TestAppOptions): Promise<TestApp> {
  const app = openTestApp(store, options);
  // As a first start does.
  await app.keys.signingSecrets();
  await loadSampleNewsroom(app.store, app.config, { now: NOW });
  return app;
}
