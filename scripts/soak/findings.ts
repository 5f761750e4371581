/**
 * The rules of the soak test. Pure.
 */
import type { LoopDelay, ProcessSample } from './newsroom.ts';
import type { Person } from './people.ts';

export interface SoakFigures {
  seconds: number;
  kills: number;
  connections: number;
  people: number;
  confirmed: number;
  left: number;
  editions: number;
  deliveries: number;
  /** Copies with the Message-ID of an earlier one. */
  extraCopies: number;
  articles: number;
  polls: { full: number; unchanged: number };
  hostile: number;
  clients: number;
  /** Those of the clients in the time without kills; milliseconds. */
  requests: { count: number; p99: number };
  /** Of the time without kills. */
  memory: Trend;
  openFiles: Trend;
  /** Milliseconds until `/healthz` responds. */
  response: Trend & { p99: number; max: number };
  /** Null if it could not be read. */
  loopDelay: LoopDelay | null;
  /** Bytes of the heap after a collection, before the first sample. */
  firstHeap: number | null;
  faults: string[];
}

/** The medians of the first and the last third. */
export interface Trend {
  first: number;
  last: number;
  samples: number;
}

export interface EditionRow {
  id: number;
  closedAt: number;
}

export interface DeliveryRow {
  editionId: number;
  email: string;
  state: string;
}

/** Milliseconds: an edition takes its recipients shortly after the instant at which it closed. */
const CLOSING = 5_000;

/**
 * Finds people whose editions are missing, too many, or not theirs.
 * @param copies the Message-IDs of editions that arrived, by recipient
 * @param bound extra copies that the kills can explain
 */
export function findDeliveryFaults(
  people: readonly Person[],
  editions: readonly EditionRow[],
  deliveries: readonly DeliveryRow[],
  copies: ReadonlyMap<string, readonly string[]>,
  bound: number,
): { faults: string[]; extraCopies: number } {
  const faults: string[] = [];
  const states = new Map(deliveries.map(({ editionId, email, state }) => [`${editionId} ${email}`, state]));
  let extraCopies = 0;
  for (const { email, confirmed, left } of people) {
    for (const { id, closedAt } of editions) {
      const state = states.get(`${id} ${email}`);
      const wasSubscribed = confirmed !== null && confirmed.by < closedAt;
      const isSubscribed = wasSubscribed && (left === null || left.after > closedAt + CLOSING);
      const cannotBe = confirmed === null || confirmed.after > closedAt + CLOSING || (left?.by ?? Infinity) < closedAt;
      if (isSubscribed && state === undefined) faults.push(`${email} was confirmed, and edition ${id} has no delivery`);
      if (cannotBe && state === 'submitted') faults.push(`${email} was not subscribed, and got edition ${id}`);
      if (state !== undefined && state !== 'submitted' && left === null) {
        faults.push(`the delivery of edition ${id} to ${email} is ${state}`);
      }
    }
    const arrived = copies.get(email) ?? [];
    const distinct = new Set(arrived).size;
    extraCopies += arrived.length - distinct;
    const submitted = editions.filter(({ id }) => states.get(`${id} ${email}`) === 'submitted').length;
    // A person who left while a submission was uncertain may have a copy that is not recorded.
    if (distinct < submitted || (distinct > submitted && left === null)) {
      faults.push(`${email} has ${distinct} different messages of ${submitted} submitted editions`);
    }
  }
  if (extraCopies > bound) faults.push(`${extraCopies} extra copies are more than ${bound}`);
  return { faults, extraCopies };
}

/** Samples of the first seconds of a process do not count: its caches fill. */
export function trendOf(samples: readonly ProcessSample[], value: (sample: ProcessSample) => number): Trend {
  const values = samples.map(value);
  const third = Math.ceil(values.length / 3);
  return { first: median(values.slice(0, third)), last: median(values.slice(-third)), samples: values.length };
}

/** Growth beyond what noise explains. A process that loses memory or files loses them with every request. */
export function findTrendFaults({
  memory,
  openFiles,
  response,
}: Record<'memory' | 'openFiles' | 'response', Trend>): string[] {
  const faults: string[] = [];
  if (memory.samples < 20) faults.push(`${memory.samples} samples are too few to see a trend`);
  const rule = (name: string, { first, last }: Trend, limit: number, format: (value: number) => string): void => {
    if (last > limit) faults.push(`${name} grew from ${format(first)} to ${format(last)}`);
  };
  rule('memory', memory, memory.first * 1.2 + 24 * 1024 * 1024, (bytes) => `${Math.round(bytes / 1024 / 1024)} MB`);
  rule('open files', openFiles, openFiles.first + 20, String);
  rule('the response of /healthz', response, response.first * 3 + 50, (ms) => `${Math.round(ms)} ms`);
  return faults;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
