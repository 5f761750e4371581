/**
 * `npm run -s bench -- busy|compose|delivery|delivery-copies|delivery-database|desk-live|desk-pages|draft|feeds|
 * grouping|http|import|memory|pages|parse|responsiveness|rest|search [--json]`: prints medians. With --json one object
 * whose keys name figure and unit.
 * `delivery-database` and `responsiveness` are parts of `delivery`. Options of single benches:
 *
 * - `--deliveries N` for `responsiveness` and `desk-live`: instead of a million; for `delivery-database`: of 300,000
 * - `--days FILE.csv [--past FILE.csv]` for `grouping`: labelled news days, and the days before; or `--data FILE.csv`:
 *   headlines of known stories
 * - `--subscribers N`, `--choices N`, `--language en|zh-Hans` for `delivery-copies`: instead of all; `--close-only`:
 *   closing and queueing only
 * - `--articles N`, `--subscribers N` for `desk-pages`, `--articles N` for `pages` and `search`: instead of a million;
 *   `--articles N` for `busy` and `import`: instead of 100,000; with less than 20,000 `busy` is a trial of two minutes;
 *   from 500,000 on `import` has one run; for `memory`: in the store before the start, instead of none
 * - `--database sqlite|postgres` for `busy`, `desk-live`, `desk-pages`, `import`, `pages` and `search`: instead of both
 * - `--against DIR` for `busy`, `import` and `rest`: also measures the version in that folder, which has its own
 *   `node_modules/`
 * - `--against hugo` for `feeds`: compares an edit with Hugo, instead; with `--articles N` at that size alone
 */
import { parseArgs } from 'node:util';
import { benchBusy } from './busy/busy.ts';
import { benchCompose } from './compose.ts';
import { benchDelivery } from './delivery.ts';
import { benchDeliveryCopies } from './delivery-copies.ts';
import { benchDeliveryDatabase } from './delivery-database.ts';
import { benchDeskLive } from './desk-live.ts';
import { benchDeskPages } from './desk-pages.ts';
import { benchDraft } from './draft.ts';
import { benchFeedEdit } from './feed-edit.ts';
import { benchFeeds } from './feeds.ts';
import type { Figures } from './figures.ts';
import { benchGrouping } from './grouping.ts';
import { benchHttp } from './http.ts';
import { benchImport } from './import.ts';
import { benchMemory } from './memory.ts';
import { benchPages } from './pages.ts';
import { benchParse } from './parse.ts';
import { benchResponsiveness } from './responsiveness.ts';
import { benchRest } from './rest.ts';
import { benchSearch } from './search.ts';

interface BenchOptions {
  deliveries?: number;
  data?: string;
  days?: string;
  past?: string;
  articles?: number;
  subscribers?: number;
  database?: 'sqlite' | 'postgres';
  against?: string;
  choices?: number;
  language?: 'en' | 'zh-Hans';
  'close-only'?: boolean;
}

const BENCHES: Record<string, (options: BenchOptions) => Promise<Figures>> = {
  busy: benchBusy,
  compose: benchCompose,
  delivery: benchDelivery,
  'delivery-copies': benchDeliveryCopies,
  'delivery-database': benchDeliveryDatabase,
  'desk-live': benchDeskLive,
  'desk-pages': benchDeskPages,
  draft: benchDraft,
  feeds: ({ against, articles }) =>
    against === undefined ? benchFeeds() : benchFeedEdit(articles === undefined ? undefined : [articles]),
  grouping: benchGrouping,
  http: benchHttp,
  import: benchImport,
  memory: benchMemory,
  pages: benchPages,
  parse: () => benchParse(),
  responsiveness: benchResponsiveness,
  rest: benchRest,
  search: benchSearch,
};

const { name = '', json = false, ...options } = readArguments();
const bench = BENCHES[name];
const counts = [options.deliveries, options.articles, options.subscribers, options.choices];
const isUnclear =
  counts.some((count) => count !== undefined && !(count > 0)) ||
  (options.language !== undefined && !['en', 'zh-Hans'].includes(options.language)) ||
  (options.database !== undefined && !['sqlite', 'postgres'].includes(options.database)) ||
  (options.against !== undefined &&
    !['busy', 'import', 'rest', options.against === 'hugo' ? 'feeds' : ''].includes(name)) ||
  (name === 'grouping') !== ((options.data === undefined) !== (options.days === undefined)) ||
  (options.past !== undefined && options.days === undefined);
if (bench === undefined || isUnclear) {
  const names = Object.keys(BENCHES).join('|');
  process.stderr.write(`usage: npm run -s bench -- ${names} [--json] [--deliveries N]
    [--data FILE.csv | --days FILE.csv [--past FILE.csv]]
    [--articles N] [--subscribers N] [--database sqlite|postgres] [--against DIR|hugo]
    [--choices N] [--language en|zh-Hans] [--close-only]\n`);
  process.exit(2);
}
// Processes of a benchmark are ended when this one exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const figures = await bench(options);
if (json) {
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} else {
  printFigures(figures, '');
}

function printFigures(figures: Figures, indent: string): void {
  for (const [name, value] of Object.entries(figures)) {
    if (typeof value !== 'object' || value === null) process.stdout.write(`${indent}${name.padEnd(32)} ${value}\n`);
    else {
      process.stdout.write(`${indent}${name}\n`);
      printFigures(value, `${indent}  `);
    }
  }
}

function readArguments(): BenchOptions & { name?: string; json?: boolean } {
  const text = { type: 'string' } as const;
  try {
    const { values, positionals } = parseArgs({
      options: {
        json: { type: 'boolean' },
        deliveries: text,
        data: text,
        days: text,
        past: text,
        articles: text,
        subscribers: text,
        database: text,
        against: text,
        choices: text,
        language: text,
        'close-only': { type: 'boolean' },
      },
      allowPositionals: true,
    });
    const numbers = ['deliveries', 'articles', 'subscribers', 'choices'] as const;
    const given = Object.fromEntries(
      numbers.filter((key) => values[key] !== undefined).map((key) => [key, Number(values[key])]),
    );
    return { ...(values as BenchOptions & { json?: boolean }), ...given, name: positionals[0] ?? '' };
  } catch {
    return {};
  }
}
