/**
 * The sample newsroom at work in this process: its configuration in a folder of its own, a store of one's choice, a clock set by hand.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { AppContext } from '../../src/app/app-context.ts';
import { parseConfig } from '../../src/config/config.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import type { Store } from '../../src/store/store.ts';

const root = resolve(import.meta.dirname, '../..');

/** 2026-11-24 20:00 in Shanghai. */
export const NOW = Date.parse('2026-11-24T12:00:00Z');

export interface TestNewsroom extends AppContext {
  /** Where its feeds, mail and templates are. */
  folder: string;
  /** Its wall clock. */
  now: number;
}

/**
 * Opens it. Its server takes any free port.
 * @param options.env secrets; `edit` changes the text of config/daywire.yaml
 */
export function openTestNewsroom(
  store: Store,
  options: { env?: NodeJS.ProcessEnv; edit?: (yaml: string) => string } = {},
): TestNewsroom {
  const { env = {}, edit = (yaml) => yaml } = options;
  const folder = mkdtempSync(join(tmpdir(), 'daywire-newsroom-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = edit(readFileSync(join(root, 'config/daywire.yaml'), 'utf8'))
    .replace('port: 8080', 'port: 0')
    .replace('media: sample/media', `media: ${root}/sample/media`);
  const secrets = { DAYWIRE_SECRET: 's'.repeat(40), ...env };
  const config = parseConfig(text, { file: 'daywire.yaml', env: secrets, cwd: folder });
  const newsroom: TestNewsroom = {
    folder,
    now: NOW,
    config,
    store,
    templates: openTemplates(config.paths.templates, config.publication.zone),
    clock: () => newsroom.now,
    log: { info() {}, warn() {}, error() {} },
  };
  return newsroom;
}
