/** The newsroom of one outage: its folder, database, mail server, alert webhook and processes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROLES, type Role } from '../../src/app/start.ts';
import { type Dialect, openStore, type Store } from '../../src/core/store/store.ts';
import { rfc3339, SECOND } from '../../src/lib/time.ts';
import { type CountingSink, startCountingSink } from '../counting-sink.ts';
import { CLOCK_STEP, startWorker } from '../kill-run.ts';
import { Newsroom } from '../soak/newsroom.ts';
import { storeSubscribers } from '../test-edition.ts';
import { type AlertCalls, startAlertCalls } from './alert-calls.ts';
import { type CopyCounts, countCopies, type DeliveryEnd } from './count-copies.ts';
import { DAYWIRE, DaywireProcess } from './daywire-process.ts';
import type { Fault } from './faults.ts';
import { openTrialDatabase, type TrialDatabase } from './trial-database.ts';

/** Of the configuration. */
const CONNECTIONS = 5;
const POLL_EVERY = 250;
/** The headline of the article that is written during the outage. */
const STORY = 'The Story of the Outage';

export class Trial {
  readonly folder = mkdtempSync(join(tmpdir(), 'daywire-outage-'));
  readonly processes: DaywireProcess[] = [];
  /** When each copy arrived, by `performance.now()`. */
  readonly arrivals: number[] = [];
  database!: TrialDatabase;
  alerts!: AlertCalls;
  #sink!: CountingSink;
  #newsroom!: Newsroom;
  /** Recipients whose deliveries a kill may have interrupted. */
  readonly #interrupted = new Set<string>();
  readonly #closing: (() => unknown)[] = [() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 })];

