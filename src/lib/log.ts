/** The log on stderr: JSON lines, or one plain line for each record on a terminal. */
import { Writable } from 'node:stream';
import pino from 'pino';

/** The part of pino that daywire uses. */
export interface Log {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

/** The log level is unknown. */
export class LogError extends Error {
  override name = 'LogError';
}

/**
 * @param stream the output; on a terminal lines look like `20:43:01 message key=value`, in the process's local time
 * @param level the lowest level to log: `debug`, `info`, `warn`, `error` or `silent`
 * @throws LogError for any other level
 */
export function openLog(stream: NodeJS.WritableStream & { isTTY?: boolean; fd?: number }, level: string): Log {
  if (!LEVELS.includes(level)) throw new LogError(`DAYWIRE_LOG is ${level}: it must be one of ${LEVELS.join(', ')}`);
  const options: pino.LoggerOptions = { level, base: null };
  if (stream.isTTY) return pino(options, plainLines(stream));
  if (stream.fd === undefined) return pino(options, stream);
  // Synchronous, so that the last lines before a crash are not lost.
  return pino(options, pino.destination({ fd: stream.fd, sync: true }));
}

function plainLines(stream: NodeJS.WritableStream): Writable {
  return new Writable({
    write(line: Buffer, _encoding, done) {
      const { time, level, msg, ...details } = JSON.parse(line.toString()) as Record<string, unknown>;
      const clock = new Date(time as number).toTimeString().slice(0, 8);
      const mark = (level as number) >= 50 ? ' ERROR' : (level as number) >= 40 ? ' warning' : '';
      const rest = Object.entries(details).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
      // Erase a progress line first.
      stream.write(`\r\u001b[2K${clock}${mark} ${String(msg)}${rest.join('')}\n`, done);
    },
  });
}
