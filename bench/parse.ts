/** Another outlet's feed of 10 MiB with 50,000 items, parsed in a thread: its time, and the delay of the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readPageInThread } from '../src/own-sites/poll-steps.ts';
import { entriesOf } from '../src/own-sites/read-page.ts';
import { median } from './figures.ts';

const ITEMS = 50_000;
const BYTES = 10 * 2 ** 20;
const ROUNDS = 3;

export async function benchParse(): Promise<Record<string, number>> {
  const bytes = feedOf(ITEMS, BYTES);
  // Starts the thread and compiles the code.
  await measure(bytes);
  const rounds: Figures[] = [];
  for (let number = 0; number < ROUNDS; number++) rounds.push(await measure(bytes));
  const middle = (of: (figures: Figures) => number): number => rounded(median(rounds.map(of)));
  return {
    megabytes: rounded(bytes.length / 2 ** 20),
    items: ITEMS,
    parseSeconds: middle(({ parseSeconds }) => parseSeconds),
    readItemsSeconds: middle(({ readSeconds }) => readSeconds),
    loopDelayP99Ms: middle(({ delayP99 }) => delayP99),
    loopDelayMaxMs: middle(({ delayMax }) => delayMax),
  };
}

interface Figures {
  parseSeconds: number;
  readSeconds: number;
  delayP99: number;
  delayMax: number;
}

async function measure(bytes: Buffer): Promise<Figures> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const start = performance.now();
  const source = { id: 'times', sections: {}, kinds: {}, membersOnly: 'teaser' as const };
  const answer = { url: 'https://example.com/feed', headers: {}, body: bytes };
  const config = { sections: [], publication: { zone: 'UTC' } };
  const { signal } = new AbortController();
  const page = await readPageInThread(answer, 'feed', { config, source, clock: Date.now, signal });
  const parsed = performance.now();
  let items = 0;
  for await (const some of entriesOf(page, 100)) items += some.length;
  const read = performance.now();
  if (items !== ITEMS) throw new Error(`${items} items instead of ${ITEMS}`);
  await sleep(20);
  delay.disable();
  return {
    parseSeconds: (parsed - start) / 1_000,
    readSeconds: (read - parsed) / 1_000,
    delayP99: delay.percentile(99) / 1e6,
    delayMax: delay.max / 1e6,
  };
}

function feedOf(count: number, length: number): Buffer {
  const item = (n: number, text: string): string =>
    `<item><title>Story ${n} &amp; more</title><link>https://example.com/${n}</link><guid>https://example.com/?p=${n}` +
    `</guid><pubDate>Thu, 26 Nov 2026 10:00:00 GMT</pubDate><description>${text}</description></item>\n`;
  const room = Math.floor(length / count) - item(count, '').length;
  const text = 'Lorem ipsum dolor sit amet. '.repeat(10).slice(0, Math.max(0, room));
  const items = Array.from({ length: count }, (_, index) => item(index, text)).join('');
  return Buffer.from(`<rss version="2.0"><channel><title>Times</title>${items}</channel></rss>`);
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
