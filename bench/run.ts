/**
 * `npm run -s bench -- compose|delivery|draft|feeds|http|import|memory|parse|responsiveness [--json] [--deliveries N]`:
 * prints medians. With --json one object whose keys name figure and unit. `responsiveness` is a part of `delivery`;
 * --deliveries is for it alone, instead of a million.
 */
import { parseArgs } from 'node:util';
import { benchCompose } from './compose.ts';
import { benchDelivery } from './delivery.ts';
import { benchDraft } from './draft.ts';
import { benchFeeds } from './feeds.ts';
import { benchHttp } from './http.ts';
import { benchImport } from './import.ts';
import { benchMemory } from './memory.ts';
import { benchParse } from './parse.ts';
import { benchResponsiveness } from './responsiveness.ts';

const BENCHES: Record<string, (options: { deliveries?: number }) => Promise<Record<string, number | null>>> = {
  compose: benchCompose,
  delivery: benchDelivery,
  draft: benchDraft,
  feeds: benchFeeds,
  http: benchHttp,
  import: () => benchImport(),
  memory: () => benchMemory(),
  parse: () => benchParse(),
  responsiveness: benchResponsiveness,
};

const { name = '', json, deliveries } = readArguments();
const bench = BENCHES[name];
if (bench === undefined || (deliveries !== undefined && !(deliveries > 0))) {
  process.stderr.write(`usage: npm run -s bench -- ${Object.keys(BENCHES).join('|')} [--json] [--deliveries N]\n`);
  process.exit(2);
}
const figures = await bench(deliveries === undefined ? {} : { deliveries });
if (json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  for (const [figure, value] of Object.entries(figures)) process.stdout.write(`${figure.padEnd(32)} ${value}\n`);
}

function readArguments(): { name?: string; json?: boolean; deliveries?: number } {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean' }, deliveries: { type: 'string' } },
      allowPositionals: true,
    });
    const { json = false, deliveries } = values;
    const [name = ''] = positionals;
    return { name, json, ...(deliveries === undefined ? {} : { deliveries: Number(deliveries) }) };
  } catch {
    return {};
  }
}
