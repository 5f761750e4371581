/** Alerts about deliveries that wait until an operator acts. They resolve by themselves. */
import { type RaisedAlert, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { editionAction, settleActions } from '../../editions/edition-action.ts';
import { updateRefusalAlerts } from '../control/refusal-alerts.ts';
import { countUnsettled, listUnconfigured } from '../queue/queries.ts';
import { expiringAlert, findExpired, findExpiring } from './expiring.ts';

/** A newsletter that is not configured and has deliveries that wait. */
interface UnconfiguredNewsletter {
  newsletter: string;
  open: number;
  editions: string[];
}

export async function findUnconfigured({
  store,
  config,
}: Pick<AppContext, 'store' | 'config'>): Promise<UnconfiguredNewsletter[]> {
  const ids = config.newsletters.map(({ id }) => id);
  const rows = await listUnconfigured(store.reports, ids);
  return [...Map.groupBy(rows, (row) => row.newsletter)].map(([newsletter, editions]) => ({
    newsletter,
    open: editions.reduce((sum, edition) => sum + edition.open, 0),
    editions: editions.map(({ slot }) => `${newsletter}/${slot}`),
  }));
}

/** Names the deliveries that wait, and the ways out. */
export function unconfiguredAlert({ newsletter, open, editions }: UnconfiguredNewsletter): Required<RaisedAlert> {
  const what = open === 1 ? '1 delivery waits' : `${open} deliveries wait`;
  return {
    ...{ kind: 'unconfigured', subject: { newsletter } },
    message: `${what} because the configuration has no newsletter ${newsletter}. Configure it again under this id.`,
    actions: editions.map((name) => editionAction('cancel', 'cancel the waiting deliveries instead', name)),
  };
}

/** Raises and resolves the alerts about what waits. */
export async function updateWaitingAlerts(app: AppContext): Promise<void> {
  const { store, clock } = app;
  const unconfigured = await findUnconfigured(app);
  await syncAlerts(store.db, 'unconfigured', unconfigured.map(unconfiguredAlert), clock());
  await updateUncertainAlert(app);
  const expiring = (await findExpiring(app, clock())).map(expiringAlert);
  await syncAlerts(store.db, 'expiring', [...expiring, ...(await findExpired(app, expiring))], clock());
  await updateRefusalAlerts(app);
}

/** Raises or resolves the alert about uncertain deliveries that an operator must settle. */
export async function updateUncertainAlert({ store, config, clock }: AppContext): Promise<void> {
  const editions = await countUnsettled(store.reports, config.delivery.uncertain, clock());
  await syncAlerts(store.db, 'uncertain', editions.length === 0 ? [] : [uncertainAlert(editions)], clock());
}

function uncertainAlert(editions: { newsletter: string; slot: string; count: number }[]): RaisedAlert {
  const total = editions.reduce((sum, { count }) => sum + count, 0);
  const names = editions.map(({ newsletter, slot, count }) => `${newsletter}/${slot} (${count})`).join(', ');
  const what = total === 1 ? '1 delivery is uncertain' : `${total} deliveries are uncertain`;
  return {
    ...{ kind: 'uncertain', subject: {} },
    message:
      `${what}: ${names}. They may have arrived, and are not tried again by themselves. Look at the log of your mail ` +
      'server.',
    actions: settleActions(`${editions[0]?.newsletter}/${editions[0]?.slot}`, '--all'),
  };
}
