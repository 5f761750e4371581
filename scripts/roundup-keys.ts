/**
 * npm run -s roundup-keys -- [--json]
 *
 * Plays an editor's morning with the real commands, in a folder of its own: eight events that outlets reported, of
 * which six become a block of the next edition, each with a sentence of the editor, one with another outlet named
 * first. Counts the keys, and measures the time of the computer.
 *
 * Counted: each character of the commands and the return after each; in the text editor the arrow keys from one place
 * to the next, each character of the sentences, and three keys to save and close, as in nano. Not counted: completion
 * and history of the shell, which save keys; corrections, and deciding what to write. Assumed: the typing speeds, and
 * that the document in the text editor is read at 250 words a minute. Exits with 1 if the block is not as the editor
 * wanted it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { HOUR, MINUTE } from '../src/lib/time.ts';

const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

/** Events, by what each outlet wrote. */
const EVENTS: Record<string, string>[] = [
  {
    'The Example': 'Harbour bridge closes for repairs after cracks found',
    'Second Post': 'Cracks found: harbour bridge closes for repairs',
    'Third Wire': 'Harbour bridge closes after cracks found, repairs begin',
  },
  {
    'Second Post': 'Battery maker Voltane to build plant in Saltmere',
    'The Example': 'Voltane picks Saltmere for battery plant',
    'Third Wire': 'Battery maker Voltane chooses Saltmere for new plant',
  },
  {
    'Second Post': 'Airline Norwind cancels pilot strike after pay deal',
    'Third Wire': 'Norwind pilot strike called off after pay deal',
  },
  {
    'The Example': 'Chip designer Orrery files for listing',
    'Third Wire': 'Orrery, chip designer, files for a listing',
  },
  {
    'The Example': 'Central bank of Estmark holds rates at 3.5 percent',
    'Second Post': 'Estmark central bank holds rates at 3.5 percent',
  },
  { 'Third Wire': 'Grocery app Basketto leaves two cities' },
  { 'The Example': 'Lithium prices fall for a fifth week' },
  { 'Second Post': 'Museum of clocks reopens after flood' },
];

const SENTENCES = [
  'The bridge will stay closed for three weeks, and freight goes by ferry.',
  'The plant is to open in two years and to employ eleven hundred people.',
  'Pilots get nine percent more over two years, half of what they asked.',
  'It would be the largest listing of a chip company in the region so far.',
  'Most analysts had expected a cut, and the currency rose on the news.',
  'It keeps eleven cities, where it says that each order earns money.',
];
/** Below the eight headings: two events are left out. */
const DOCUMENT = [...SENTENCES.slice(0, 5), '', SENTENCES[5], ''];

const CONFIG = `
publication:
  name: The Meridian Wire
  about: News.
  url: https://wire.example.com
  tagAuthority: wire.example.com,2026
  language: en
  zone: Asia/Shanghai
  accent: { light: "#9b1c1f", dark: "#f08a80" }
  contact: { name: Newsroom, email: desk@example.com }
  postalAddress: 1 Harbour Road
sections: [{ id: world, title: World }]
feeds: [{ id: latest, title: Latest }]
newsletters:
  - id: daily-roundup
    title: The Daily Roundup
    kicker: Roundup
    description: News.
    from: { name: The Wire, email: roundup@example.com }
    template: daily-roundup
    schedule: { cron: "30 7 * * *" }
    minimumStories: 1
delivery: { transport: file }
`;

/** Types the sentences, and notes how many lines the cursor moved down, and how many words there are to read. */
const TEXT_EDITOR = `
import { readFileSync, writeFileSync } from 'node:fs';
const [file] = process.argv.slice(2);
const sentences = JSON.parse(readFileSync('sentences.json', 'utf8'));
const lines = readFileSync(file, 'utf8').split('\\n');
let cursor = 0;
let arrows = 0;
const words = lines.join(' ').split(/\\s+/).length;
for (const [index, line] of lines.entries()) {
  if (!line.startsWith('=====')) continue;
  const sentence = sentences.shift() ?? '';
  if (sentence === '') continue;
  arrows += index + 1 - cursor;
  cursor = index + 1;
  lines[cursor] = sentence;
}
writeFileSync('typed.json', JSON.stringify({ arrows, words }));
writeFileSync(file, lines.join('\\n'));
`;
const SAVE_KEYS = 3;
const READ_WORDS_A_MINUTE = 250;
const SPEEDS = [200, 250, 300];

