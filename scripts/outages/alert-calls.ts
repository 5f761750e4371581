/** The operator's side of the alert webhook: keeps each call with its time. */
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

export interface AlertCall {
  state: 'raised' | 'resolved';
  key: string;
  message: string;
  /** By `performance.now()`. */
  at: number;
}

export interface AlertCalls {
  url: string;
  calls: readonly AlertCall[];
  close(): void;
}

export async function startAlertCalls(): Promise<AlertCalls> {
  const calls: AlertCall[] = [];
  const server = createServer(async (request, response) => {
    const { state, key, message } = (await json(request)) as AlertCall;
    calls.push({ state, key, message, at: performance.now() });
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}/alerts`,
    calls,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
