/**
 * Watches the complaint and bounce rates of editions: raises alerts, and pauses above the upper limit.
 */
import { type RawBuilder, sql } from 'kysely';
import { alertText, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { inTransaction } from '../../core/store/store.ts';
import { fullEditionName } from '../../editions/queries.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { DAY, MINUTE, SECOND } from '../../lib/time.ts';
import { countDeliveries } from '../queue/queries.ts';
import { countByMailboxProvider, countRates, countSubmittedTo, type ProviderEvents } from './count-rates.ts';
import {
  judgeRate,
  MINIMUM_EVENTS,
  mostMessages,
  type RateCounts,
  type RateKind,
  type RateLevel,
} from './judge-rates.ts';
import { type ReachedRate, rateAlert, rateSentence, rateWarning } from './rate-alerts.ts';
import { listNotices, pauseForRate, recordNotice } from './rate-notices.ts';
import { RATES_WATCHED, resolveRateAlerts } from './resolve-rate-alerts.ts';

const KINDS = ['complaint', 'bounce'] as const;
/** Alerts are looked at this often although nothing has changed: some end with time. */
const RESOLVE_EVERY = MINUTE;
const MAX_REMEMBERED = 1_000;

/** A revision of an edition that is judged. */
interface WatchedEdition {
  id: number;
  newsletter: string;
  slot: string;
  revision: number;
  supersededBy: number | null;
  closedAt: number;
}

/** What can change a rate for the worse: a bounce or complaint is recorded, or a delivery fails. */
interface RateSigns {
  newestBounce: number;
  failed: number;
}

export class RateWatch {
  readonly #app: AppContext;
  #seen: RateSigns | null = null;
  readonly #noResolving = new QuietPeriod();
  /** By edition and mailbox provider: at least so many messages were submitted to it. */
  readonly #submittedTo = new Map<string, number>();
  #hasPaused = false;

  constructor(app: AppContext) {
    this.#app = app;
  }

  /** Whether it has paused anything. */
  get hasPaused(): boolean {
    return this.#hasPaused;
  }

  /**
   * Judges the editions of which something new is known; all that were closed in the last days at the first look.
   * While nothing is new, it takes one query of a few index lookups.
   * @throws if the store fails; the next look repeats it
   */
  async look(signal?: AbortSignal): Promise<void> {
    const { store, clock } = this.#app;
    const signs = await readSigns(this.#app);
    const seen = this.#seen;
    const isSame = seen !== null && seen.newestBounce === signs.newestBounce && seen.failed === signs.failed;
    if (!isSame) {
      const editions = await findEditions(this.#app, seen);
      for (const edition of editions) {
        if (signal?.aborted) return;
        await this.#judge(edition);
      }
      this.#seen = signs;
    }
    if (isSame && this.#noResolving.lasts(clock())) return;
    this.#noResolving.begin(clock(), RESOLVE_EVERY);
    await resolveRateAlerts(store.db, clock());
  }

  async #judge(edition: WatchedEdition): Promise<void> {
    const { store, config } = this.#app;
    const notices = await listNotices(store.db, [edition.id]);
    const rates = (await countRates(store.reports, [edition.id])).get(edition.id);
    if (rates === undefined) return;
    for (const kind of KINDS) {
      const counts = rates[kind];
      // Also the least that any mailbox provider must have.
      if (counts.events < MINIMUM_EVENTS[kind].alert) continue;
      const isNoticed = (scope: string, level: RateLevel): boolean =>
        notices.some((one) => one.kind === kind && one.scope === scope && one.level === level);
      const limits = limitsOf(config.delivery, kind);
      const level = judgeRate(kind, counts, limits);
      if (level !== null && !isNoticed('', level)) await this.#act(edition, { kind, level, counts, provider: null });
      const providers = await countByMailboxProvider(store.reports, edition.id, kind);
      for (const one of providers) {
        const { id } = one.provider;
        const open = (['alert', 'pause'] as const).filter((level) => limits[level] !== 'off' && !isNoticed(id, level));
        if (open.length === 0 || one.events < MINIMUM_EVENTS[kind].alert) continue;
        const most = Math.max(...open.map((level) => mostMessages(kind, level, one.events, limits)));
        const ofProvider = await this.#countMessages(edition.id, one, most);
        const reached = judgeRate(kind, ofProvider, limits);
        if (reached === null || !open.includes(reached)) continue;
        await this.#act(edition, { kind, level: reached, counts: ofProvider, provider: one.provider });
      }
    }
  }

  /** Messages to a mailbox provider. If there are more than `most`, any number above it. */
  async #countMessages(
    editionId: number,
    { provider, events, rejected }: ProviderEvents,
    most: number,
  ): Promise<RateCounts> {
    const key = `${editionId}:${provider.id}`;
    const known = this.#submittedTo.get(key) ?? 0;
    if (known + rejected > most) return { events, messages: known + rejected };
    // Twice as far: otherwise each further complaint would count them once more.
    const submitted = await countSubmittedTo(this.#app.store.reports, editionId, provider.domains, 2 * most + 1);
    if (this.#submittedTo.size > MAX_REMEMBERED) this.#submittedTo.clear();
    this.#submittedTo.set(key, submitted);
    return { events, messages: submitted + rejected };
  }

  /** Notices a level that is reached, once in all processes; raises the alert and pauses in the same transaction. */
  async #act(edition: WatchedEdition, reached: ReachedRate): Promise<void> {
    const { store, clock, log } = this.#app;
    const { kind, level, counts, provider } = reached;
    const scope = provider?.id ?? '';
    const now = clock();
    const waiting = (await countDeliveries(store.db, [edition.id])).get(edition.id)?.pending ?? 0;
    const done = await inTransaction(store.db, async (tx) => {
      if (!(await recordNotice(tx, { editionId: edition.id, kind, scope, level }, counts, now))) return null;
      const effect =
        level === 'alert' ? null : await pauseForRate(tx, { editionId: edition.id, provider }, rateSentence(reached));
      const name = fullEditionName(edition);
      const warning = rateWarning(reached, { name, newsletter: edition.newsletter, effect, waiting });
      const alert = { ...rateAlert(kind, edition, scope), ...warning };
      // A higher level raises a new alert, also where the lower one is still open.
      await resolveAlerts(tx, [alert], now);
      await raiseAlert(tx, alert, now);
      return { message: alertText(alert), effect };
    });
    if (done === null) return;
    this.#hasPaused ||= done.effect === 'paused';
    log.warn({ edition: fullEditionName(edition), kind, level, scope }, done.message);
  }
}

function limitsOf(delivery: AppContext['config']['delivery'], kind: RateKind) {
  return kind === 'complaint' ? delivery.complaintRate : delivery.bounceRate;
}

async function readSigns({ store }: AppContext): Promise<RateSigns> {
  const { rows } = await sql<RateSigns>`
    select (select coalesce(max(id), 0) from bounces) as "newestBounce",
      (select cast(coalesce(sum(entered), 0) as bigint) from delivery_counts where state = 'failed'
        and edition_id in (select id from editions where delivery_state = 'delivering')) as failed`.execute(store.db);
  return rows[0] ?? { newestBounce: 0, failed: 0 };
}

/** The editions with new bounces or complaints, and those in delivery; at the first look all of the last days. */
async function findEditions({ store, clock }: AppContext, seen: RateSigns | null): Promise<WatchedEdition[]> {
  const since = clock() - RATES_WATCHED;
  // A literal, so that the partial index is used: an edition's row has hundreds of kilobytes.
  const inDelivery = sql`select id from editions where delivery_state = 'delivering'`;
  const others: RawBuilder<unknown> =
    seen === null
      ? sql`select id from editions where superseded_by is null and slot_at > ${since - DAY}`
      : sql`select distinct edition_id from bounces where id > ${seen.newestBounce} and edition_id is not null`;
  // Not `union`, for which SQLite would read the whole table in the order of its ids.
  const { rows } = await sql<{ id: number }>`${inDelivery} union all ${others}`.execute(store.db);
  if (rows.length === 0) return [];
  return store.db
    .selectFrom('editions')
    .select(['id', 'newsletter', 'slot', 'revision', 'superseded_by as supersededBy', 'closed_at as closedAt'])
    .where(
      'id',
      'in',
      rows.map(({ id }) => id),
    )
    .where('closed_at', '>', since)
    .orderBy('id')
    .execute();
}

const RATES_EVERY = 10 * SECOND;

/** Watches the rates of complaints and bounces. */
export function startWatchingRates(app: AppContext, watch = new RateWatch(app)): Stoppable {
  return repeat(RATES_EVERY, 'watching complaint and bounce rates', app.log, (signal) => watch.look(signal));
}