const folder = mkdtempSync(join(tmpdir(), 'daywire-keys-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  await prepare();
  const commands: { command: string; seconds: number }[] = [];
  const run = (command: string): string => {
    const startedAt = performance.now();
    const output = daywire(command);
    commands.push({ command, seconds: (performance.now() - startedAt) / 1_000 });
    return output;
  };
  run('daywire roundup pick');
  run('daywire roundup first 3 third');
  run('daywire editions show daily-roundup');
  checkBlock();
  report(commands, JSON.parse(readFileSync(join(folder, 'typed.json'), 'utf8')));
}

async function prepare(): Promise<void> {
  mkdirSync(join(folder, 'config'));
  writeFileSync(join(folder, 'config/daywire.yaml'), CONFIG);
  writeFileSync(join(folder, 'editor.mjs'), TEXT_EDITOR);
  writeFileSync(join(folder, 'sentences.json'), JSON.stringify(DOCUMENT));
  const store = await openStore({ path: join(folder, 'var/daywire.db') });
  await migrate(store);
  const now = Date.now();
  for (const [event, reports] of EVENTS.entries()) {
    for (const [index, [outlet, title]] of Object.entries(reports).entries()) {
      const at = now - HOUR - event * 10 * MINUTE + index * MINUTE;
      const url = `https://outlet.example.com/${event}/${index}`;
      await store.db
        .insertInto('outlet_items')
        .values({
          ...{ source: null, outlet, title, summary: null, url, canonical_url: url, language: 'en', image_url: null },
          ...{ published_at: at, first_seen_at: at, seen_at: at, state: 'open', group_id: null },
        })
        .execute();
    }
  }
  await store.close();
}

/** Runs a command line as it is typed, in its own process. A terminal is there, as `script` makes one. */
function daywire(command: string): string {
  const bin = join(import.meta.dirname, '../bin/daywire.js');
  const line = `${process.execPath} ${bin} ${command.replace(/^daywire /, '')}`;
  const { status, stdout } = spawnSync('script', ['-qec', line, '/dev/null'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, VISUAL: `${process.execPath} editor.mjs`, DAYWIRE_EDITOR: 'Ada' },
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stdout}`);
  return stdout;
}

/** The block has the six events. */
function checkBlock(): void {
  const shown = JSON.parse(daywire('daywire editions show daily-roundup --json'));
  const block: string[] = shown.stories
    .filter((story: { block: string }) => story.block === 'roundup')
    .map((story: { headline: string }) => story.headline);
  const isSwapped = block.includes('Norwind pilot strike called off after pay deal');
  if (block.length !== SENTENCES.length || !isSwapped)
    throw new Error(`the block is ${JSON.stringify(block, null, 2)}`);
}

function report(
  commands: { command: string; seconds: number }[],
  { arrows, words }: { arrows: number; words: number },
): void {
  const commandKeys = commands.reduce((sum, { command }) => sum + command.length + 1, 0);
  const editorKeys = arrows + SAVE_KEYS;
  const sentenceKeys = SENTENCES.reduce((sum, sentence) => sum + sentence.length, 0);
  const computerSeconds = commands.reduce((sum, { seconds }) => sum + seconds, 0);
  const readingMinutes = words / READ_WORDS_A_MINUTE;
  const minutes = SPEEDS.map((keysAMinute) => ({
    keysAMinute,
    commands: (commandKeys + editorKeys) / keysAMinute + computerSeconds / 60,
    sentences: sentenceKeys / keysAMinute,
    withReading: (commandKeys + editorKeys + sentenceKeys) / keysAMinute + computerSeconds / 60 + readingMinutes,
  }));
  const result = { commandKeys, editorKeys, sentenceKeys, computerSeconds, words, readingMinutes, minutes, commands };
  if (values.json) {
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  const lines = [
    ...commands.map(({ command, seconds }) => `${seconds.toFixed(2)} s  ${command}`),
    `keys: ${commandKeys} of ${commands.length} commands, ${editorKeys} to move and save in the text editor, ` +
      `${sentenceKeys} of ${SENTENCES.length} sentences`,
    `computer: ${computerSeconds.toFixed(1)} s; reading ${words} words: ${readingMinutes.toFixed(1)} min (assumed)`,
    ...minutes.map(
      (one) =>
        `at ${one.keysAMinute} keys a minute: ${one.commands.toFixed(1)} min for commands and computer, ` +
        `${one.sentences.toFixed(1)} min for sentences, ${one.withReading.toFixed(1)} min in all with reading`,
    ),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
