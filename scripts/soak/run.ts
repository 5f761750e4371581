/**
 * Runs the soak test: people, feed readers, an editor and attackers use a newsroom at the same time, while its process
 * is killed and started again. In the second part it is not killed, and its memory, open files and responses must not
 * grow.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, type Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE, rfc3339, SECOND } from '../../src/lib/time.ts';
import { startCountingSink } from '../counting-sink.ts';
import { freePort } from '../free-port.ts';
import { CLOCK_STEP, startWorker } from '../kill-run.ts';
import {
  type DeliveryRow,
  type EditionRow,
  findDeliveryFaults,
  findTrendFaults,
  quantile,
  type SoakFigures,
  trendOf,
} from './findings.ts';
import { sendHostile } from './hostile.ts';
import { type LoopDelay, Newsroom, type ProcessSample } from './newsroom.ts';
import { leave, Mailbox, type Person, signUp, untilResponse } from './people.ts';

export interface SoakOptions {
  minutes: number;
  /** Of an empty PostgreSQL database. Default: SQLite. */
  databaseUrl?: string | undefined;
  /** Visitors and feed readers, with a connection each. Default: one feed reader. */
  clients?: number;
  /** Whether the process is killed in the first part. Default: true. */
  kills?: boolean;
  onProgress?: (text: string) => void;
}

/** Of the configuration: at most so many messages are uncertain after a kill. */
const CONNECTIONS = 5;
const SMTP_DELAY = 5;
/** Milliseconds between two requests of all clients; each sends at least one every two seconds. */
const CLIENT_TURN = 100;
const PATHS = [
  ...['feeds/latest.rss', 'feeds/latest.atom', 'feeds/latest.json', 'feeds/news.atom', 'feeds/24-hours.rss'],
  ...['feeds/roundups.json', '', 'archive', 'newsletters'],
];
/** The share of the time with kills. */
const KILLING = 0.4;
/** Time at the end for imports, publishing and deliveries. */
const ENDING = 20 * SECOND;
/** How long a process warms up before its memory counts. */
const WARM_UP = 45 * SECOND;

