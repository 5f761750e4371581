/** Polls invented outlets in virtual time, from several processes, and checks every request against the rules. */
import { tmpdir } from 'node:os';
import { parseConfig } from '../../src/core/config/config.ts';
import { roundupSources } from '../../src/core/config/sources.ts';
import type { Store } from '../../src/core/store/store.ts';
import { HOUR, MINUTE, rfc3339, SECOND } from '../../src/lib/time.ts';
import { OUTLETS } from '../../src/outlets/polling/outlets.ts';
import { type PollOptions, pollDue } from '../../src/sources/polling/poller.ts';
import type { PollApp } from '../../src/sources/polling/source-kind.ts';
import { listDueSources } from '../../src/sources/source-state.ts';
import type { OutletStory } from './feed-document.ts';
import { KINDS, type OutletKind } from './kinds.ts';
import { type LoggedRequest, type OutletServer, startOutletServer } from './outlet-server.ts';
import { VirtualTime } from './virtual-time.ts';

/** Noon of a Tuesday, UTC. */
const START = Date.UTC(2026, 10, 24, 12, 0, 0);
const STORIES = 15;
/** Of each answer, in virtual milliseconds. */
const LATENCY = 200;
/** Of a request, in real milliseconds. The outlet that never ends its answer takes as long. */
const timeLimit = (host: string): number => (host.startsWith('slow-') ? 300 : 10_000);

export interface SimulationReport {
  sources: number;
  requests: number;
  /** After the first one to each feed with validators. */
  conditional: number;
  couldBeConditional: number;
  notModified: number;
  polls: number;
  /** Number of feeds by state at the end. */
  states: Record<string, number>;
  /** Each rule that was broken, as a sentence. None is expected. */
  violations: string[];
}

interface SimulatedOutlet {
  id: string;
  kind: OutletKind;
  host: string;
}

/**
 * @param stores of the same database, one for each process
 * @param outlets names of kinds
 */
export async function simulateOutlets(
  stores: readonly Store[],
  { outlets, hours, seed = 1 }: { outlets: readonly string[]; hours: number; seed?: number },
): Promise<SimulationReport> {
  const time = new VirtualTime(START);
  const simulated = outlets.map(toOutlet);
  const pauses: Pause[] = [];
  await using server = await startOutletServer(
    (request) => {
      time.now += LATENCY;
      const answer = answerOf(simulated, { ...request, at: time.now });
      notePause(pauses, request, answer, time.now);
      return answer;
    },
    { clock: time.clock, timeLimit },
  );
  const config = parseConfig(configOf(simulated, server), { file: 'simulation.yaml', env: {}, cwd: tmpdir() });
  const histories = new Map<string, { state: string; at: number }[]>();
  const random = randomOf(seed);
  const end = START + hours * HOUR;
  const processes = stores.map((store, index) => {
    const app: PollApp = { store, config, clock: time.clock, log: SILENT };
    const options: PollOptions = {
      openClient: (gate) => server.openClient(gate, `process ${index + 1}`),
      ...{ wait: time.wait, jitter: () => random() * 2 - 1, limit: time.limit(8) },
    };
    return { app, options };
  });
  let polls = 0;
  while (time.now < end) {
    const passes = await Promise.all(processes.map(({ app, options }) => pollDue(app, OUTLETS, options)));
    for (const { source, outcome } of passes.flat()) {
      if (outcome.kind !== 'polled') continue;
      polls++;
      const history = histories.get(source) ?? [];
      if (history.at(-1)?.state !== outcome.after.state) history.push({ state: outcome.after.state, at: time.now });
      histories.set(source, history);
    }
    time.now = Math.max(time.now, await nextDue(stores[0] as Store, config, time.now, end));
  }
  const { requests } = server;
  const violations = [
    ...hostViolations(requests),
    ...pauseViolations(requests, pauses),
    ...simulated.flatMap((outlet) => intervalViolations(outlet, requests)),
    ...simulated.flatMap((outlet) => stateViolations(outlet, histories.get(outlet.id) ?? [], hours * HOUR)),
  ];
  const validated = simulated.filter(({ kind }) => kind.hasValidators);
  const later = validated.flatMap((outlet) => laterReads(outlet, requests));
  const conditional = later.filter(({ isConditional }) => isConditional).length;
  if (conditional < later.length * 0.95) {
    violations.push(`${conditional} of ${later.length} requests with validators were conditional`);
  }
  const last = simulated.map(({ id }) => histories.get(id)?.at(-1)?.state ?? 'never polled');
  return {
    ...{ sources: simulated.length, requests: requests.length, polls, conditional, violations },
    couldBeConditional: later.length,
    notModified: requests.filter(({ status }) => status === 304).length,
    states: Object.fromEntries([...Map.groupBy(last, (state) => state)].map(([state, { length }]) => [state, length])),
  };
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

function toOutlet(name: string, index: number): SimulatedOutlet {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`there is no kind ${name}`);
  const id = `${name}-${index + 1}`;
  return { id, kind, host: kind.sharesHost ? 'many.example' : `${id}.example` };
}

