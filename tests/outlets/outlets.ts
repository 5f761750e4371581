/** An app that polls invented outlets on a local port, in virtual time. */
import { onTestFinished } from 'vitest';
import {
  type OutletAnswer,
  type OutletRequest,
  type OutletServer,
  startOutletServer,
} from '../../scripts/outlets/outlet-server.ts';
import { VirtualTime } from '../../scripts/outlets/virtual-time.ts';
import type { RoundupSource } from '../../src/core/config/config.ts';
import { roundupSources } from '../../src/core/config/sources.ts';
import type { Store } from '../../src/core/store/store.ts';
import { OUTLETS, type OutletPollResult } from '../../src/outlets/polling/outlets.ts';
import { type PollOptions, type PollOutcome, pollDue } from '../../src/sources/polling/poller.ts';
import { NOW } from '../support/clock.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';

/** Only the one that never ends its answer is given up soon: on a busy machine others may take a second. */
const timeLimit = (host: string): number => (host.startsWith('never.') ? 300 : 10_000);

type PolledOutlet = Extract<PollOutcome<OutletPollResult>, { kind: 'polled' }> & OutletPollResult;

export interface OutletNewsroom {
  app: TestApp;
  time: VirtualTime;
  server: OutletServer;
  options: PollOptions;
  /** Of the configuration. */
  source(id: string): RoundupSource;
  /** Polls what is due. @param later milliseconds that pass before */
  poll(later?: number): Promise<Map<string, PolledOutlet>>;
}

/** @param sources by id: host and path */
export async function openOutletNewsroom(
  store: Store,
  sources: Record<string, string>,
  answer: (request: OutletRequest) => OutletAnswer | Promise<OutletAnswer>,
): Promise<OutletNewsroom> {
  const time = new VirtualTime(NOW);
  const server = await startOutletServer(answer, { clock: time.clock, timeLimit });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const entries = Object.entries(sources).map(([id, place]) => {
    const [, host = '', path = ''] = /^([^/]+)(\/.*)$/.exec(place) ?? [];
    return `  - { id: ${id}, url: "${server.url(host, path)}", use: roundup, outlet: The ${id} }`;
  });
  const usual = openTestApp(store, { feeds: ['latest'], edit: (yaml) => `${yaml}\nsources:\n${entries.join('\n')}\n` });
  const app: TestApp = { ...usual, clock: time.clock };
  const options = {
    openClient: (gate) => server.openClient(gate),
    wait: time.wait,
    jitter: () => 0,
    limit: time.limit(8),
  } satisfies PollOptions;
  return {
    ...{ app, time, server, options },
    source: (id) => roundupSources(app.config).find((one) => one.id === id) as RoundupSource,
    async poll(later = 0) {
      time.now += later;
      const polled = await pollDue(app, OUTLETS, options);
      return new Map(
        polled.flatMap(({ source, outcome }) =>
          outcome.kind === 'polled' ? [[source, { ...outcome, ...outcome.result }] as const] : [],
        ),
      );
    },
  };
}
