/**
 * Watches the complaint and bounce rates of editions. Above the lower limit an alert is raised, also for the recipients
 * at one mailbox provider; above the upper one the edition is paused, by the rate of all its recipients only.
 */
import { type RawBuilder, sql } from 'kysely';
import { mailboxProviderById } from '../../audience/mailbox-providers.ts';
import { alertText, raiseAlert, resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { inTransaction } from '../../core/store/store.ts';
import { fullEditionName } from '../../editions/queries.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { repeat, type Stoppable } from '../../lib/repeat.ts';
import { DAY, MINUTE, SECOND } from '../../lib/time.ts';
import { isAtProvider } from '../holds/provider-holds.ts';
import { continueHolds, holdProviders } from '../holds/watch-holds.ts';
import { countDeliveries, countSubmittedTo } from '../queue/queries.ts';
import { countRates, type ReportedEvent, readReported } from './count-rates.ts';
import { judgeRate, MINIMUM_EVENTS, mostMessages, RATE_KINDS, type RateLevel } from './judge-rates.ts';
import {
  listNotices,
  pauseForRate,
  RATES_WATCHED,
  type ReachedRate,
  rateAlert,
  rateSentence,
  recordNotice,
  resolveRateAlerts,
} from './rate-alerts.ts';

/** Alerts are looked at this often although nothing has changed: some end with time. */
const RESOLVE_EVERY = MINUTE;

/** A revision of an edition that is judged. */
interface WatchedEdition {
  id: number;
  newsletter: string;
  slot: string;
  revision: number;
  supersededBy: number | null;
}

/** Signs that a rate may have risen: a bounce or complaint was recorded, or a delivery failed. */
interface RateSigns {
  newestBounce: number;
  failed: number;
}

export class RateWatch {
  readonly #app: AppContext;
  #seen: RateSigns | null = null;
  readonly #noResolving = new QuietPeriod();
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
      for (const edition of await findEditions(this.#app, seen)) {
        if (signal?.aborted) return;
        await this.#judge(edition);
      }
      this.#seen = signs;
    }
    if (isSame && this.#noResolving.lasts(clock())) return;
    this.#noResolving.begin(clock(), RESOLVE_EVERY);
    await resolveRateAlerts(store.db, clock());
    await continueHolds(this.#app);
  }

  async #judge(edition: WatchedEdition): Promise<void> {
    const { store, config } = this.#app;
    const notices = await listNotices(store.db, edition.id);
    const rates = (await countRates(store.reports, [edition.id])).get(edition.id);
    if (rates === undefined) return;
    const isAny = rates.submitted > 0 && rates.complaint.events + rates.bounce.events + rates.soft + rates.failed > 0;
    const reported = isAny ? await readReported(store.reports, edition.id) : new Map<string, ReportedEvent[]>();
    await holdProviders(this.#app, edition.id, reported);
    for (const kind of RATE_KINDS) {
      const minimum = MINIMUM_EVENTS[kind].alert;
      // Also the least that any mailbox provider must have.
      if (rates[kind].events < minimum) continue;
      const isNoticed = (scope: string, level: RateLevel): boolean =>
        notices.some((one) => one.kind === kind && one.scope === scope && one.level === level);
      const limits = kind === 'complaint' ? config.delivery.complaintRate : config.delivery.bounceRate;
      const level = judgeRate(kind, rates[kind], limits);
      if (level !== null && !isNoticed('', level))
        await this.#act(edition, level, { kind, counts: rates[kind], provider: null });
      for (const [id, all] of reported) {
        const provider = mailboxProviderById(id);
        const ofKind = all.filter((one) => one.kind === (kind === 'bounce' ? 'hard' : 'complaint'));
        if (provider === null || ofKind.length < minimum || isNoticed(id, 'alert')) continue;
        const most = mostMessages(kind, 'alert', ofKind.length, limits);
        const submitted = await countSubmittedTo(store.reports, edition.id, isAtProvider(id), most + 1);
        const refused = ofKind.filter(({ isRefused }) => isRefused).length;
        const reached = { kind, counts: { events: ofKind.length, messages: submitted + refused }, provider };
        if (judgeRate(kind, reached.counts, limits) !== null) await this.#act(edition, 'alert', reached);
      }
    }
  }

  /** Notices a level that is reached, once in all processes; raises the alert and pauses in the same transaction. */
  async #act(edition: WatchedEdition, level: RateLevel, reached: ReachedRate): Promise<void> {
    const { store, clock, log } = this.#app;
    const { kind, counts, provider } = reached;
    const notice = { editionId: edition.id, kind, scope: provider?.id ?? '', level };
    const now = clock();
    const waiting = (await countDeliveries(store.db, [edition.id])).get(edition.id)?.pending ?? 0;
    const done = await inTransaction(store.db, async (tx) => {
      if (!(await recordNotice(tx, notice, counts, now))) return null;
      const effect = level === 'alert' ? null : await pauseForRate(tx, edition.id, rateSentence(reached));
      const alert = rateAlert(edition, reached, effect, waiting);
      // A higher level raises a new alert, also where the lower one is still open.
      await resolveAlerts(tx, [alert], now);
      await raiseAlert(tx, alert, now);
      return { message: alertText(alert), effect };
    });
    if (done === null) return;
    this.#hasPaused ||= done.effect === 'paused';
    log.warn({ edition: fullEditionName(edition), kind, level, scope: notice.scope }, done.message);
  }
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
  const ids = rows.map(({ id }) => id);
  return store.db
    .selectFrom('editions')
    .select(['id', 'newsletter', 'slot', 'revision', 'superseded_by as supersededBy'])
    .where('id', 'in', ids)
    .where('closed_at', '>', since)
    .orderBy('id')
    .execute();
}

const RATES_EVERY = 10 * SECOND;

/** Watches the rates of complaints and bounces. */
export function startWatchingRates(app: AppContext, watch = new RateWatch(app)): Stoppable {
  return repeat(RATES_EVERY, 'watching complaint and bounce rates', app.log, (signal) => watch.look(signal));
}
