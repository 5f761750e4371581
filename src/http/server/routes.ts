/**
 * Registers a path with all of its methods, so that every known path answers every method: RFC 9110 §15.5.6 wants a 405 with Allow.
 */
import type { Context, Hono } from 'hono';

/** What answers a request. HEAD is answered by GET's handler; Hono drops the body. */
export type RequestHandler = (c: Context) => Response | Promise<Response>;

export interface Answers {
  get?: RequestHandler;
  post?: RequestHandler;
}

/**
 * Answers GET and HEAD, and POST, as far as they are given; any other method with 405, and OPTIONS with 204, both with Allow.
 * @param path in Hono's syntax
 */
export function route(app: Hono, path: string, { get, post }: Answers): void {
  const allow = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : []), 'OPTIONS'].join(', ');
  if (get !== undefined) app.get(path, get);
  if (post !== undefined) app.post(path, post);
  app.all(path, (c) =>
    c.req.method === 'OPTIONS'
      ? c.body(null, 204, { Allow: allow })
      : c.text(`${c.req.method} is not answered here. Allowed: ${allow}.\n`, 405, { Allow: allow }),
  );
}

/** A path parameter that is one clean word of at most 200 characters; otherwise null, and nothing goes by that name. */
export function wordParameter(c: Context, name: string): string | null {
  const value = c.req.param(name) ?? '';
  return value.length > 0 && value.length <= 200 && !UNFIT.test(value) ? value : null;
}

// Controls (PostgreSQL refuses U+0000 in a query), white space, and what a name in a path never holds.
const UNFIT = /[\u0000-\u0020\u007f-\u009f\\/]/;
