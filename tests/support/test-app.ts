/**
 * An AppContext in this process: the sample's configuration with a folder of its own, a given store, and a clock set by
 * hand.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AppContext } from '../../src/app/app-context.ts';
import { loadSampleNewsroom } from '../../src/app/sample.ts';
import { parseConfig } from '../../src/config/config.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import type { Store } from '../../src/store/store.ts';

const root = resolve(import.meta.dirname, '../..');

/** 2026-11-24 20:00 in Shanghai. */
export const NOW = Date.parse('2026-11-24T12:00:00Z');

export interface TestApp extends AppContext {
  /** Holds feeds, mail and templates. */
  folder: string;
  /** What the clock returns. */
  now: number;
}

export interface TestAppOptions {
  /** Secrets. */
  env?: NodeJS.ProcessEnv;
  /** Changes the text of config/daywire.yaml. */
  edit?: (yaml: string) => string;
}

/** Without articles and subscribers. Its server takes any free port. */
export function openTestApp(store: Store, { env = {}, edit = (yaml) => yaml }: TestAppOptions = {}): TestApp {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-app-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = edit(readFileSync(join(root, 'config/daywire.yaml'), 'utf8'))
    .replace('port: 8080', 'port: 0')
    .replace('media: sample/media', `media: ${root}/sample/media`);
  const secrets = { DAYWIRE_SECRET: 's'.repeat(40), ...env };
  const config = parseConfig(text, { file: 'daywire.yaml', env: secrets, cwd: folder });
  const app: TestApp = {
    folder,
    now: NOW,
    config,
    store,
    templates: openTemplates(config.paths.templates, config.publication.zone),
    clock: () => app.now,
    log: { info() {}, warn() {}, error() {} },
  };
  return app;
}

/** With the sample's articles and subscribers. */
export async function openSampleApp(store: Store, options?: TestAppOptions): Promise<TestApp> {
  const app = openTestApp(store, options);
  await loadSampleNewsroom(app.store, app.config, { now: NOW });
  return app;
}
