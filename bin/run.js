// Runs the TypeScript sources in a checkout, and the bundle in the published package.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { commandWithSettings, restartWithMemorySettings } from './memory-settings.js';

const command = commandWithSettings(process.argv);
if (command !== null) restartWithMemorySettings(process, command);
// Caches compiled code between runs: --help took 0.37 s with it, 0.55 s without.
module.enableCompileCache();
const source = new URL('../src/cli/main.ts', import.meta.url);
const cli = existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href;
const { runCommandLine } = await import(cli);
process.exitCode = await runCommandLine(process.argv.slice(2), process);
