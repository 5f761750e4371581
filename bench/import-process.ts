/**
 * One import of a benchmark: `import-process.ts VERSION FILE DATABASE` prints its time and memory as JSON. VERSION is
 * the folder of daywire, DATABASE a file or the URL of an empty PostgreSQL database.
 */
import { existsSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImportRun } from './import.ts';

const [, , version = '', file = '', database = ''] = process.argv;
// With the memory settings of `daywire import`, if that version has them.
const {
  COMMANDS = [],
  commandWithSettings,
  restartWithMemorySettings,
} = await import(join(version, 'bin/memory-settings.js'));
if (commandWithSettings?.(['import']) ?? COMMANDS.includes('import')) restartWithMemorySettings(process, 'import');

// As bin/run.js: a thread that has to compile its modules takes 17 MB more.
module.enableCompileCache();

// Configuration and store had folders of their own, before src/core/.
const core = existsSync(join(version, 'src/core')) ? 'core/' : '';
const load = (path: string) => import(join(version, 'src', path));

const { importPaths } = (await load('articles/import/import.ts')) as typeof import('../src/articles/import/import.ts');
const { loadConfig } = (await load(`${core}config/config.ts`)) as typeof import('../src/core/config/config.ts');
const { migrate } = (await load(`${core}store/schema.ts`)) as typeof import('../src/core/store/schema.ts');
const { openStore } = (await load(`${core}store/store.ts`)) as typeof import('../src/core/store/store.ts');

const config = loadConfig(join(version, 'config/daywire.yaml'), {}, tmpdir());
const isUrl = database.startsWith('postgres:');
const store = await openStore(isUrl ? { databaseUrl: database, path: '' } : { path: database });
await migrate(store);
const usage = process.cpuUsage();
const start = performance.now();
const report = await importPaths(store, config, [file], { clock: Date.now, yes: true });
const seconds = (performance.now() - start) / 1_000;
const { user, system } = process.cpuUsage(usage);
await store.close();
if (report.rejectedCount > 0) throw new Error(report.rejected[0]?.problems.join('\n'));
const peakMiB = process.resourceUsage().maxRSS / 1_024;
process.stdout.write(JSON.stringify({ seconds, peakMiB, processorSeconds: (user + system) / 1e6 } satisfies ImportRun));
