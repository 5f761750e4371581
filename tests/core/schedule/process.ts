/**
 * Runs what is due at given instants, in a process that shares a database with another one. Arguments: location of the
 * store (JSON), instants (JSON array). Prints the slots it ran and the runs it recorded, as JSON.
 */
import { runDue } from '../../../src/core/schedule/run-due.ts';
import { openStore } from '../../../src/core/store/store.ts';

const [location = '', instants = ''] = process.argv.slice(2);
const store = await openStore(JSON.parse(location) as { databaseUrl?: string; path: string });
const ran: number[] = [];
let now = 0;
const job = {
  id: 'newsletter:daily',
  schedule: { cron: '30 7 * * *', zone: 'Asia/Shanghai', graceMinutes: 240 },
  coalesce: false,
  run: async (slotAt: number) => {
    ran.push(slotAt);
    return { kind: 'done' as const };
  },
};
const log = { debug() {}, info() {}, warn() {}, error() {} };
const recorded = [];
for (now of JSON.parse(instants) as number[]) {
  recorded.push(...(await runDue(store, [job], { clock: () => now, log })));
}
await store.close();
process.stdout.write(JSON.stringify({ ran, recorded }));
