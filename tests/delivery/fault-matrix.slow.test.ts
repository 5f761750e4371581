/**
 * The fault matrix: at each stage of SMTP the server refuses, talks nonsense, hangs or hangs up; once, for a while, or
 * until an operator acts. However that goes, everyone has exactly one copy in the end, or an operator was told and has
 * a command after which everyone has. A message is repeated only if its reply was not received, with the same
 * Message-ID and the same bytes, although everyone has chosen other stories in the meantime.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { type Fault, type FaultyServer, type Stage, startFaultyServer } from '../../scripts/faulty-smtp-server.ts';
import { giveCopies, queueEdition, TEST_COPIES } from '../../scripts/test-edition.ts';
import { openParts } from '../../src/app/context-parts.ts';
import { unsuppressByOperator } from '../../src/audience/suppression.ts';
import { listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import type { Store } from '../../src/core/store/store.ts';
import { readBackOff } from '../../src/delivery/control/back-off.ts';
import { resume, retry, settle } from '../../src/delivery/control/operator-control.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { DeliveryMonitor } from '../../src/delivery/monitor/monitor.ts';
import { MAY_HAVE_ARRIVED } from '../../src/delivery/queue/delivery-outcome.ts';
import { openSmtpTransport, type SmtpLimits } from '../../src/delivery/transport/smtp-transport.ts';
import { findEditionById } from '../../src/editions/queries.ts';
import { HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase, openMigrated } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';
import { deliveriesOf } from './fixture.ts';
import { limitsOf } from './transport/outgoing.ts';

const EVERYONE = ['ada@one.example', 'bob@two.example', 'cyd@one.example', 'dan@three.example'];
const BOB = 'bob@two.example';
/** How long a fault "for a while" lasts. */
const A_WHILE = 20 * MINUTE;
/** Long enough for a busy machine; only a server that hangs makes anyone wait for it. */
const LIMITS = limitsOf(5 * SECOND, 5 * SECOND);
const HANG_LIMITS = limitsOf(250, 20);

/**
 * `one`: once, or one recipient where the stage concerns one. `while`, `ever`: everyone, for a while or until repaired.
 */
type Scope = 'one' | 'while' | 'ever';

interface Cell {
  stage: Stage | 'connect';
  fault: Fault;
  scope: Scope;
  /** The key `delivery.uncertain`. */
  uncertain: 'retry' | 'hold';
}

const FAULTS: Fault[] = ['temporary', 'permanent', 'garbage', 'hang', 'close'];
const STAGES: Stage[] = ['greeting', 'EHLO', 'STARTTLS', 'AUTH', 'MAIL', 'RCPT', 'DATA', 'message', 'RSET', 'QUIT'];
const ALL_SCOPES: ReadonlySet<string> = new Set(['MAIL', 'message']);
const OF_A_RECIPIENT: ReadonlySet<string> = new Set(['RCPT', 'DATA', 'message']);

function cellsOf(
  stage: Cell['stage'],
  faults: Fault[],
  scopes: Scope[] = ['one', 'while', 'ever'],
  uncertain: Cell['uncertain'] = 'retry',
): Cell[] {
  return faults.flatMap((fault) => scopes.map((scope) => ({ stage, fault, scope, uncertain })));
}

// Waiting for a hanging server takes longest, and the stages differ little: two have every scope, the others one.
const QUICK = FAULTS.filter((fault) => fault !== 'hang');
const CELLS: Cell[] = [
  ...cellsOf('connect', ['close'], ['while', 'ever']),
  // Before the login nothing concerns one message: once is like for a while.
  ...STAGES.slice(0, 4).flatMap((stage) => cellsOf(stage, QUICK, ['while', 'ever'])),
  ...STAGES.slice(4).flatMap((stage) => cellsOf(stage, QUICK)),
  ...STAGES.slice(0, 4).flatMap((stage) => cellsOf(stage, ['hang'], ['while'])),
  ...STAGES.slice(4).flatMap((stage) => cellsOf(stage, ['hang'], ALL_SCOPES.has(stage) ? undefined : ['one'])),
  ...cellsOf('message', ['garbage', 'hang', 'close'], ['one', 'ever'], 'hold'),
];

/** An edition that is delivered by a process whose server misbehaves. */
class Trial {
  readonly app: TestApp;
  readonly #monitor: DeliveryMonitor;
  readonly #server: FaultyServer;
  readonly #cell: Cell;
  #isRepaired = false;

