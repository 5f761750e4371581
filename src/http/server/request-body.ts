/**
 * Reads what was posted, and never more of it than is expected.
 */
import type { Context } from 'hono';

/** Far more than any form here holds. */
export const FORM_LIMIT = 16 * 1024;

export type PostedForm =
  | { kind: 'form'; fields: URLSearchParams }
  /** Nothing that a form of these pages sends. */
  | { kind: 'refused'; status: 413 | 415; message: string };

/** The fields of a form that a page of this site posted (`application/x-www-form-urlencoded`). */
export async function readForm(c: Context): Promise<PostedForm> {
  const type = (c.req.header('Content-Type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-www-form-urlencoded') {
    return { kind: 'refused', status: 415, message: 'What was sent is no form of this web.' };
  }
  const body = await readBody(c, FORM_LIMIT);
  if (body === null)
    return { kind: 'refused', status: 413, message: 'What was sent is longer than any form of this web.' };
  return { kind: 'form', fields: new URLSearchParams(body.toString('utf8')) };
}

/** The body of a request, or null where it is longer than `limit` bytes, whatever its Content-Length says. */
export async function readBody(c: Context, limit: number): Promise<Buffer | null> {
  if (Number(c.req.header('Content-Length') ?? 0) > limit) return null;
  const stream = c.req.raw.body;
  if (stream === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    length += chunk.length;
    if (length > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
