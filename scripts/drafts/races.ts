/**
 * Cancels the sending of editions at the last instant, by another process than the one that closes the edition: each
 * edition is sent whole, or not at all, and the command that cancelled was told which.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once as nextEvent } from 'node:events';
import { join } from 'node:path';
import { listOpenAlerts } from '../../src/core/alerts/alerts.ts';
import type { Store } from '../../src/core/store/store.ts';
import { closeDueEditions, startSending } from '../../src/delivery/closing/send-now.ts';
import { findDraftTarget } from '../../src/editions/draft/draft-target.ts';
import { MINUTE } from '../../src/lib/time.ts';
import {
  createNewsroom,
  type DraftNewsroom,
  EDITOR,
  findTraces,
  findWholeFaults,
  type NewsroomPlace,
  openNewsroom,
  readFigures,
  resetNewsroom,
  SLOT,
} from './newsroom.ts';
import type { RaceOrder, RaceReport } from './race-worker.ts';

interface RaceFigures {
  races: number;
  closed: number;
  cancelled: number;
  faults: string[];
  seconds: number;
}

/** Longest delay from one of the last queries before the edition closes to the cancellation, in milliseconds. */
const LAST_INSTANTS = 12;
/** The cancellation comes after one of so many last queries. */
const LAST_QUERIES = 8;

/**
 * Each race sends an edition and lets it come due. In every fourth race both processes close it. The cancellation comes
 * at a random moment around the begin of the transaction that closes the edition.
 */
export async function runRaces(
  place: NewsroomPlace,
  races: number,
  onRace: (race: number) => void = () => {},
): Promise<RaceFigures> {
  const start = performance.now();
  await createNewsroom(place);
  const sender = await openNewsroom(place, 0);
  const other = await OtherProcess.start(place);
  const figures: RaceFigures = { races, closed: 0, cancelled: 0, faults: [], seconds: 0 };
  try {
    let queries = 0;
    for (let race = 1; race <= races; race++) {
      // The first race shows how many queries there are: it is cancelled at the last one.
      const cancelAfter = race === 1 ? null : queries - Math.floor(Math.random() * LAST_QUERIES);
      const { outcome, faults, ...ran } = await runRace(sender, other, { closeTwice: race % 4 === 0, cancelAfter });
      if (race === 1) ({ queries } = ran);
      figures[outcome] += 1;
      figures.faults.push(...faults.map((fault) => `race ${race}, ${outcome}: ${fault}`));
      onRace(race);
    }
  } finally {
    await other.stop();
    await sender.app.store.close();
  }
  return { ...figures, seconds: Math.round((performance.now() - start) / 1000) };
}

/** A process of its own, with its own store. */
class OtherProcess {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>();
  #orders = 0;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on('message', ({ id, succeeded, error }: RaceReport) => {
      if (succeeded === null) this.#waiting.get(id)?.reject(new Error(error));
      else this.#waiting.get(id)?.resolve(succeeded);
      this.#waiting.delete(id);
    });
    child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the other process ended'));
    });
  }

  static async start(place: NewsroomPlace): Promise<OtherProcess> {
    const child = fork(join(import.meta.dirname, 'race-worker.ts'), [JSON.stringify(place)]);
    await nextEvent(child, 'message');
    return new OtherProcess(child);
  }

  /** @returns whether a cancellation came in time */
  order(kind: RaceOrder['kind'], now: number): Promise<boolean> {
    this.#orders += 1;
    const report = Promise.withResolvers<boolean>();
    this.#waiting.set(this.#orders, report);
    this.#process.send({ id: this.#orders, kind, now } satisfies RaceOrder);
    return report.promise;
  }

  async stop(): Promise<void> {
    const ended = nextEvent(this.#process, 'exit');
    this.#process.disconnect();
    await ended;
  }
}

async function runRace(
  sender: DraftNewsroom,
  other: OtherProcess,
  { closeTwice, cancelAfter }: { closeTwice: boolean; cancelAfter: number | null },
): Promise<{ outcome: 'closed' | 'cancelled'; faults: string[]; queries: number }> {
  const { store } = sender.app;
  await resetNewsroom(store);
  sender.app.now = SLOT - 10 * MINUTE;
  const target = await findDraftTarget(sender.app, sender.newsletter);
  const closeAt = await startSending(sender.app, target, EDITOR);
  sender.app.now = closeAt;
  const cancelling = Promise.withResolvers<boolean>();
  let queries = 0;
  const cancelLater = once(() => {
    const cancel = () => other.order('cancel', closeAt);
    // Half of them without a timer, which is never shorter than a millisecond.
    if (Math.random() < 0.5) setImmediate(() => cancel().then(cancelling.resolve, cancelling.reject));
    else setTimeout(() => cancel().then(cancelling.resolve, cancelling.reject), Math.random() * LAST_INSTANTS);
  });
  const watched = watching(store, (isLast) => {
    queries += 1;
    if (cancelAfter === null ? isLast : queries >= cancelAfter || isLast) cancelLater();
  });
  await Promise.all([
    // If the other process was faster, it has had fewer queries.
    closeDueEditions({ ...sender.app, store: watched }).finally(cancelLater),
    closeTwice ? other.order('close', closeAt) : null,
    cancelling.promise,
  ]);
  const wasCancelled = await cancelling.promise;
  const figures = await readFigures(store);
  const alerts = (await listOpenAlerts(store.db)).map(({ message }) => `alert: ${message}`);
  const faults = [...(wasCancelled ? findTraces(figures) : findWholeFaults(figures)), ...alerts];
  return { outcome: wasCancelled ? 'cancelled' : 'closed', faults, queries };
}

/** The store, which calls `listener` when a query is built or a transaction begins: with true for the latter. */
function watching(store: Store, listener: (isTransaction: boolean) => void): Store {
  const db = new Proxy(store.db, {
    get(target, key) {
      if (key === 'selectFrom' || key === 'transaction') listener(key === 'transaction');
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...store, db };
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
