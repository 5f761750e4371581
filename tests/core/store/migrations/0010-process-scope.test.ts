import { type Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { NOW } from '../../../../scripts/test-edition.ts';
import { listProcesses } from '../../../../src/core/schedule/processes.ts';
import { addProcessScope } from '../../../../src/core/store/migrations/0010-process-scope.ts';
import { forEachDatabase } from '../../../support/databases.ts';

forEachDatabase((open, dialect) => {
  it('regards recorded processes as running until they are silent', async () => {
    const store = await open();
    const db = store.db as unknown as Kysely<unknown>;
    await sql`alter table processes drop column scope`.execute(db);
    await sql`insert into processes (id, host, pid, roles, version, started_at, seen_at)
      values ('earlier', 'news-1', 7, '["web"]', '1.0.0', ${NOW}, ${NOW})`.execute(db);
    await addProcessScope(db, dialect);
    const ids = { scope: 'here', exists: () => false };
    expect(await listProcesses(store.db, NOW, ids)).toMatchObject([{ pid: 7, scope: null, isRunning: true }]);
  });
});
