/**
 * Polls invented outlets of all kinds for hours of virtual time, from two processes with one database, and checks every
 * request. Exits with 1 if a rule was broken.
 *
 *     npm run -s outlet-simulation -- --hours 24 --sources 50 --database sqlite
 *     npm run -s outlet-simulation -- --hours 72 --kinds from-permanent,from-temporary
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { KINDS } from './outlets/kinds.ts';
import { simulateOutlets } from './outlets/simulate.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '24' },
    sources: { type: 'string' },
    database: { type: 'string', default: 'sqlite' },
    kinds: { type: 'string', default: Object.keys(KINDS).join() },
    seed: { type: 'string', default: '1' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'daywire-outlets-'));
const postgres = values.database === 'postgres' ? await startPostgresServer('outlets', NOT_DURABLE) : null;
const open = (): Promise<Store> =>
  openStore({
    path: join(folder, 'daywire.sqlite'),
    ...(postgres === null ? {} : { databaseUrl: `${postgres.url}/outlets` }),
  });
const stores = [await open()];
try {
  await migrate(stores[0] as Store);
  stores.push(await open());
  const names = values.kinds.split(',');
  const length = Number(values.sources ?? names.length);
  const outlets = Array.from({ length }, (_, index) => names[index % names.length] as string);
  const started = performance.now();
  const report = await simulateOutlets(stores, { outlets, hours: Number(values.hours), seed: Number(values.seed) });
  const { sources, requests, polls, conditional, couldBeConditional, notModified, states, violations } = report;
  const share = ((100 * conditional) / couldBeConditional).toFixed(1);
  console.log(`${sources} sources, ${values.hours} hours, 2 processes, ${values.database}`);
  console.log(`${polls} polls, ${requests} requests, ${notModified} answered 304`);
  console.log(`${conditional} of ${couldBeConditional} requests with validators were conditional (${share} %)`);
  console.log(
    `states: ${Object.entries(states)
      .map(([state, count]) => `${count} ${state}`)
      .join(', ')}`,
  );
  console.log(`${((performance.now() - started) / 1_000).toFixed(1)} s of real time`);
  for (const violation of violations) console.log(`BROKEN: ${violation}`);
  console.log(violations.length === 0 ? 'no rule was broken' : `${violations.length} rules were broken`);
  process.exitCode = violations.length === 0 ? 0 : 1;
} finally {
  for (const store of stores) await store.close();
  await postgres?.stop();
  rmSync(folder, { recursive: true });
}
