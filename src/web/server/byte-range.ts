/** Requests for a part of a file (RFC 9110 §14). */
import { parseHttpDate } from '../../lib/http-date.ts';
import type { Validators } from './conditional.ts';

/**
 * The part of a file that a GET asks for. Several ranges, a broken one and another unit get the whole file (§14.2).
 * @param size in bytes
 * @returns the place of its first and last byte; null for the whole file; none for a part that does not exist
 */
export function requestedRange(
  headers: Headers,
  size: number,
  validators: Validators,
): { start: number; end: number } | 'none' | null {
  const [, first = '', last = ''] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(headers.get('Range') ?? '') ?? [];
  if (size === 0 || first + last === '' || !isSameFile(headers, validators)) return null;
  // `-500`: the last 500 bytes (§14.1.2).
  if (first === '')
    return last !== '' && Number(last) === 0 ? 'none' : { start: Math.max(0, size - Number(last)), end: size - 1 };
  if (last !== '' && Number(last) < Number(first)) return null;
  if (Number(first) >= size) return 'none';
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** If-Range: the part belongs to the bytes that the client has. Compares strongly, and dates exactly (§13.1.5). */
function isSameFile(headers: Headers, { etag, modifiedAt = Number.NaN }: Validators): boolean {
  const written = headers.get('If-Range')?.trim();
  if (written === undefined || written === etag) return true;
  return parseHttpDate(written) === Math.floor(modifiedAt / 1_000) * 1_000;
}
