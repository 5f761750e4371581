/**
 * Finished messages and their submission.
 */
import { type OutgoingMessage, TransportError } from '../../../src/delivery/transport/connection.ts';
import { openSmtpTransport, type SmtpLimits } from '../../../src/delivery/transport/smtp-transport.ts';

/** So many milliseconds for each step. */
export function limitsOf(step: number, quit = 50): SmtpLimits {
  const steps = { 'MAIL FROM': step, 'RCPT TO': step, DATA: step, 'final dot': step };
  return { connect: step, steps, envelope: 4 * step, quit };
}

/** For servers that answer, on a busy machine too. */
export const PATIENT = limitsOf(10_000);

/** A message as `prepareMessages` returns it. @param parts replace its usual content */
export function outgoing(to = 'ada@example.com', parts?: (string | Buffer)[]): OutgoingMessage {
  const chunks = (parts ?? ['Subject: Hello\r\nMessage-ID: <1@example.com>\r\n\r\n', 'Hello.\r\n']).map((part) =>
    Buffer.from(part as string),
  );
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  return { newsletter: 'daily', slot: '2026-11-24', from: 'roundup@example.com', to, chunks, size };
}

/** The failure of a TransportError; the test fails without such an error. */
export async function failureOf(work: Promise<unknown>): Promise<TransportError['failure']> {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  );
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${error}`);
  return error.failure;
}

/** Opens a connection, submits one message, and closes the connection. */
export async function submitOnce(url: string, message = outgoing(), limits = PATIENT): Promise<string> {
  const connection = await openSmtpTransport(url, 1, limits).connect();
  try {
    return await connection.submit(message);
  } finally {
    connection.close();
  }
}
