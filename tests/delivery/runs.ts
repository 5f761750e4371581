/**
 * Delivery runs at an instant that the test sets.
 */
import { NOW } from '../../scripts/test-edition.ts';
import type { Config } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { deliver } from '../../src/delivery/deliver.ts';
import type { DeliverOptions, DeliveryRunResult } from '../../src/delivery/run.ts';
import type { Connection, Transport } from '../../src/delivery/transport/connection.ts';
import { openTransport } from '../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { SECRETS } from '../support/sample.ts';
import { testConfig } from './fixture.ts';

const TEMPLATES = openTemplates('templates', 'UTC');
/** Parsing it takes longer than a run. */
const CONFIG = testConfig({ delivery: { transport: 'smtp', connections: 2 } });

export type RunOptions = Partial<DeliverOptions> & { now?: number; delivery?: Partial<Config['delivery']> };

/** Options without keys and without chance. */
export function optionsAt(now: number, changes: Partial<DeliverOptions> = {}): DeliverOptions {
  return { clock: () => now, secrets: SECRETS, signers: [], templates: TEMPLATES, random: () => 0, ...changes };
}

/** Delivers over SMTP what is due, by default over two connections. */
export function deliverOver(store: Store, url: string, options: RunOptions = {}): Promise<DeliveryRunResult> {
  const { now = NOW, delivery, ...rest } = options;
  const config = { ...CONFIG, delivery: { ...CONFIG.delivery, ...delivery }, secrets: { smtpUrl: url } };
  return deliver(store, config, openTransport(config), optionsAt(now, rest));
}

/** A transport without a network. */
export function fakeTransport(submit: Connection['submit'], connections = 2): Transport {
  return {
    connections,
    connect: async () => ({ usable: true, submit, close: () => {} }),
    verify: async () => {},
    waits: () => [],
    stop: () => {},
  };
}

/** That many addresses, by turns of some domains. */
export function addresses(count: number, domains: number): string[] {
  return Array.from({ length: count }, (_, n) => `subscriber${n}@domain${n % domains}.example`);
}
