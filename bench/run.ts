/**
 * `npm run -s bench -- compose|delivery|feeds|http|import [--json]`: prints medians. With --json one object
 * whose keys name figure and unit.
 */
import { benchCompose } from './compose.ts';
import { benchDelivery } from './delivery.ts';
import { benchFeeds } from './feeds.ts';
import { benchHttp } from './http.ts';
import { benchImport } from './import.ts';

const BENCHES: Record<string, () => Promise<Record<string, number | null>>> = {
  compose: benchCompose,
  delivery: benchDelivery,
  feeds: benchFeeds,
  http: benchHttp,
  import: benchImport,
};

const [name = '', ...flags] = process.argv.slice(2);
const bench = BENCHES[name];
if (bench === undefined || flags.some((flag) => flag !== '--json')) {
  process.stderr.write(`usage: npm run -s bench -- ${Object.keys(BENCHES).join('|')} [--json]\n`);
  process.exit(2);
}
const figures = await bench();
if (flags.includes('--json')) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  for (const [figure, value] of Object.entries(figures)) process.stdout.write(`${figure.padEnd(32)} ${value}\n`);
}
