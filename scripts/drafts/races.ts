/**
 * Cancels countdowns at the last instant, by another connection than the one that closes the edition: each edition is
 * sent whole, or not at all, and whoever cancelled was told which.
 */
import { cancelSending, closeDueCountdowns, SendError, startSending } from '../../src/app/drafts/countdown.ts';
import { findDraftTarget } from '../../src/app/drafts/draft-target.ts';
import { MINUTE } from '../../src/lib/time.ts';
import { listOpenAlerts } from '../../src/schedule/alerts.ts';
import type { Store } from '../../src/store/store.ts';
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
const LAST_QUERIES = 3;

/**
 * Each race starts a countdown and lets it end. In every fourth race both processes close it. The cancellation comes at
 * a random moment around the begin of the transaction that closes the edition.
 */
export async function runRaces(
  place: NewsroomPlace,
  races: number,
  onRace: (race: number) => void = () => {},
): Promise<RaceFigures> {
  const start = performance.now();
  await createNewsroom(place);
  const rooms = [await openNewsroom(place, 0), await openNewsroom(place, 0)] as const;
  const figures: RaceFigures = { races, closed: 0, cancelled: 0, faults: [], seconds: 0 };
  try {
    let queries = 0;
    for (let race = 1; race <= races; race++) {
      // The first race shows how many queries there are: it is cancelled at the last one.
      const cancelAfter = race === 1 ? null : queries - Math.floor(Math.random() * LAST_QUERIES);
      const { outcome, faults, ...ran } = await runRace(rooms, { closeTwice: race % 4 === 0, cancelAfter });
      if (race === 1) ({ queries } = ran);
      figures[outcome] += 1;
      figures.faults.push(...faults.map((fault) => `race ${race}, ${outcome}: ${fault}`));
      onRace(race);
    }
  } finally {
    await Promise.all(rooms.map(({ app }) => app.store.close()));
  }
  return { ...figures, seconds: Math.round((performance.now() - start) / 1000) };
}

async function runRace(
  [sender, other]: readonly [DraftNewsroom, DraftNewsroom],
  { closeTwice, cancelAfter }: { closeTwice: boolean; cancelAfter: number | null },
): Promise<{ outcome: 'closed' | 'cancelled'; faults: string[]; queries: number }> {
  const { store } = sender.app;
  await resetNewsroom(store);
  for (const { app } of [sender, other]) app.now = SLOT - 10 * MINUTE;
  const target = await findDraftTarget(sender.app, sender.newsletter);
  const closeAt = await startSending(sender.app, target, EDITOR);
  for (const { app } of [sender, other]) app.now = closeAt;
  const cancelling = Promise.withResolvers<boolean>();
  let queries = 0;
  const cancelLater = once(() => {
    const cancel = () => cancelSending(other.app, target, EDITOR).then(() => true, isTooLate);
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
    closeDueCountdowns({ ...sender.app, store: watched }).finally(cancelLater),
    closeTwice ? closeDueCountdowns(other.app) : null,
    cancelling.promise,
  ]);
  const wasCancelled = await cancelling.promise;
  const figures = await readFigures(store);
  const alerts = (await listOpenAlerts(store.db)).map(({ message }) => `alert: ${message}`);
  const faults = [...(wasCancelled ? findTraces(figures) : findWholeFaults(figures)), ...alerts];
  return { outcome: wasCancelled ? 'cancelled' : 'closed', faults, queries };
}

function isTooLate(error: unknown): false {
  if (error instanceof SendError && error.message.includes('too late to cancel')) return false;
  throw error;
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