/** @throws where the newsroom cannot be started, or a person gets a response that makes no sense */
export async function runSoak(options: SoakOptions): Promise<SoakFigures> {
  const { minutes, databaseUrl } = options;
  const folder = mkdtempSync(join(tmpdir(), 'daywire-soak-'));
  const mailbox = new Mailbox();
  const sink = await startCountingSink(SMTP_DELAY, (message) => mailbox.receive(message));
  const cron = `*/${Math.max(1, Math.round(minutes / 5))} * * * *`;
  const newsroom = new Newsroom({ folder, port: await freePort(), smtpUrl: sink.url, cron, databaseUrl });
  const soak = new Soak(newsroom, mailbox, options);
  try {
    await newsroom.create();
    await newsroom.start();
    await soak.run();
    const code = await newsroom.stop();
    if (code !== 0) soak.faults.push(`daywire ended with ${code} after SIGTERM`);
    await finishDeliveries(newsroom, sink.url);
    return await soak.evaluate();
  } finally {
    await newsroom.stop();
    await sink.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Submits what killed processes had begun: to a clock that is ahead, their leases have expired. */
async function finishDeliveries(newsroom: Newsroom, smtpUrl: string): Promise<void> {
  const { store, configFile, secret } = newsroom;
  await startWorker({ ...store, smtpUrl, connections: CONNECTIONS, ahead: CLOCK_STEP, configFile, secret }).ended;
}

class Soak {
  readonly faults: string[] = [];
  readonly #newsroom: Newsroom;
  readonly #mailbox: Mailbox;
  readonly #minutes: number;
  readonly #yesterday = Date.now() - 25 * HOUR;
  readonly #clients: number;
  readonly #kills: boolean;
  readonly #onProgress: (text: string) => void;
  readonly #people: Person[] = [];
  /** Headlines by name of their file. */
  readonly #headlines = new Map<string, string>();
  readonly #samples: ProcessSample[] = [];
  /** Milliseconds of each response to a client while samples are taken. */
  readonly #responses: number[] = [];
  readonly #polls = { full: 0, unchanged: 0 };
  #loopDelay: LoopDelay | null = null;
  #firstHeap: number | null = null;
  #hostile = 0;
  #isSteady = false;

  constructor(newsroom: Newsroom, mailbox: Mailbox, options: SoakOptions) {
    this.#newsroom = newsroom;
    this.#mailbox = mailbox;
    this.#minutes = options.minutes;
    this.#clients = options.clients ?? 1;
    this.#kills = options.kills ?? true;
    this.#onProgress = options.onProgress ?? (() => {});
  }

  async run(): Promise<void> {
    const start = performance.now();
    const until = start + Math.max(this.#minutes * MINUTE - ENDING, 10 * SECOND);
    const untilKills = this.#kills ? start + this.#minutes * MINUTE * KILLING : start;
    const turn = CLIENT_TURN * this.#clients;
    let person = 0;
    let article = 0;
    await Promise.all([
      this.#repeat(until, 400, () => this.#signUp(person++), 200),
      this.#repeat(until, 1_500, () => this.#write(article++), 1),
      ...Array.from({ length: this.#clients }, () => this.#repeat(until, Math.min(turn, 2_000), this.#client(), 1)),
      this.#repeat(until, 250, () => this.#attack(), 4),
      this.#repeat(until, 5_000, () => this.#leave(), 1),
      this.#repeat(until, 1_000, () => this.#sample(), 1),
      this.#kill(untilKills),
    ]);
    await sleep(ENDING);
    this.#loopDelay = await this.#newsroom.readLoopDelay();
    await this.#checkFeed();
  }

  /** Calls `work` at intervals, with at most so many calls at a time. An error is a fault. */
  async #repeat(until: number, interval: number, work: () => Promise<void>, limit: number): Promise<void> {
    const running = new Set<Promise<void>>();
    while (performance.now() < until) {
      const call: Promise<void> = work()
        .catch((error: unknown) => {
          this.#fault(String(error));
        })
        .finally(() => running.delete(call));
      running.add(call);
      await sleep(interval);
      if (running.size >= limit) await Promise.race(running);
    }
    await Promise.all(running);
  }

  async #kill(until: number): Promise<void> {
    while (performance.now() < until) {
      await sleep(5 * SECOND + Math.random() * 10 * SECOND);
      await this.#newsroom.restart();
      this.#report();
    }
    this.#isSteady = true;
  }

  async #signUp(number: number): Promise<void> {
    const from = Date.now();
    const person = await signUp(this.#newsroom.url, this.#mailbox, number);
    // A message that a killed process was submitting is uncertain for twelve minutes.
    const isUncertain = this.#newsroom.killedAt.some((killed) => killed > from);
    if (person.confirmed === null && !isUncertain) this.#fault(`${person.email} got no link to confirm`);
    this.#people.push(person);
  }

  async #leave(): Promise<void> {
    const subscribed = this.#people.filter(({ email }) => this.#mailbox.unsubscribeLinks.has(email));
    const person = subscribed[Math.floor(Math.random() * subscribed.length)];
    if (person !== undefined) await leave(this.#mailbox, person);
  }

  /** New articles, one in five changed later, and one in ten that is rejected. */
  async #write(number: number): Promise<void> {
    if (number % 10 === 9) {
      this.#newsroom.writeArticle(`broken-${number}.md`, `---\nheadline: [\n---\n${'*'.repeat(number)}`);
      return;
    }
    const isEdit = number % 5 === 4;
    const id = `story-${isEdit ? number - 2 : number}`;
    const headline = `${isEdit ? 'Corrected' : 'Original'} Headline Number ${number}`;
    const body = `Paragraph of ${id} with *words*. `.repeat(20);
    // Few are news of today: more would be held back as the first import of a folder.
    const published = rfc3339(number % 20 === 0 ? Date.now() : this.#yesterday);
    const keys = `id: ${id}\nheadline: ${headline}\npublished: ${published}\nsection: news\ndek: What ${id} says.`;
    this.#newsroom.writeArticle(`${id}.md`, `---\n${keys}\n---\n${body}\n`);
    this.#headlines.set(id, headline);
  }

  /** Asks for pages, and for each feed in turn, on condition that it has changed. */
  #client(): () => Promise<void> {
    const tags = new Map<string, string>();
    let turn = Math.floor(Math.random() * PATHS.length);
    return async () => {
      const path = PATHS[turn++ % PATHS.length] ?? '';
      const headers: Record<string, string> = { 'User-Agent': 'SoakReader/1.0' };
      const known = tags.get(path);
      if (known !== undefined && turn % 50 !== 0) headers['If-None-Match'] = known;
      const sentAt = performance.now();
      const response = await fetch(`${this.#newsroom.url}/${path}`, { headers }).catch(() => null);
      // Broken by a kill.
      if (response === null) return;
      await response.arrayBuffer().catch(() => null);
      if (this.#samples.length > 0) this.#responses.push(performance.now() - sentAt);
      if (response.status === 304) this.#polls.unchanged += 1;
      else if (response.status === 200) this.#polls.full += 1;
      // Before it is published for the first time, a feed is not available.
      else if (known !== undefined) this.#fault(`/${path} responded with ${response.status}`);
      if (response.ok) tags.set(path, response.headers.get('etag') ?? '');
    };
  }

  async #attack(): Promise<void> {
    const port = Number(new URL(this.#newsroom.url).port);
    const { sent, statuses } = await sendHostile(port, this.#hostile++);
    // 501 and 505 are answers to what was asked for, 503 to too much at a time.
    const failed = statuses.find((status) => status >= 500 && ![501, 503, 505].includes(status));
    if (failed !== undefined) this.#fault(`${JSON.stringify(sent)} was answered with ${failed}`);
  }

  async #sample(): Promise<void> {
    const sample = await this.#newsroom.sample();
    if (sample !== null && this.#isSteady && sample.age > Math.min(WARM_UP, this.#minutes * MINUTE * 0.15)) {
      // What happened before does not count.
      if (this.#samples.length === 0) this.#firstHeap = (await this.#newsroom.readLoopDelay())?.heap ?? null;
      this.#samples.push(sample);
    }
    if (this.#isSteady) this.#report();
  }

  async #checkFeed(): Promise<void> {
    const { text } = await untilResponse(() => fetch(`${this.#newsroom.url}/feeds/latest.json`));
    const titles = new Set((JSON.parse(text) as { items: { title: string }[] }).items.map(({ title }) => title));
    for (const [id, headline] of this.#headlines) {
      if (!titles.has(headline)) this.#fault(`${id} is not in the feed as "${headline}"`);
    }
  }

  /** Reads the store, and applies the rules. */
  async evaluate(): Promise<SoakFigures> {
    const { killedAt, errors, crashes } = this.#newsroom;
    const store = await openStore(this.#newsroom.store);
    try {
      const editions = await readEditions(store);
      const deliveries = await readDeliveries(store);
      const bound = CONNECTIONS * killedAt.length;
      const { faults, extraCopies } = findDeliveryFaults(
        this.#people,
        editions,
        deliveries,
        this.#mailbox.editions,
        bound,
      );
      const unconfirmed = this.#people.filter(({ confirmed }) => confirmed === null).length;
      const samples = this.#samples;
      const responses = samples.map(({ response }) => response);
      const trends = {
        memory: trendOf(samples, ({ memory }) => memory),
        openFiles: trendOf(samples, ({ openFiles }) => openFiles),
        response: {
          ...trendOf(samples, ({ response }) => response),
          p99: quantile(responses, 0.99),
          max: quantile(responses, 1),
        },
      };
      return {
        seconds: this.#minutes * 60,
        kills: killedAt.length,
        connections: CONNECTIONS,
        people: this.#people.length,
        confirmed: this.#people.length - unconfirmed,
        left: this.#people.filter(({ left }) => left !== null).length,
        editions: editions.length,
        deliveries: deliveries.length,
        extraCopies,
        articles: this.#headlines.size,
        polls: this.#polls,
        hostile: this.#hostile,
        clients: this.#clients,
        requests: { count: this.#responses.length, p99: quantile(this.#responses, 0.99) },
        ...trends,
        loopDelay: this.#loopDelay,
        firstHeap: this.#firstHeap,
        faults: [
          ...this.faults,
          ...crashes,
          ...(unconfirmed > bound ? [`${unconfirmed} people got no link to confirm, of at most ${bound}`] : []),
          ...(editions.length === 0 || deliveries.length === 0 ? ['no edition was delivered'] : []),
          ...faults,
          ...(await findUnexplainedAlerts(store, killedAt)),
          ...[...errors].map(([line, count]) => `logged ${count} times: ${line}`),
          ...findTrendFaults(trends),
        ],
      };
    } finally {
      await store.close();
    }
  }

  #fault(text: string): void {
    this.faults.push(text);
  }

  #report(): void {
    const { length: kills } = this.#newsroom.killedAt;
    this.#onProgress(
      `${kills} kills, ${this.#people.length} people, ${this.#headlines.size} articles, ${this.faults.length} faults`,
    );
  }
}

async function readEditions({ db }: Store): Promise<EditionRow[]> {
  const rows = await db.selectFrom('editions').select(['id', 'closed_at']).orderBy('id').execute();
  return rows.map(({ id, closed_at: closedAt }) => ({ id, closedAt }));
}

async function readDeliveries({ db }: Store): Promise<DeliveryRow[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriber_id')
    .select(['deliveries.edition_id', 'subscribers.email', 'deliveries.state'])
    .execute();
  return rows.map(({ edition_id: editionId, email, state }) => ({ editionId, email, state }));
}

/** Alerts other than of runs that a kill made late, and that were raised within five minutes of it. */
async function findUnexplainedAlerts({ db }: Store, killedAt: readonly number[]): Promise<string[]> {
  const alerts = await db.selectFrom('alerts').selectAll().execute();
  return alerts
    .filter(({ key, first_at: at }) => {
      const isOfRun = /^(late|skipped|failed):/.test(key);
      return !(isOfRun && killedAt.some((killed) => killed < at && at < killed + 5 * MINUTE));
    })
    .map(({ key, message }) => `alert ${key}: ${message}`);
}
