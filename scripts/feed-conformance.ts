/**
 * Compares how daywire reads feeds with what their first comments expect: a Python expression over the result of the
 * parser that they were made for, such as `entries[0]['title'] == 'Example'`.
 *
 *   node scripts/feed-conformance.ts FOLDER
 *
 * Prints how many files hold an item, in how many it was found, what is as expected for each field, and each file with
 * another result. Fails if an item is missing, one of the fields below is as expected in less than 95 % of its files,
 * or a file takes longer than 200 ms.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkFile, type FileReport } from './feed-conformance/check-file.ts';

const REQUIRED = ['title', 'link', 'id', 'dates', 'author', 'content'];
const MIN_RATIO = 0.95;
const MAX_MILLISECONDS = 200;

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('Usage: node scripts/feed-conformance.ts FOLDER');
  process.exit(2);
}

const now = Date.now();
const reports = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(?:xml|json)$/.test(name))
  .sort()
  .map((name) => ({
    name: relative(folder, join(folder, name)),
    report: checkFile(readFileSync(join(folder, name)), now),
  }));

const problems = [...printItems(), ...printFields(), ...printTimes()];
for (const problem of problems) console.error(`FAILED: ${problem}`);
process.exitCode = problems.length === 0 && reports.length > 0 ? 0 : 1;

function printItems(): string[] {
  const holding = reports.filter(({ report }) => report.expectedItems > 0);
  const missing = holding.filter(({ report }) => report.foundItems !== report.expectedItems);
  console.log(`${reports.length} files; ${holding.length} hold an item, found in ${holding.length - missing.length}.`);
  console.log(`${reports.filter(({ report }) => report.repaired).length} files were repaired.\n`);
  return missing.map(
    ({ name, report }) => `${name} holds ${report.expectedItems} items, and ${report.foundItems} were found`,
  );
}

function printFields(): string[] {
  const results = reports.flatMap(({ name, report }) => fieldResults(name, report));
  const problems: string[] = [];
  console.log('field        files    as expected');
  for (const [field, files] of Map.groupBy(results, (result) => result.field)) {
    const met = files.filter(({ isMet }) => isMet).length;
    const ratio = met / files.length;
    console.log(`${field.padEnd(12)} ${String(files.length).padStart(5)}    ${met} (${(100 * ratio).toFixed(1)} %)`);
    if (REQUIRED.includes(field) && ratio < MIN_RATIO)
      problems.push(`${field} is as expected in ${(100 * ratio).toFixed(1)} % of its files`);
  }
  console.log('\nOther than expected:');
  for (const { name, field, reason } of results.filter(({ isMet }) => !isMet)) {
    console.log(`  ${name}: ${field}: ${reason}`);
  }
  const others = Map.groupBy(
    reports.flatMap(({ report }) => report.others),
    (other) => other.replace(/^source\..*/, 'source.…'),
  );
  console.log('\nNot compared, because daywire does not keep it (expectations):');
  console.log(`  ${[...others].map(([path, { length }]) => `${path} (${length})`).join(', ')}\n`);
  return problems;
}

/** One result for each field of a file. */
function fieldResults(name: string, report: FileReport) {
  return [...Map.groupBy(report.fields, ({ field }) => field)].map(([field, conditions]) => {
    const unmet = conditions.filter(({ isMet }) => !isMet);
    return { name, field, isMet: unmet.length === 0, reason: unmet.map(({ reason }) => reason).join('; ') };
  });
}

function printTimes(): string[] {
  const slowest = reports.toSorted((one, other) => other.report.milliseconds - one.report.milliseconds)[0];
  if (slowest === undefined) return [`${folder} has no feeds`];
  const { milliseconds } = slowest.report;
  console.log(`Slowest: ${slowest.name}, ${milliseconds.toFixed(1)} ms.`);
  return milliseconds > MAX_MILLISECONDS ? [`${slowest.name} took ${milliseconds.toFixed(0)} ms`] : [];
}
