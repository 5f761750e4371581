/**
 * Sends editions through a local SMTP server while their recipients complain to a signed webhook, and finds what does
 * not happen as docs/operating/bounces.md says.
 */

import { serve } from '@hono/node-server';
import { sql } from 'kysely';
import { openParts } from '../../src/app/context-parts.ts';
import { createApp } from '../../src/app/routes/app.ts';
import { mailboxToken } from '../../src/audience/tokens.ts';
import { alertKey } from '../../src/core/alerts/alert-kind.ts';
import { listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import { parseConfig } from '../../src/core/config/config.ts';
import { migrate } from '../../src/core/store/schema.ts';
import { openStore } from '../../src/core/store/store.ts';
import { cancel, resume } from '../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { countDeliveries } from '../../src/delivery/queue/queries.ts';
import { formatPercent } from '../../src/delivery/rates/judge-rates.ts';
import { listNotices, type RateNotice } from '../../src/delivery/rates/rate-alerts.ts';
import { RateWatch } from '../../src/delivery/rates/watch-rates.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { type CountingSink, startCountingSink } from '../counting-sink.ts';
import { NOW } from '../test-edition.ts';
import { storeDeliveries } from './deliver-rows.ts';
import { signedReports } from './signed-reports.ts';

const WEBHOOK_SECRET = 'the webhook secret of the simulation';
const NEWSLETTER = 'daily-roundup';
const LOOK_EVERY = 100;
/** Of equally many recipients each. */
const DOMAINS = ['news.example', 'post.example', 'yahoo.com', 'yahoo.co.uk', 'gmail.com'];

export interface SimulationOptions {
  folder: string;
  databaseUrl: string | undefined;
  subscribers: number;
  print(line: string): void;
}

/** @returns what went wrong */
export async function simulateComplaints(options: SimulationOptions): Promise<string[]> {
  const simulation = await Simulation.open(options);
  try {
    await simulation.pauseAndResume();
    await simulation.pauseAndCancel();
    await simulation.alertOfOneMailboxProvider();
    return simulation.faults;
  } finally {
    await simulation.close();
  }
}

interface Outcome {
  name: string;
  editionId: number;
  /** Messages that the SMTP server accepted. */
  accepted: number;
  complaints: number;
  notices: RateNotice[];
  state: string;
  waiting: number;
}

class Simulation {
  readonly faults: string[] = [];
  readonly #app: AppContext;
  readonly #sink: CountingSink;
  readonly #webhook: { url: string; close(): void };
  readonly #subscribers: number;
  readonly #print: (line: string) => void;
  /** Who got the current edition, in order. */
  readonly #recipients: string[];
  #editions = 0;

  private constructor(
    { subscribers, print }: SimulationOptions,
    opened: { app: AppContext; sink: CountingSink; webhook: { url: string; close(): void }; recipients: string[] },
  ) {
    this.#app = opened.app;
    this.#sink = opened.sink;
    this.#webhook = opened.webhook;
    this.#recipients = opened.recipients;
    this.#subscribers = subscribers;
    this.#print = print;
  }

  static async open(options: SimulationOptions): Promise<Simulation> {
    const { folder, databaseUrl } = options;
    const recipients: string[] = [];
    const sink = await startCountingSink(0, ({ recipient }) => recipients.push(recipient));
    const env = { DAYWIRE_SECRET: 'the-secret-of-the-simulation-0123456789', DAYWIRE_WEBHOOK_SECRET: WEBHOOK_SECRET };
    const config = parseConfig(SIMULATED_CONFIG.replace('SMTP_URL', sink.url), {
      file: 'daywire.yaml',
      env,
      cwd: folder,
    });
    const store = await openStore({ databaseUrl, path: config.paths.store });
    await migrate(store);
    const started = performance.now();
    const clock = (): number => NOW + Math.floor(performance.now() - started);
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const app: AppContext = {
      config,
      store,
      ...openParts(config, store, { clock, log }),
      templates: openTemplates(config.paths.templates, config.publication.zone),
      clock,
      log,
    };
    const { fetch } = createApp({ ...app, secrets: await app.keys.signingSecrets() });
    const webhook = await new Promise<{ url: string; close(): void }>((resolve) => {
      const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
        resolve({ url: `http://127.0.0.1:${port}/webhooks/bounces`, close: () => server.close() }),
      );
    });
    return new Simulation(options, { app, sink, webhook, recipients });
  }

  /** More and more people complain while the edition goes out: 0.4 % at its end, if it were not paused. */
  async pauseAndResume(): Promise<void> {
    const outcome = await this.#deliver(['news.example'], complaintsThatGrow(this.#subscribers));
    this.#print(summaryOf(outcome));
    this.#expectLevels(outcome, '', { alert: [0.1, 0.15], pause: [0.3, 0.33] });
    this.#expect(outcome.state === 'paused', `${outcome.name} is ${outcome.state}, not paused`);
    this.#expect(
      outcome.waiting > 0 && outcome.waiting === this.#subscribers - outcome.accepted,
      `${outcome.name}: ${outcome.waiting} wait after ${outcome.accepted} of ${this.#subscribers}`,
    );
    await resume(this.#app, { id: outcome.editionId, newsletter: NEWSLETTER, slot: outcome.name });
    const resumed = await this.#continue(outcome, () => Math.ceil(this.#subscribers * 0.01));
    this.#print(`  resumed: ${summaryOf(resumed)}`);
    this.#expect(resumed.state === 'done', `${outcome.name} is ${resumed.state} after it was resumed, not done`);
    this.#expect(resumed.notices.length === outcome.notices.length, `${outcome.name} has new notices when resumed`);
    this.#expect((await this.#alerts()).length === 0, `${outcome.name} has open alerts after it was resumed`);
  }

  async pauseAndCancel(): Promise<void> {
    const outcome = await this.#deliver(['news.example'], complaintsThatGrow(this.#subscribers));
    const cancelled = await cancel(this.#app, outcome.editionId, 'too many complaints');
    this.#print(`${summaryOf(outcome)}; cancelled: ${cancelled}`);
    this.#expect(outcome.state === 'paused', `${outcome.name} is ${outcome.state}, not paused`);
    this.#expect(cancelled === outcome.waiting, `${cancelled} of ${outcome.waiting} deliveries were cancelled`);
    const after = await this.#continue(outcome, () => 0);
    this.#expect(after.accepted === outcome.accepted, `${outcome.name} was submitted after it was cancelled`);
    this.#expect((await this.#alerts()).length === 0, `${outcome.name} has open alerts after it was cancelled`);
  }

  /** Only people at Yahoo complain: 0.5 % of them, which is 0.2 % of all. */
  async alertOfOneMailboxProvider(): Promise<void> {
    const isYahoo = (email: string): boolean => email.includes('@yahoo.');
    const outcome = await this.#deliver(DOMAINS, (accepted) => Math.floor(accepted * 0.002), isYahoo);
    this.#print(summaryOf(outcome));
    const alert = outcome.notices.find(({ scope }) => scope === 'yahoo');
    this.#expect(alert !== undefined && alert.percent >= 0.1, `${outcome.name}: no alert of Yahoo`);
    this.#expect(!outcome.notices.some(({ level }) => level === 'pause'), `${outcome.name} is paused`);
    this.#expect(outcome.state === 'done', `${outcome.name} is ${outcome.state}, not done`);
  }

  close(): Promise<unknown> {
    this.#webhook.close();
    return Promise.all([this.#sink.close(), this.#app.store.close()]);
  }

  #expect(isAsExpected: boolean, fault: string): void {
    if (!isAsExpected) this.faults.push(fault);
  }

  #expectLevels(
    { name, notices }: Outcome,
    scope: string,
    levels: Record<'alert' | 'pause', [from: number, to: number]>,
  ): void {
    for (const [level, [from, to]] of Object.entries(levels)) {
      const notice = notices.find((one) => one.scope === scope && one.level === level);
      const percent = notice?.percent ?? 0;
      this.#expect(percent >= from && percent <= to, `${name}: ${level} at ${percent} %, not from ${from} to ${to} %`);
    }
  }

  /** Queues an edition and delivers it, while those who have got it complain. */
  async #deliver(
    domains: readonly string[],
    due: (accepted: number) => number,
    isAngry = (_: string): boolean => true,
  ): Promise<Outcome> {
    const { store } = this.#app;
    const number = ++this.#editions;
    const slot = `2026-11-${23 + number}`;
    const share = Math.floor(this.#subscribers / domains.length);
    const rows = domains.map((domain) => ({ domain, state: 'pending' as const, count: share }));
    const changes = { slot, number, articleId: `roundup-${number}`, closedAt: NOW };
    const editionId = await storeDeliveries(store, rows, changes);
    // Otherwise one domain would get it after the other.
    await sql`update deliveries set due_at = due_at - (subscriber_id * 7919) % 1000 where edition_id = ${editionId}`.execute(
      store.db,
    );
    this.#recipients.length = 0;
    return this.#continue({ name: slot, editionId, complaints: 0 }, due, isAngry);
  }

  async #continue(
    { name, editionId, complaints }: Pick<Outcome, 'name' | 'editionId' | 'complaints'>,
    due: (accepted: number) => number,
    isAngry = (_: string): boolean => true,
  ): Promise<Outcome> {
    const { store } = this.#app;
    const watch = new RateWatch(this.#app);
    const run = { isOver: false, complaints };
    const watching = (async () => {
      while (!run.isOver) {
        run.complaints += await this.#complain(editionId, due(this.#recipients.length) - run.complaints, isAngry);
        await watch.look();
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      }
    })();
    await deliverDue(this.#app);
    run.isOver = true;
    await watching;
    await watch.look();
    const edition = await store.db
      .selectFrom('editions')
      .select('delivery_state')
      .where('id', '=', editionId)
      .executeTakeFirstOrThrow();
    return {
      name,
      editionId,
      accepted: this.#recipients.length,
      complaints: run.complaints,
      notices: await listNotices(store.db, editionId),
      state: edition.delivery_state,
      waiting: (await countDeliveries(store.db, [editionId])).get(editionId)?.pending ?? 0,
    };
  }

  /** The last recipients complain, who have not done so before. @returns their number */
  async #complain(editionId: number, missing: number, isAngry: (email: string) => boolean): Promise<number> {
    if (missing <= 0) return 0;
    const { store, keys, clock } = this.#app;
    const secrets = await keys.signingSecrets();
    const chosen = this.#recipients.filter(isAngry).slice(-missing);
    if (chosen.length === 0) return 0;
    const rows = await store.db.selectFrom('subscribers').select('id').where('email_key', 'in', chosen).execute();
    const reports = rows.map(({ id: subscriberId }) => {
      return {
        kind: 'complaint' as const,
        token: mailboxToken(secrets, { purpose: 'bounce', editionId, subscriberId }),
      };
    });
    const answer = await fetch(this.#webhook.url, signedReports(WEBHOOK_SECRET, reports, clock()));
    this.#expect(answer.status === 204, `the webhook answered ${answer.status}`);
    return reports.length;
  }

  async #alerts(): Promise<string[]> {
    return (await listOpenAlerts(this.#app.store.db)).map(alertKey);
  }
}

/** Complaints so far about an edition for which they become more frequent: 0.4 % when all have got it. */
function complaintsThatGrow(subscribers: number): (accepted: number) => number {
  return (accepted) => Math.floor((0.004 * accepted * accepted) / subscribers);
}

function summaryOf({ name, accepted, complaints, notices, state, waiting }: Outcome): string {
  const levels = notices.map(({ scope, level, percent, messages }) => {
    const where = scope === '' ? '' : ` at ${scope}`;
    return `${level}${where} at ${formatPercent(percent)} % of ${messages}`;
  });
  const numbers = `${accepted} submitted, ${complaints} complaints; ${levels.join(', ')}`;
  return `${NEWSLETTER}/${name}: ${numbers}; ${state}, ${waiting} waiting`;
}

/** With `SMTP_URL` in it. */
export const SIMULATED_CONFIG = `publication:
  name: The Times
  about: News.
  url: http://127.0.0.1:8080
  tagAuthority: example.com,2026
  language: en
  zone: UTC
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
newsletters:
  - id: daily-roundup
    title: The Daily
    kicker: Daily
    description: The news of the day.
    from: { name: The Times, email: daily@example.com }
    template: daily-roundup
    schedule: { cron: "30 7 * * *", graceMinutes: 240 }
delivery:
  transport: smtp
  smtpUrl: SMTP_URL
  connections: 5
`;
