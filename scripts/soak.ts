/**
 * npm run -s soak -- [--minutes 20] [--json]
 *
 * Runs a newsroom of its own with sign-ups, feed polls, imports, editions, hostile requests and kills (SIGKILL). Prints
 * the figures, and exits with 1 if something was lost, grew, or was not explained.
 */
import { parseArgs } from 'node:util';
import type { SoakFigures, Trend } from './soak/findings.ts';
import { runSoak } from './soak/run.ts';

/** Of many alike; with --json all are printed. */
const FAULTS_SHOWN = 30;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '20' }, json: { type: 'boolean', default: false } },
});
const minutes = Number(values.minutes);
if (!(minutes >= 1)) throw new Error('--minutes must be a number of at least 1');

const figures = await runSoak({
  minutes,
  onProgress: (text) => process.stderr.isTTY && process.stderr.write(`\r\u001b[2K${text}`),
});
if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
console.log(values.json ? JSON.stringify(figures, null, 2) : format(figures));
process.exitCode = figures.faults.length === 0 ? 0 : 1;

function format(figures: SoakFigures): string {
  const { kills, connections, people, confirmed, left, editions, deliveries, extraCopies, articles, polls } = figures;
  const trend = ({ first, last, samples }: Trend, unit: (value: number) => string): string =>
    `${unit(first)} to ${unit(last)} (medians of the first and the last third of ${samples} samples)`;
  return [
    `time                     ${figures.seconds} s, ${kills} kills`,
    `people                   ${people}, of whom ${confirmed} confirmed and ${left} left`,
    `editions                 ${editions}, ${deliveries} deliveries`,
    `copies beyond the first  ${extraCopies} (at most ${connections} connections x ${kills} kills)`,
    `articles                 ${articles}`,
    `polls of feeds           ${polls.full} full, ${polls.unchanged} unchanged`,
    `hostile requests         ${figures.hostile}`,
    `memory                   ${trend(figures.memory, (bytes) => `${Math.round(bytes / 1024 / 1024)} MB`)}`,
    `open files               ${trend(figures.openFiles, String)}`,
    `response of /healthz     ${trend(figures.response, (ms) => `${ms.toFixed(1)} ms`)}`,
    `                         p99 ${figures.response.p99.toFixed(1)} ms, maximum ${figures.response.max.toFixed(1)} ms`,
    `faults                   ${figures.faults.length}`,
    ...figures.faults.slice(0, FAULTS_SHOWN).map((fault) => `FAULT ${fault}`),
  ].join('\n');
}
