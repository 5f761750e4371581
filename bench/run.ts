/**
 * `npm run -s bench -- compose|delivery|desk-live|desk-pages|draft|feeds|grouping|http|import|memory|parse|
 * responsiveness [--json]`: prints medians. With --json one object whose keys name figure and unit. `responsiveness` is
 * a part of `delivery`. Options of single benches:
 *
 * - `--deliveries N` for `responsiveness` and `desk-live`: instead of a million
 * - `--data FILE.csv` for `grouping`: the headlines to group
 * - `--articles N`, `--subscribers N` for `desk-pages`: instead of a million
 * - `--database sqlite|postgres` for `desk-live` and `desk-pages`: instead of both
 */
import { parseArgs } from 'node:util';
import { benchCompose } from './compose.ts';
import { benchDelivery } from './delivery.ts';
import { benchDeskLive } from './desk-live.ts';
import { benchDeskPages } from './desk-pages.ts';
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
  articles?: number;
  subscribers?: number;
  database?: 'sqlite' | 'postgres';
}

const BENCHES: Record<string, (options: BenchOptions) => Promise<Record<string, number | null>>> = {
  compose: benchCompose,
  delivery: benchDelivery,
  'desk-live': benchDeskLive,
  'desk-pages': benchDeskPages,
  draft: benchDraft,
  feeds: benchFeeds,
  grouping: benchGrouping,
  http: benchHttp,
  import: benchImport,
  memory: () => benchMemory(),
  parse: () => benchParse(),
  responsiveness: benchResponsiveness,
};

const { name = '', json = false, ...options } = readArguments();
const bench = BENCHES[name];
const counts = [options.deliveries, options.articles, options.subscribers];
const isUnclear =
  counts.some((count) => count !== undefined && !(count > 0)) ||
  (options.database !== undefined && !['sqlite', 'postgres'].includes(options.database)) ||
  (name === 'grouping') !== (options.data !== undefined);
if (bench === undefined || isUnclear) {
  const names = Object.keys(BENCHES).join('|');
  process.stderr.write(`usage: npm run -s bench -- ${names} [--json] [--deliveries N] [--data FILE.csv]
    [--articles N] [--subscribers N] [--database sqlite|postgres]\n`);
  process.exit(2);
}
const figures = await bench(options);
if (json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  for (const [figure, value] of Object.entries(figures)) process.stdout.write(`${figure.padEnd(32)} ${value}\n`);
}

function readArguments(): BenchOptions & { name?: string; json?: boolean } {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      options: {
        ...{ json: { type: 'boolean' }, deliveries: text, data: text, articles: text, subscribers: text },
        database: text,
      },
      allowPositionals: true,
    });
    const numbers = ['deliveries', 'articles', 'subscribers'] as const;
    const given = Object.fromEntries(
      numbers.filter((key) => values[key] !== undefined).map((key) => [key, Number(values[key])]),
    );
    return { ...(values as BenchOptions & { json?: boolean }), ...given, name: positionals[0] ?? '' };
  } catch {
    return {};
  }
}
