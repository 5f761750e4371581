/**
 * Alerts about deliveries that wait until an operator acts. They resolve by themselves.
 */

import { listOpenAlerts, resolveAlerts, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { listPausedDomainsOfUnfinished } from '../control/paused-domains.ts';
import { countUncertainByEdition, listUnconfigured } from '../queue/queries.ts';
import { domainAlert } from '../status/edition-status.ts';

/** Prefix of the alert keys of newsletters that the configuration has no more. */
const UNCONFIGURED = 'unconfigured:';

/** Alert key of uncertain deliveries under `delivery.uncertain: hold`. */
const UNCERTAIN = 'uncertain';

/** Newsletters that are not configured and have deliveries that wait, with their editions. */
export async function findUnconfigured({
  store,
  config,
}: Pick<AppContext, 'store' | 'config'>): Promise<{ newsletter: string; open: number; editions: string[] }[]> {
  const ids = config.newsletters.map(({ id }) => id);
  const rows = await listUnconfigured(store.reports, ids);
  return [...Map.groupBy(rows, (row) => row.newsletter)].map(([newsletter, editions]) => ({
    newsletter,
    open: editions.reduce((sum, edition) => sum + edition.open, 0),
    editions: editions.map(({ slot }) => `${newsletter}/${slot}`),
  }));
}

/** What waits, and the ways out, in a sentence or two. */
export function unconfiguredMessage({
  newsletter,
  open,
  editions,
}: {
  newsletter: string;
  open: number;
  editions: string[];
}): string {
  const what = open === 1 ? '1 delivery waits' : `${open} deliveries wait`;
  const cancel = editions.map((name) => `"daywire editions cancel ${name}"`).join(' and ');
  return (
    `${what} because the configuration has no newsletter ${newsletter}. ` +
    `Configure it again under this id, or cancel what waits with ${cancel}.`
  );
}

/**
 * Raises and resolves the alerts about newsletters that are not configured, and about uncertain deliveries; resolves
 * those about domains that are paused no more.
 */
export async function updateWaitingAlerts(app: AppContext): Promise<void> {
  const { store, clock } = app;
  const unconfigured = await findUnconfigured(app);
  const messages = unconfigured.map((one) => [UNCONFIGURED + one.newsletter, unconfiguredMessage(one)] as const);
  await syncAlerts(store.db, UNCONFIGURED, new Map(messages), clock());
  await updateUncertainAlert(app);
  await resolveDomainAlerts(app);
}

const DOMAIN_ALERT = /^edition:\d+:/;

/** Without the operator, a pause ends with its edition, and with the erasure of its last subscriber. */
async function resolveDomainAlerts({ store, clock }: AppContext): Promise<void> {
  const { db } = store;
  const open = (await listOpenAlerts(db)).map(({ key }) => key).filter((key) => DOMAIN_ALERT.test(key));
  if (open.length === 0) return;
  const paused = await listPausedDomainsOfUnfinished(db);
  const keys = new Set(paused.map(({ editionId, domain }) => domainAlert(editionId, domain)));
  await resolveAlerts(
    db,
    open.filter((key) => !keys.has(key)),
    clock(),
  );
}

/** Raises or resolves the alert about uncertain deliveries that an operator must settle. */
export async function updateUncertainAlert({ store, config, clock }: AppContext): Promise<void> {
  const isHeld = config.delivery.uncertain === 'hold';
  const editions = isHeld ? await countUncertainByEdition(store.reports, clock()) : [];
  const messages = new Map(editions.length === 0 ? [] : [[UNCERTAIN, uncertainMessage(editions)]]);
  await syncAlerts(store.db, UNCERTAIN, messages, clock());
}

function uncertainMessage(editions: { newsletter: string; slot: string; count: number }[]): string {
  const total = editions.reduce((sum, { count }) => sum + count, 0);
  const names = editions.map(({ newsletter, slot, count }) => `${newsletter}/${slot} (${count})`).join(', ');
  const first = `${editions[0]?.newsletter}/${editions[0]?.slot}`;
  const what = total === 1 ? '1 delivery is uncertain' : `${total} deliveries are uncertain`;
  return (
    `${what}: ${names}. They may have arrived, and delivery.uncertain is hold. Look at the log of your mail server, ` +
    `then use "daywire editions settle ${first} --all --as submitted" or "daywire editions settle ${first} --all ` +
    '--as retry".'
  );
}