  /**
   * Makes the newsroom, and starts none of its processes.
   * @param cron of the slot; by default it is far away, and the edition is composed by hand
   */
  async prepare(fault: Fault, dialect: Dialect, deliveries: number, cron = '0 0 1 1 *'): Promise<void> {
    const onClose = (close: () => unknown): void => void this.#closing.push(close);
    this.alerts = await startAlertCalls();
    onClose(() => this.alerts.close());
    const delay = Math.round((fault.spread * SECOND * CONNECTIONS) / deliveries);
    this.#sink = await startCountingSink(delay, () => this.arrivals.push(performance.now()));
    onClose(() => this.#sink.close());
    this.#newsroom = new Newsroom({ folder: this.folder, port: 1, smtpUrl: this.#sink.url, cron });
    await this.#newsroom.create();
    this.database = await openTrialDatabase(dialect, this.folder, fault, onClose);
    for (const n of [1, 2, 3]) this.writeArticle(`story-${n}`, `Headline Number ${n}`);
    await this.command('import', 'articles');
    const emails = Array.from({ length: deliveries }, (_, n) => `subscriber${n + 1}@example.com`);
    await this.#withStore((store) => storeSubscribers(store, emails, 'daily-roundup'));
    const { configFile } = this.#newsroom;
    const place = { folder: this.folder, configFile, env: this.#environment(this.database.url) };
    for (const roles of fault.isByRole ? ROLES.map((role) => [role]) : [ROLES]) {
      this.processes.push(await DaywireProcess.create(place, roles));
    }
  }

  /** Ends everything that was started, the last first. */
  async close(): Promise<void> {
    for (const process of this.processes) await process.kill();
    for (const close of this.#closing.splice(0).toReversed()) await close();
  }

  processOf(role: Role): DaywireProcess {
    const found = this.processes.find(({ roles }) => roles.includes(role));
    if (found === undefined) throw new Error(`no process has the role ${role}`);
    return found;
  }

  /** Kills a process, and notes what it was submitting. */
  async kill(process: DaywireProcess): Promise<void> {
    await process.kill();
    for (const { recipient, state } of await this.readDeliveries()) {
      if (state === 'submitting') this.#interrupted.add(recipient);
    }
  }

  /** Runs a command of daywire. @returns its exit code */
  async run(...args: string[]): Promise<number | null> {
    const env = this.#environment(this.database.directUrl());
    const child = spawn(process.execPath, [DAYWIRE, ...args], { cwd: this.folder, env, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  /** Runs a command of daywire that must succeed. */
  async command(...args: string[]): Promise<void> {
    const code = await this.run(...args);
    if (code !== 0) throw new Error(`daywire ${args.join(' ')} ends with ${code}`);
  }

  /** Puts the article of the outage into the watched folder. */
  writeStory(): void {
    this.writeArticle('story-of-outage', STORY);
  }

  /** Whether the article of the outage is served, and in the folder of feeds. */
  async isPublished(): Promise<boolean> {
    const served = await this.processOf('web').ask('/feeds/latest.json');
    if (!served?.text.includes(STORY)) return false;
    return readFileSync(join(this.folder, 'feeds/latest.json'), 'utf8').includes(STORY);
  }

  async isWell(): Promise<boolean> {
    return (await Promise.all(this.processes.map((process) => process.isWell()))).every(Boolean);
  }

  readDeliveries(): Promise<DeliveryEnd[]> {
    return this.#withStore(({ db }) =>
      db
        .selectFrom('deliveries')
        .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
        .select(['subscribers.email as recipient', 'deliveries.state'])
        .execute(),
    );
  }

  /** Submits what is left, by a clock that is ahead: all leases have expired. No other process may deliver. */
  async deliverRest(): Promise<void> {
    const { configFile } = this.#newsroom;
    const options = { smtpUrl: this.#sink.url, connections: CONNECTIONS, ahead: CLOCK_STEP, configFile };
    await startWorker({ ...this.#store, ...options, secret: this.#secret }).ended;
  }

  /** @param others recipients of other messages */
  async count(others: readonly string[] = []): Promise<CopyCounts> {
    const copies = new Map([...this.#sink.copies].filter(([recipient]) => !others.includes(recipient)));
    return countCopies(await this.readDeliveries(), copies, this.#interrupted);
  }

  /** Number of messages that the address got. */
  copiesOf(recipient: string): number {
    return this.#sink.copies.get(recipient)?.length ?? 0;
  }

  /** The last run of the newsletter. */
  readRun(): Promise<{ state: string; reason: string | null } | undefined> {
    return this.#withStore(({ db }) =>
      db
        .selectFrom('runs')
        .select(['state', 'reason'])
        .where('schedule', '=', 'newsletter:daily-roundup')
        .orderBy('slot_at', 'desc')
        .executeTakeFirst(),
    );
  }

  writeArticle(id: string, headline: string): void {
    const keys = `id: ${id}\nheadline: ${headline}\npublished: ${rfc3339(Date.now())}\nsection: news\ndek: A summary.`;
    this.#newsroom.writeArticle(`${id}.md`, `---\n${keys}\n---\n${'A paragraph with *words*. '.repeat(20)}\n`);
  }

  get #store(): { databaseUrl: string | undefined; path: string } {
    return { databaseUrl: this.database.directUrl(), path: join(this.folder, 'var/daywire.db') };
  }

  /** PostgreSQL takes one from the environment; with SQLite daywire makes one. */
  get #secret(): string {
    if (this.database.url !== undefined) return 'the-secret-of-the-outage-trial-of-PostgreSQL';
    return readFileSync(join(this.folder, 'var/secret'), 'utf8').trim();
  }

  #environment(databaseUrl: string | undefined): NodeJS.ProcessEnv {
    const database = databaseUrl && { DAYWIRE_DATABASE_URL: databaseUrl, DAYWIRE_SECRET: this.#secret };
    const own = { DAYWIRE_SMTP_URL: this.#sink.url, DAYWIRE_ALERT_WEBHOOK: this.alerts.url, DAYWIRE_LOG: 'info' };
    return { ...process.env, ...own, ...database };
  }

  async #withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore(this.#store);
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }
}

/** @returns when the condition was true, by `performance.now()`; undefined if it was not within so many milliseconds */
export async function until(
  within: number,
  condition: () => Promise<boolean> | boolean,
  every = POLL_EVERY,
): Promise<number | undefined> {
  for (const end = performance.now() + within; performance.now() < end; await sleep(every)) {
    if (await condition()) return performance.now();
  }
  return undefined;
}
