/**
 * Opens the workers' connections one after the other, so that a server that is down or refuses the login gets one
 * attempt and not one per worker at the same moment: some servers lock an account after a few wrong passwords.
 */
import { type Connection, type Transport, TransportError } from './connection.ts';
import { classifyFailure } from './retry.ts';

export interface ConnectionOpener {
  /** @returns `current` if it is usable, otherwise a new connection; null if none can be opened */
  acquire(current: Connection | null): Promise<Connection | null>;
  /** Closes a connection that is not needed any more. */
  close(current: Connection | null): void;
  /** Why no connection can be opened any more; null as long as one is open. */
  failure(): { cause: 'temporary' | 'configuration'; reason: string } | null;
}

export function openConnectionOpener(transport: Transport): ConnectionOpener {
  let open = 0;
  let failure: ReturnType<ConnectionOpener['failure']> = null;
  let last: Promise<unknown> = Promise.resolve();

  const openOne = async (): Promise<Connection | null> => {
    if (failure !== null) return null;
    try {
      const connection = await transport.connect();
      open += 1;
      return connection;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      const isConfiguration = classifyFailure(error.failure) === 'systemic';
      // If others are open, this may be the server's limit of connections: the others continue.
      if (isConfiguration || open === 0) {
        failure = { cause: isConfiguration ? 'configuration' : 'temporary', reason: error.message };
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
      const next = last.then(openOne);
      last = next.catch(() => {});
      return next;
    },
    close,
    failure: () => (open === 0 ? failure : null),
  };
}
