/**
 * Is this process able to answer readers? For load balancers and supervisors.
 */
import { sql } from 'kysely';
import { SECOND } from '../../lib/time.ts';
import type { Answer } from './routes.ts';
import type { Site } from './site.ts';

const PATIENCE = 3 * SECOND;

/** Answers `/healthz`: 200 where the database answers, 503 where it does not, or not within three seconds. */
export function answerHealth(site: Site): Answer {
  return async (c) => {
    const ok = await answersInTime(sql`select 1`.execute(site.store.db));
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
