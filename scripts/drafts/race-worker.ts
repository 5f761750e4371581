/**
 * The other process of a race: cancels the sending, or closes the edition, when its parent says so, and reports the
 * outcome. Argument: the place (JSON).
 */
import { cancelSending, closeDueEditions, SendError } from '../../src/delivery/closing/send-now.ts';
import { findDraftTarget } from '../../src/editions/draft/draft-target.ts';
import { EDITOR, type NewsroomPlace, openNewsroom } from './newsroom.ts';

/** `now`: what the clock shows. */
export interface RaceOrder {
  id: number;
  kind: 'cancel' | 'close';
  now: number;
}

export interface RaceReport {
  id: number;
  /** Whether a cancellation came in time; true for a close. Null after an error. */
  succeeded: boolean | null;
  error?: string;
}

const { app, newsletter } = await openNewsroom(JSON.parse(process.argv[2] ?? '') as NewsroomPlace, 0);

async function carryOut({ kind, now }: RaceOrder): Promise<boolean> {
  app.now = now;
  if (kind === 'close') {
    await closeDueEditions(app);
    return true;
  }
  try {
    await cancelSending(app, await findDraftTarget(app, newsletter, '2026-11-24'), EDITOR);
    return true;
  } catch (error) {
    if (error instanceof SendError && error.message.includes('too late to cancel')) return false;
    throw error;
  }
}

process.on('message', (order: RaceOrder) => {
  carryOut(order).then(
    (succeeded) => process.send?.({ id: order.id, succeeded } satisfies RaceReport),
    (error: unknown) => process.send?.({ id: order.id, succeeded: null, error: String(error) } satisfies RaceReport),
  );
});
process.on('disconnect', async () => {
  await app.store.close();
  process.exit();
});
process.send?.({ id: 0, succeeded: true } satisfies RaceReport);
