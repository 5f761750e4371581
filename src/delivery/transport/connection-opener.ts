/**
 * Opens the workers' connections one after the other, so that a server that is down or refuses the login gets one
 * attempt and not one per worker at the same moment: some servers lock an account after a few wrong passwords.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerFailure } from '../control/back-off.ts';
import { type Connection, type Transport, TransportError } from './connection.ts';
import { classifyFailure } from './retry.ts';

export interface ConnectionOpener {
  /** @returns `current` if it is usable, otherwise a new connection; null if none can be opened */
  acquire(current: Connection | null): Promise<Connection | null>;
  /** Closes a connection that is no longer needed. */
  close(current: Connection | null): void;
  /** Why connections can no longer be opened; null as long as one is open. */
  failure(): ServerFailure | null;
}

/** Milliseconds between new connections in place of others: a server may close each after one message. */
const SPACING = 20;

export function openConnectionOpener(transport: Transport): ConnectionOpener {
  let open = 0;
  let failure: ServerFailure | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let nextAt = Number.NEGATIVE_INFINITY;

  const openOne = async (isInPlace: boolean): Promise<Connection | null> => {
    if (failure !== null) return null;
    if (isInPlace) await sleep(Math.max(0, nextAt - performance.now()));
    nextAt = performance.now() + SPACING;
    try {
      const connection = await transport.connect();
      open += 1;
      return connection;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const { replyCode, code } = error.failure;
      const isSystemic = classifyFailure(error.failure) === 'systemic';
      // If others are open, this may be the server's limit of connections: the others continue.
      if (isSystemic || open === 0) {
        // Whether it refuses connections, cannot be found, or its certificate is wrong: it does not pass in seconds.
        failure = { reason: error.message, isUrgent: isSystemic || replyCode === null || code === 'ETLS' };
      }
      return null;
    }
  };
  const close = (current: Connection | null): void => {
    if (current === null) return;
    open -= 1;
    current.close();
  };

  return {
    acquire(current) {
      if (current?.usable) return Promise.resolve(current);
      close(current);
      const next = last.then(() => openOne(current !== null));
      last = next.catch(() => {});
      return next;
    },
    close,
    failure: () => (open === 0 ? failure : null),
  };
}
