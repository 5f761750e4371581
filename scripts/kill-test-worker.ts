/**
 * A delivering process for the kill test. Its clock is set ahead, so that leases expire without waiting. It exits when
 * nothing is due.
 */
import { readFileSync } from 'node:fs';
import { parseConfig } from '../src/core/config/config.ts';
import { openStore } from '../src/core/store/store.ts';
import { deliver } from '../src/delivery/deliver.ts';
import { openTransport } from '../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../src/lib/templates.ts';

export interface WorkerOptions {
  databaseUrl?: string | undefined;
  path: string;
  smtpUrl: string;
  connections: number;
  /** Milliseconds by which its clock is ahead. */
  ahead: number;
  /** Default: the sample's. */
  configFile?: string;
  /** The signing secret. */
  secret?: string;
}

const {
  databaseUrl,
  path,
  smtpUrl,
  connections,
  ahead,
  configFile: file = 'config/daywire.yaml',
  secret = 'a secret of the kill test, thirty-two characters',
} = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const sample = parseConfig(readFileSync(file, 'utf8'), { file, env: {}, cwd: process.cwd() });
const config = {
  ...sample,
  delivery: { ...sample.delivery, transport: 'smtp' as const, connections },
  secrets: { smtpUrl },
};
const store = await openStore({ databaseUrl, path });
const report = await deliver(store, config, openTransport(config), {
  clock: () => Date.now() + ahead,
  secrets: [secret],
  signers: [],
  templates: openTemplates(config.paths.templates, config.publication.zone),
});
await store.close();
if (report.stopped !== null) throw new Error(report.stopped);
