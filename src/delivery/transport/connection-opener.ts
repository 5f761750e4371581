/**
 * Opens the workers' connections one after the other, so that a server which is down or refuses the login is asked once and not
 * by every worker at the same moment: some lock an account after a few wrong passwords.
 */
import { type Connection, type Transport, TransportError } from './connection.ts';
import { classifyFailure } from './retry.ts';

export interface ConnectionOpener {
  /** `held` where it can still be used, otherwise a new connection; null where none can be had. */
  acquire(held: Connection | null): Promise<Connection | null>;
  /** Closes a connection that is not needed any more. */
  close(held: Connection | null): void;
  /** Why the last connection could not be had, said for an operator. */
  problem(): string | null;
}

export function openConnectionOpener(transport: Transport): ConnectionOpener {
  let open = 0;
  let problem: string | null = null;
  let hopeless = false;
  let last: Promise<unknown> = Promise.resolve();

  const openOne = async (): Promise<Connection | null> => {
    if (hopeless) return null;
    try {
      const connection = await transport.connect();
      open += 1;
      return connection;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      problem = error.message;
      // Where others are open, the server may only have granted us all it grants, and those go on.
      hopeless = open === 0 || classifyFailure(error.failure) === 'refuses-us';
      return null;
    }
  };
  const close = (held: Connection | null): void => {
    if (held === null) return;
    open -= 1;
    held.close();
  };

  return {
    acquire(held) {
      if (held?.usable) return Promise.resolve(held);
      close(held);
      const next = last.then(openOne);
      last = next.catch(() => {});
      return next;
    },
    close,
    problem: () => problem,
  };
}
