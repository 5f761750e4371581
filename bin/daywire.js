#!/usr/bin/env node
// Node from version 12 must be able to parse this file and node-version.js, so that it can say what to do.
import { nodeProblem } from './node-version.js';

const problem = nodeProblem(process.versions.node);
if (problem === null) import('./run.js');
else {
  process.stderr.write(`daywire: ${problem}\n`);
  process.exitCode = 1;
}
