/**
 * Checks the store: whether it opens, its schema, and what it holds against the configuration.
 */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { countSubscriptions } from '../../audience/subscriptions.ts';
import { alertText } from '../../core/alerts/alerts.ts';
import type { Config } from '../../core/config/config.ts';
import { type Finding, firstLine, ok, problem, warning } from '../../core/finding.ts';
import { schemaState } from '../../core/store/schema.ts';
import { openStore, type Store } from '../../core/store/store.ts';
import { findUnconfigured, unconfiguredAlert } from '../../delivery/monitor/waiting-alerts.ts';
import { findStrandedDrafts } from '../../editions/draft/stranded-drafts.ts';
import { outletWarnings } from '../../outlets/check-outlets.ts';
import { checkDesk } from './desk.ts';
import { isWritable } from './folders.ts';
import { checkProviderReports } from './mail-provider.ts';
import { checkProxies } from './server.ts';

export async function checkStore(config: Config, now: number): Promise<Finding[]> {
  const { databaseUrl } = config.secrets;
  const { store: file } = config.paths;
  if (databaseUrl === undefined && !existsSync(file)) {
    return isWritable(dirname(file))
      ? [ok(`store: the first start creates ${file}`)]
      : [problem(`paths.store is ${file}: its folder cannot be written`)];
  }
  try {
    const store = await openStore({ databaseUrl, path: config.paths.store });
    try {
      return await checkSchema(store, config, now);
    } finally {
      await store.close();
    }
  } catch (error) {
    return [problem(`store: ${firstLine(error)}`)];
  }
}

async function checkSchema(store: Store, config: Config, now: number): Promise<Finding[]> {
  const state = await schemaState(store);
  switch (state.kind) {
    case 'current':
      return [ok(`store: ${store.location}, schema up to date`), ...(await checkContent(store, config, now))];
    case 'empty':
      return [ok(`store: ${store.location} is empty; the first start creates its schema`)];
    case 'stale':
      return [problem(`store: ${store.location} lacks ${state.missing.join(', ')}: run "daywire migrate"`)];
    case 'newer':
      return [problem(`store: ${store.location} belongs to a newer daywire: it has ${state.unknown.join(', ')}`)];
  }
}

export async function checkContent(store: Store, config: Config, now: number): Promise<Finding[]> {
  return [
    ...(await checkNewsletters(store, config)),
    ...(await checkDrafts(store, config, now)),
    ...(await checkSubscribers(store, config)),
    ...(await checkDesk(store, config, now)),
    ...(await checkProxies(store, config, now)),
    ...(await checkProviderReports(store, config, now)),
    ...(await outletWarnings(store, config)).map(warning),
  ];
}

async function checkSubscribers({ db }: Store, { newsletters }: Config): Promise<Finding[]> {
  const counts = await countSubscriptions(db);
  const isSubscribed = (id: string): boolean =>
    counts.some(({ newsletter, state, count }) => newsletter === id && state === 'confirmed' && count > 0);
  return newsletters
    .filter(({ id }) => !isSubscribed(id))
    .map(({ id }) => warning(`newsletters ${id}: nobody is subscribed, so its editions reach nobody`));
}

async function checkNewsletters(store: Store, config: Config): Promise<Finding[]> {
  return (await findUnconfigured({ store, config })).map((one) =>
    warning(`newsletters: ${alertText(unconfiguredAlert(one))}`),
  );
}

async function checkDrafts(store: Store, config: Config, now: number): Promise<Finding[]> {
  return (await findStrandedDrafts({ store, config }, now)).map((one) => warning(`drafts: ${alertText(one)}`));
}
