/**
 * The health check, for load balancers and supervisors.
 */
import type { Handler } from 'hono';
import { sql } from 'kysely';
import { SECOND } from '../../lib/time.ts';
import { withTimeout } from '../../lib/with-timeout.ts';
import type { WebContext } from '../../web/server/web-context.ts';

/** `/healthz`: 200 if the database responds within three seconds, otherwise 503. */
export function serveHealth({ store }: WebContext): Handler {
  return async (c) => {
    const query = withTimeout(sql`select 1`.execute(store.db), 3 * SECOND, 'the database does not respond');
    const ok = await query.then(
      () => true,
      () => false,
    );
    const body = { ok, database: ok ? 'reachable' : 'unreachable' };
    return c.json(body, ok ? 200 : 503, { 'Cache-Control': 'no-store' });
  };
}
