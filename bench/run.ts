/**
 * `npm run -s bench -- compose|delivery|desk-preview|draft|feeds|grouping|http|import|memory|parse|responsiveness
 * [--json]`: prints medians. With --json one object whose keys name figure and unit. `responsiveness` is a part of
 * `delivery`;
 * `--deliveries N` is for it alone, instead of a million. `--data FILE.csv` is for `grouping`: the headlines to group.
 */
import { parseArgs } from 'node:util';
import { benchCompose } from './compose.ts';
import { benchDelivery } from './delivery.ts';
import { benchDeskPreview } from './desk-preview.ts';
import { benchDraft } from './draft.ts';
import { benchFeeds } from './feeds.ts';
import { benchGrouping } from './grouping.ts';
import { benchHttp } from './http.ts';
import { benchImport } from './import.ts';
import { benchMemory } from './memory.ts';
import { benchParse } from './parse.ts';
import { benchResponsiveness } from './responsiveness.ts';

interface BenchOptions {
  deliveries?: number;
  data?: string;
}

const BENCHES: Record<string, (options: BenchOptions) => Promise<Record<string, number | null>>> = {
  compose: benchCompose,
  delivery: benchDelivery,
  'desk-preview': benchDeskPreview,
  draft: benchDraft,
  feeds: benchFeeds,
  grouping: benchGrouping,
  http: benchHttp,
  import: () => benchImport(),
  memory: () => benchMemory(),
  parse: () => benchParse(),
  responsiveness: benchResponsiveness,
};

const { name = '', json, deliveries, data } = readArguments();
const bench = BENCHES[name];
const isUnclear = (deliveries !== undefined && !(deliveries > 0)) || (name === 'grouping') !== (data !== undefined);
if (bench === undefined || isUnclear) {
  const names = Object.keys(BENCHES).join('|');
  process.stderr.write(`usage: npm run -s bench -- ${names} [--json] [--deliveries N] [--data FILE.csv]\n`);
  process.exit(2);
}
const figures = await bench({
  ...(deliveries === undefined ? {} : { deliveries }),
  ...(data === undefined ? {} : { data }),
});
if (json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  for (const [figure, value] of Object.entries(figures)) process.stdout.write(`${figure.padEnd(32)} ${value}\n`);
}

function readArguments(): BenchOptions & { name?: string; json?: boolean } {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: 'boolean' }, deliveries: { type: 'string' }, data: { type: 'string' } },
      allowPositionals: true,
    });
    const { json = false, deliveries, data } = values;
    const [name = ''] = positionals;
    const others = data === undefined ? {} : { data };
    return { name, json, ...others, ...(deliveries === undefined ? {} : { deliveries: Number(deliveries) }) };
  } catch {
    return {};
  }
}
