/**
 * The process that bench/responsiveness.ts measures: it serves pages and metrics, and delivers. It prints its
 * addresses, closes an edition when a line comes in, and prints figures when the edition is delivered or some seconds
 * have passed.
 */
import { once } from 'node:events';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { countSubmitted, type DeliveringSetup, printLine, startDeliveringServer } from './delivering-server.ts';
import { closeLarge, composeLarge } from './delivery-edition.ts';

export interface ServerSetup extends DeliveringSetup {
  /** Of submitting, at most. */
  seconds: number;
}

export interface ServerAddresses {
  url: string;
  metricsUrl: string;
}

export interface LoopFigures {
  queueSeconds: number;
  perSecond: number;
  submitted: number;
  /** Of the event loop, in milliseconds, from the first row that is queued to the last submission. */
  delayP99: number;
  delayMax: number;
  /** Processor time of the main thread between two turns of a timer of 1 ms: other load does not change it. */
  turnP99: number;
  turnMax: number;
}

const setup = JSON.parse(process.argv[2] ?? '') as ServerSetup;
const { app, url, metricsUrl, stop } = await startDeliveringServer(setup, { roles: ['web', 'deliver'] });
const { store, config } = app;
const composed = await composeLarge(store, config);
if (url === null || metricsUrl === null) throw new Error('the server does not serve pages and metrics');
printLine({ url, metricsUrl } satisfies ServerAddresses);
await once(process.stdin, 'data');

const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
// Its first interval counts for nothing.
await sleep(20);
delay.reset();
const turns = createHistogram();
let usedBefore = usedMicroseconds();
const watch = setInterval(() => {
  const used = usedMicroseconds();
  turns.record(Math.max(1, used - usedBefore));
  usedBefore = used;
}, 1);
const begin = performance.now();
const { queued, edition } = await closeLarge(store, config, composed);
const closed = performance.now();
let submitted = 0;
while (submitted < queued && performance.now() - closed < setup.seconds * 1_000) {
  await sleep(250);
  submitted = await countSubmitted(store, edition.id);
}
const seconds = (performance.now() - closed) / 1_000;
delay.disable();
clearInterval(watch);
printLine({
  queueSeconds: (closed - begin) / 1_000,
  perSecond: submitted / seconds,
  submitted,
  delayP99: delay.percentile(99) / 1e6,
  delayMax: delay.max / 1e6,
  turnP99: turns.percentile(99) / 1e3,
  turnMax: turns.max / 1e3,
} satisfies LoopFigures);
// Until the last request has been answered.
if (!process.stdin.readableEnded) await once(process.stdin, 'end');
await stop();

function usedMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
