/** Notices that no message is submitted although some are due, whatever the reason. */
import { sql } from 'kysely';
import { listOpenAlerts, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { readCountsByState } from '../../core/store/counts.ts';
import { isInOpenState } from '../../core/store/delivery-states.ts';
import { DELIVERY_HELD, readMeta } from '../../core/store/meta.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { rfc3339, SECOND } from '../../lib/time.ts';
import { DELIVERY_STOPPED } from '../alerts.ts';
import { readBackOff } from '../control/back-off.ts';
import { DailyLimit } from '../limits/daily-limit.ts';
import type { AwaitedReply } from '../transport/connection.ts';
import { redactAddresses } from '../transport/redact-addresses.ts';

const LOOK_EVERY = 10 * SECOND;
/** With the time between two looks, the alert comes within five minutes. */
const STALLED_AFTER = 270 * SECOND;

export class StallWatch {
  readonly #app: AppContext;
  readonly #noLook = new QuietPeriod();
  /** The last count of submitted messages, and since when it has not changed while messages waited. */
  #submitted: number | null = null;
  #since = 0;

  constructor(app: AppContext) {
    this.#app = app;
  }

  /**
   * Raises the alert once no message was submitted for some minutes, and resolves it. Does nothing within ten seconds
   * of the last look.
   * @param waits what connections of this process wait for
   * @throws if the store fails
   */
  async look(waits: readonly AwaitedReply[]): Promise<void> {
    const { store, clock } = this.#app;
    const now = clock();
    if (this.#noLook.lasts(now)) return;
    this.#noLook.begin(now, LOOK_EVERY);
    const held = await readMeta(store.db, DELIVERY_HELD);
    const waiting = held === undefined ? await findWaiting(this.#app, now) : null;
    const submitted = await countSubmitted(this.#app);
    const isFirst = this.#submitted === null;
    const isMoving = waiting === null || submitted !== this.#submitted;
    this.#submitted = submitted;
    if (isMoving || now < this.#since) this.#since = now;
    const isStalled = now >= this.#since + STALLED_AFTER;
    if (!isStalled && (!isMoving || isFirst)) return;
    const isOpen = (await listOpenAlerts(store.db, DELIVERY_STOPPED.kind)).length > 0;
    if (isOpen === isStalled) return;
    const backOff = await readBackOff(store.db);
    if (!isStalled) {
      if (held === undefined && backOff === null) await resolveAlerts(store.db, [DELIVERY_STOPPED], now);
      return;
    }
    const groups = [...Map.groupBy(waits, ({ words }) => words)].map(([words, { length }]) => `${words} (${length} ×)`);
    const seen = groups.join('; ') || redactAddresses(waiting?.reason ?? '');
    const message =
      `No message has been submitted since ${rfc3339(this.#since)}, although some are due: ` +
      `${backOff?.reason ?? (seen || 'see the log of the process that delivers')}. They are tried again by themselves.`;
    await raiseAlert(store.db, { ...DELIVERY_STOPPED, message }, now);
  }
}

/**
 * Finds a message that could be submitted: an edition's that is due, or that the server has put off like all others of
 * its edition, or a service message. None that is paused, uncertain or expired, or waits for a limit.
 */
async function findWaiting({ store, config }: AppContext, now: number): Promise<{ reason: string | null } | null> {
  const isOverLimit = (await DailyLimit.open(config)?.left(store.db, now)) === 0;
  const newsletters = isOverLimit ? [] : config.newsletters.map(({ id }) => id);
  const isUnexpired = sql`(expires_at is null or expires_at > ${now})`;
  // Of each edition the delivery that is due first. Literals, so that the partial indexes are used.
  const conditions = sql.join(
    [
      sql`deliveries.edition_id = editions.id`,
      isInOpenState('deliveries'),
      sql`(deliveries.state = 'pending' or deliveries.lease_until > ${now})`,
      isUnexpired,
    ],
    sql` and `,
  );
  const first = (column: string) =>
    sql`(select ${sql.ref(column)} from deliveries where ${conditions} order by due_at, subscriber_id limit 1)`;
  const { rows } = await sql<{ reason: string | null }>`
    select reason from (
      select ${first('due_at')} as due_at, ${first('attempts')} as attempts, ${first('reason')} as reason,
        (select coalesce(sum(entered), 0) from delivery_counts
          where delivery_counts.edition_id = editions.id and delivery_counts.state = 'submitted') as submitted
      from editions where delivery_state = 'delivering' and newsletter in (${sql.join([...newsletters, ''])})
    ) as each_edition
    where due_at <= ${now} or (attempts > 0 and submitted = 0)
    union all
    select reason from service_messages where state = 'pending' and due_at <= ${now} and ${isUnexpired}
    limit 1`.execute(store.db);
  return rows[0] ?? null;
}

/** A number that changes with each submitted message. */
async function countSubmitted({ store }: AppContext): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select cast(coalesce(sum(entered), 0) as bigint) as count from delivery_counts where state = 'submitted'
      and edition_id in (select id from editions where delivery_state = 'delivering')`.execute(store.db);
  const service = await readCountsByState(store.db, 'service_messages');
  return (rows[0]?.count ?? 0) + (service.get('submitted')?.entered ?? 0);
}
