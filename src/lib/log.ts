/**
 * What a running daywire says on stderr: JSON lines for machines, one plain line each for a person at a terminal.
 */
import { Writable } from 'node:stream';
import pino from 'pino';

/** What the rooms need of a log. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

/** The level that was asked for does not exist. */
class LogError extends Error {
  override name = 'LogError';
}

/**
 * @param stream where lines go; on a terminal they are `20:43:01 message key=value`, with the process's own wall clock
 * @param level the least that is said: `debug`, `info`, `warn`, `error` or `silent`
 * @throws LogError where it is none of these
 */
export function openLog(stream: NodeJS.WritableStream & { isTTY?: boolean; fd?: number }, level: string): Log {
  if (!LEVELS.includes(level)) throw new LogError(`DAYWIRE_LOG is ${level}: it must be one of ${LEVELS.join(', ')}`);
  const options: pino.LoggerOptions = { level, base: null };
  if (stream.isTTY) return pino(options, forPeople(stream));
  if (stream.fd === undefined) return pino(options, stream);
  // At once: what was said last before the process died is there.
  return pino(options, pino.destination({ fd: stream.fd, sync: true }));
}

function forPeople(stream: NodeJS.WritableStream): Writable {
  return new Writable({
    write(line: Buffer, _encoding, done) {
      const { time, level, msg, ...details } = JSON.parse(line.toString()) as Record<string, unknown>;
      const clock = new Date(time as number).toTimeString().slice(0, 8);
      const mark = (level as number) >= 50 ? ' ERROR' : (level as number) >= 40 ? ' warning' : '';
      const rest = Object.entries(details).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      // A line of progress may stand there: it is wiped, not written on.
      stream.write(`\r\u001b[2K${clock}${mark} ${String(msg)}${rest.join('')}\n`, done);
    },
  });
}