function configOf(outlets: SimulatedOutlet[], server: OutletServer): string {
  const sources = outlets.map(
    ({ id, kind, host }) => `  - { id: ${id}, url: "${server.url(host, kind.path)}", use: roundup, outlet: ${id} }`,
  );
  return `publication:
  name: The Simulation
  url: https://simulation.example
  zone: UTC
  language: en
  about: Polls outlets.
  tagAuthority: simulation.example,2026
  contact: { name: Desk, email: desk@simulation.example }
  postalAddress: 1 Example Street
sections: [{ id: news, title: News }]
feeds: [{ id: latest, title: Latest, description: All }]
sources:
${sources.join('\n')}
`;
}

function answerOf(outlets: SimulatedOutlet[], request: Parameters<OutletKind['answer']>[0]) {
  const { host, path, at } = request;
  // Where outlets redirect to.
  const target = host.startsWith('login') ? 'from-login' : 'from-permanent';
  const own = outlets.find((outlet) => outlet.host === host && (!outlet.kind.sharesHost || outlet.kind.path === path));
  const kind = own?.kind ?? (KINDS[target] as OutletKind);
  return kind.answer(request, at - START, storiesAt(kind, at));
}

/** The newest stories at an instant, the newest first. */
function storiesAt({ gap, endsAt }: OutletKind, now: number): OutletStory[] {
  const last = Math.floor((endsAt === undefined ? now - START : endsAt) / gap);
  return Array.from({ length: STORIES }, (_, index) => ({ number: last - index, at: START + (last - index) * gap }));
}

interface Pause {
  host: string;
  /** Null: all of the host. */
  path: string | null;
  from: number;
  until: number;
}

/** A server that asks for more than 48 hours gets those. */
const LONGEST = 48 * HOUR;

function notePause(
  pauses: Pause[],
  { host, path }: { host: string; path: string },
  { status, headers = {} }: { status: number; headers?: Record<string, string> },
  now: number,
): void {
  const asked = headers['Retry-After'];
  if (asked === undefined) return;
  const until = /^\d+$/.test(asked) ? now + Number(asked) * SECOND : Date.parse(asked);
  pauses.push({ host, path: status === 429 ? null : path, from: now, until: Math.min(until, now + LONGEST) });
}

function pauseViolations(requests: readonly LoggedRequest[], pauses: readonly Pause[]): string[] {
  return pauses.flatMap(({ host, path, from, until }) =>
    requests
      .filter((one) => one.host === host && (path === null || one.path === path))
      .filter(({ begin }) => begin > from && begin < until)
      .map(({ begin }) => `${host} asked at ${rfc3339(from)} for a pause, and was asked at ${rfc3339(begin)}`),
  );
}

function hostViolations(requests: readonly LoggedRequest[]): string[] {
  return [...Map.groupBy(requests, ({ host }) => host)].flatMap(([host, list]) => {
    const inOrder = list.toSorted((one, other) => one.begin - other.begin);
    return inOrder.slice(1).flatMap(({ begin }, index) => {
      const gap = begin - (inOrder[index]?.end ?? 0);
      return gap >= 2 * SECOND ? [] : `${host} was asked ${gap} ms after the request before, at ${rfc3339(begin)}`;
    });
  });
}

function requestsTo({ host, kind }: SimulatedOutlet, requests: readonly LoggedRequest[]): LoggedRequest[] {
  return requests.filter((one) => one.host === host && one.path === kind.path);
}

/** A feed that was polled twice, or too often. */
function intervalViolations(outlet: SimulatedOutlet, requests: readonly LoggedRequest[]): string[] {
  const { id, kind } = outlet;
  const polls = requestsTo(outlet, requests).toSorted((one, other) => one.begin - other.begin);
  const tooEarly = polls.slice(1).filter(({ begin }, index) => begin - (polls[index]?.begin ?? 0) < kind.least);
  return [
    ...(polls.length === 0 ? [`${id} was never polled`] : []),
    ...tooEarly.map(({ begin }) => `${id} was polled within ${kind.least / MINUTE} min, at ${rfc3339(begin)}`),
  ];
}

/** The requests after the first response with a validator. */
function laterReads(outlet: SimulatedOutlet, requests: readonly LoggedRequest[]): LoggedRequest[] {
  const list = requestsTo(outlet, requests).toSorted((one, other) => one.begin - other.begin);
  return list.slice(1);
}

/** The states that a feed had are those of its kind, in their order; those that are due by now included. */
function stateViolations(
  { id, kind }: SimulatedOutlet,
  history: { state: string; at: number }[],
  end: number,
): string[] {
  const expected = kind.states.map(([state]) => state);
  const had = history.map(({ state }) => state);
  const due = kind.states.filter(([, by]) => by < end).length;
  const isPrefix = had.every((state, index) => state === expected[index]);
  if (isPrefix && had.length >= Math.max(1, due)) return [];
  return [`${id} was ${had.join(', ') || 'never polled'}, and should have been ${expected.join(', ')}`];
}

/** The instant at which a feed is due next. */
async function nextDue(store: Store, config: PollApp['config'], now: number, end: number): Promise<number> {
  const ids = roundupSources(config).map(({ id }) => id);
  const rows = await listDueSources(store.db, ids, end);
  const next = Math.min(...rows.map(({ due_at }) => due_at), end);
  return Math.max(next, now + SECOND);
}

/** Mulberry32: the same numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
