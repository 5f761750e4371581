#!/usr/bin/env node
// Runs the TypeScript sources in a checkout, and the output of `tsc` in the published package.
import { existsSync } from 'node:fs';
import module from 'node:module';
import { restartWithMemorySettings } from './memory-settings.js';

const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  process.stderr.write(
    `daywire needs Node 24 or newer; this is Node ${process.versions.node}. ` +
      'In a checkout, "npm ci" brings Node 24: use "npx daywire" or "npm start".\n',
  );
  process.exit(1);
}
// Other commands are short, and the restart takes 50 ms.
if (process.argv.includes('start')) restartWithMemorySettings(process);
// Caches compiled code between runs: --help took 0.37 s with it, 0.55 s without.
module.enableCompileCache?.();
const source = new URL('../src/cli/main.ts', import.meta.url);
const cli = existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href;
const { runCommandLine } = await import(cli);
process.exitCode = await runCommandLine(process.argv.slice(2), process);