  constructor(app: TestApp, server: FaultyServer, cell: Cell) {
    this.app = app;
    this.#monitor = new DeliveryMonitor(app);
    this.#server = server;
    this.#cell = cell;
    server.fault = (stage, recipient) => this.#faultAt(stage, recipient);
  }

  #faultAt(stage: Stage, recipient: string | null): Fault | null {
    const { fault } = this.#cell;
    // RSET follows a refusal only.
    if (this.#cell.stage === 'RSET' && stage === 'RCPT') {
      return recipient === BOB && this.#hitsAt('RCPT') < 2 ? 'temporary' : null;
    }
    return stage === this.#cell.stage && this.#isActive(recipient) ? fault : null;
  }

  #isActive(recipient: string | null = null): boolean {
    const { stage, fault, scope } = this.#cell;
    if (this.#isRepaired) return false;
    if (scope === 'while') return this.app.now < NOW + A_WHILE;
    if (scope === 'ever') return true;
    const hits = this.#hitsAt(stage);
    if (!OF_A_RECIPIENT.has(stage)) return hits === 0;
    return recipient === BOB && (fault === 'permanent' || hits < (isUncertain(this.#cell) ? 1 : 2));
  }

  #hitsAt(stage: Cell['stage']): number {
    return this.#server.misbehaved.filter((one) => one.stage === stage).length;
  }

  /** Delivers again and again, until everyone has a copy, or nothing happens before an operator acts. */
  async deliver(): Promise<'delivered' | 'told'> {
    for (let runs = 0; runs < 200; runs++) {
      await deliverDue(this.app, { monitor: this.#monitor, transport: this.#openTransport() });
      await this.app.store.db.updateTable('subscriptions').set({ choice: TEST_COPIES[2]!.choice }).execute();
      if ((await this.#states()).every((state) => state === 'submitted')) return 'delivered';
      const isTold = (await listOpenAlerts(this.app.store.db)).length > 0;
      const next = await this.#nextAttempt();
      if (isTold && (next === null || (this.#cell.scope === 'ever' && !this.#isRepaired))) return 'told';
      // A process runs every second; so fine a step proves no more.
      this.app.now = Math.max(this.app.now + 2 * MINUTE, Math.min(next ?? 0, this.app.now + A_WHILE));
    }
    throw new Error(`neither delivered nor told: ${JSON.stringify(await deliveriesOf(this.app.store))}`);
  }

  #openTransport() {
    const { stage, fault } = this.#cell;
    if (stage === 'connect' && this.#isActive()) this.#server.misbehaved.push({ stage, recipient: null });
    return openSmtpTransport(this.url, 2, fault === 'hang' && !this.#isRepaired ? HANG_LIMITS : LIMITS);
  }

  get url(): string {
    const { stage } = this.#cell;
    const url = stage === 'connect' && this.#isActive() ? 'smtp://127.0.0.1:1' : this.#server.url;
    return stage === 'AUTH' ? url.replace('//', '//ada:wonderland@') : url;
  }

  async #states(): Promise<string[]> {
    return (await deliveriesOf(this.app.store)).map(({ state }) => state);
  }

  /** The earliest instant at which something may happen by itself; null if nothing will. */
  async #nextAttempt(): Promise<number | null> {
    const { db } = this.app.store;
    const edition = await db.selectFrom('editions').select('delivery_state').executeTakeFirstOrThrow();
    if (edition.delivery_state !== 'delivering') return null;
    const { uncertain } = this.app.config.delivery;
    const open = (await deliveriesOf(this.app.store)).filter(
      ({ state, reason }) =>
        state === 'pending' || (state === 'submitting' && uncertain === 'retry' && !reason?.includes(MAY_HAVE_ARRIVED)),
    );
    if (open.length === 0) return null;
    const due = Math.min(...open.map(({ due_at, lease_until }) => Math.max(due_at, lease_until ?? 0)));
    return Math.max(due, (await readBackOff(db))?.retry_at ?? 0);
  }

  /** Repairs the server, and uses the commands that the alerts name. */
  async operate(): Promise<void> {
    const { app } = this;
    this.#isRepaired = true;
    const [row] = await app.store.db.selectFrom('editions').select(['id', 'delivery_state']).execute();
    const edition = (await findEditionById(app.store.db, row!.id))!;
    const states = await this.#states();
    // An address that alone was rejected for good is suppressed, as after a bounce.
    const secrets = await app.keys.signingSecrets();
    const suppressed = app.store.db
      .selectFrom('subscribers')
      .select('email')
      .where('suppressed_reason', 'is not', null);
    for (const { email } of await suppressed.execute())
      await unsuppressByOperator(app.store.db, secrets, email, app.now);
    if (states.includes('submitting')) await settle(app, { editionId: edition.id }, 'retry');
    if (row!.delivery_state === 'paused') await resume(app, edition);
    if (states.includes('failed')) await retry(app, edition, { kinds: ['failed', 'expired'], isDryRun: false });
  }
}

/** Parsing the configuration takes longer than a trial. */
let base: TestApp | undefined;

async function tryCell(cell: Cell, store: Store): Promise<void> {
  base ??= openTestApp(store);
  const config = { ...base.config, delivery: { ...base.config.delivery, uncertain: cell.uncertain } };
  const app: TestApp = {
    ...base,
    now: NOW,
    clock: (): number => app.now,
    store,
    config,
    ...openParts(config, store, { clock: () => app.now, log: base.log }),
  };
  const server = await startFaultyServer();
  try {
    const { editionId } = await queueEdition(store, EVERYONE);
    await giveCopies(store, editionId);
    const trial = new Trial(app, server, cell);
    const outcome = await trial.deliver();
    expect(outcome).toBe(needsOperator(cell) ? 'told' : 'delivered');
    if (outcome === 'told') {
      await trial.operate();
      expect(await trial.deliver()).toBe('delivered');
    }
    await server.idle();
    expectCopies(server, cell);
    app.now += 10 * MINUTE;
    await deliverDue(app, { transport: openSmtpTransport(server.url, 2, LIMITS) });
    expect(await listOpenAlerts(store.db)).toEqual([]);
    expect(await store.db.selectFrom('editions').select('delivery_state').execute()).toEqual([
      { delivery_state: 'done' },
    ]);
  } finally {
    await server.close();
  }
}

/** A second of the clock of these trials takes 10 ms. */
const FASTER = 100;
const scaled = (milliseconds: number): number => milliseconds / FASTER;
const SCALED_LIMITS: SmtpLimits = {
  connect: scaled(MINUTE),
  steps: {
    'MAIL FROM': scaled(5 * MINUTE),
    'RCPT TO': scaled(5 * MINUTE),
    DATA: scaled(2 * MINUTE),
    'final dot': scaled(10 * MINUTE),
  },
  envelope: scaled(5 * MINUTE),
  quit: scaled(5 * SECOND),
};
/** Of the clock of the trial: five minutes, and what a busy machine takes. */
const TOLD_WITHIN = 6 * MINUTE;

/** Delivers to a server that misbehaves for everyone until an alert is raised. @returns seconds to it, or null */
async function timeToAlert(cell: Cell, store: Store): Promise<number | null> {
  base ??= openTestApp(store);
  const began = performance.now();
  const clock = (): number => Math.round(NOW + FASTER * (performance.now() - began));
  const app = { ...base, store, clock, ...openParts(base.config, store, { clock, log: base.log }) } as TestApp;
  Object.defineProperty(app, 'now', { get: clock });
  const server = await startFaultyServer();
  const monitor = new DeliveryMonitor(app);
  let seconds: number | null = null;
  try {
    await queueEdition(store, EVERYONE);
    const trial = new Trial(app, server, { ...cell, scope: 'ever' });
    const step = async (): Promise<boolean> => {
      const transport = openSmtpTransport(trial.url, 2, SCALED_LIMITS);
      const looking = setInterval(() => void monitor.stalls.look(transport.waits()), 10);
      await deliverDue(app, { monitor, transport }).finally(() => clearInterval(looking));
      await sleep(5);
      return (await deliveriesOf(store)).every(({ state }) => state === 'submitted');
    };
    let isDone = false;
    while (!isDone && seconds === null && clock() < NOW + 40 * MINUTE) {
      isDone = await step();
      const alert = await store.db.selectFrom('alerts').select('first_at').orderBy('first_at').executeTakeFirst();
      if (alert !== undefined) seconds = Math.round((alert.first_at - NOW) / SECOND);
    }
    await trial.operate();
    while (!isDone && clock() < NOW + 3 * HOUR) {
      isDone = await step();
      if (!isDone && (await listOpenAlerts(store.db, 'uncertain')).length > 0) await trial.operate();
    }
    await server.idle();
    expect([...new Set(server.copies.map(({ to }) => to))].sort()).toEqual(EVERYONE);
    const confirmed = server.copies.filter(({ isConfirmed }) => isConfirmed).map(({ to }) => to);
    // On a busy machine, the last reply of a slow server may come after its limit.
    if (!isUncertain(cell) && cell.fault !== 'slow') expect(confirmed.sort()).toEqual(EVERYONE);
    return seconds;
  } finally {
    await server.close();
  }
}

/** What may have arrived: its reply was not received. */
function isUncertain({ stage, fault }: Cell): boolean {
  return stage === 'message' && (fault === 'garbage' || fault === 'hang' || fault === 'close');
}

/** What passes by itself needs no operator. A final refusal of a recipient does, and what may have arrived twice. */
function needsOperator(cell: Cell): boolean {
  const { stage, fault, scope, uncertain } = cell;
  if (stage === 'RSET' || stage === 'QUIT') return false;
  if (isUncertain(cell) && scope === 'while') return true;
  return scope === 'ever' || uncertain === 'hold' || (fault === 'permanent' && OF_A_RECIPIENT.has(stage));
}

function expectCopies({ copies, misbehaved }: FaultyServer, cell: Cell): void {
  const { stage, fault } = cell;
  expect(misbehaved.map((one) => one.stage)).toContain(stage);
  const recipients = (which: readonly { to: string | null }[]) => which.map(({ to }) => to).sort();
  expect([...new Set(recipients(copies))]).toEqual(EVERYONE);
  for (const to of EVERYONE) {
    const own = copies.filter((copy) => copy.to === to);
    expect(new Set(own.map(({ messageId }) => messageId)).size).toBe(1);
    expect(new Set(own.map(({ message }) => message)).size).toBe(1);
  }
  const confirmed = copies.filter(({ isConfirmed }) => isConfirmed);
  const repeated = copies.filter(({ isConfirmed }) => !isConfirmed);
  if (fault === 'hang') {
    // On a busy machine its short limits may end a healthy submission, too.
    expect(recipients(confirmed)).toEqual([...new Set(recipients(confirmed))]);
    return;
  }
  expect(recipients(confirmed)).toEqual(EVERYONE);
  const expected = isUncertain(cell) ? misbehaved.map(({ recipient }) => ({ to: recipient })) : [];
  expect(recipients(repeated)).toEqual(recipients(expected));
}

describe('an edition is delivered once to everyone', () => {
  describe('whatever the server does', { concurrent: true }, () => {
    it.each(CELLS)('at $stage: $fault, $scope; uncertain: $uncertain', async (cell) => {
      const store = await openMigrated();
      try {
        await tryCell(cell, store);
      } finally {
        await store.close();
      }
    });
  });

  describe('and an operator is told within five minutes, unless it is only slow', { concurrent: true }, () => {
    const stages = STAGES.filter((stage) => stage !== 'RSET');
    const faults: Fault[] = [...FAULTS, 'slow'];
    const cells = stages.flatMap((stage) => cellsOf(stage, faults, ['ever']));
    // This server has no certificate.
    const possible = cells.filter(({ stage, fault }) => stage !== 'STARTTLS' || fault !== 'slow');
    const table = new Map<string, number | null>();
    afterAll(() => {
      for (const stage of stages) {
        const row = faults.map((fault) => `${fault} ${table.get(`${stage} ${fault}`) ?? '-'}`);
        console.info(`seconds to the alert, ${stage}: ${row.join(', ')}`);
      }
    });
    it.each(possible)('at $stage: $fault', { timeout: 2 * MINUTE }, async (cell) => {
      const store = await openMigrated();
      try {
        const seconds = await timeToAlert(cell, store);
        table.set(`${cell.stage} ${cell.fault}`, seconds);
        // On a busy machine, what is slow may exceed a limit.
        if (cell.stage !== 'QUIT' && cell.fault !== 'slow') expect(seconds).toBeLessThanOrEqual(TOLD_WITHIN / SECOND);
      } finally {
        await store.close();
      }
    });
  });

  forEachDatabase((open) => {
    it.each([
      ...cellsOf('MAIL', ['temporary'], ['ever']),
      ...cellsOf('RCPT', ['permanent'], ['ever']),
      ...cellsOf('message', ['close'], ['while']),
      ...cellsOf('message', ['close'], ['one'], 'hold'),
    ])('with a fault at $stage: $fault, $scope; uncertain: $uncertain', async (cell) => {
      await tryCell(cell, await open());
    });
  });
});
