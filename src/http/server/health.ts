/**
 * Is this process able to answer readers? For load balancers and supervisors.
 */
import { sql } from 'kysely';
import { SECOND } from '../../lib/time.ts';
import type { RequestHandler } from './routes.ts';
import type { WebContext } from './web-context.ts';

const PATIENCE = 3 * SECOND;

/** Answers `/healthz`: 200 where the database answers, 503 where it does not, or not within three seconds. */
export function serveHealth(web: WebContext): RequestHandler {
  return async (c) => {
    const ok = await answersInTime(sql`select 1`.execute(web.store.db));
    const body = { ok, database: ok ? 'reachable' : 'unreachable' };
    return c.json(body, ok ? 200 : 503, { 'Cache-Control': 'no-store' });
  };
}

async function answersInTime(query: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE);
  });
  try {
    return await Promise.race([query.then(() => true as const), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
