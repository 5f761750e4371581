/**
 * Tells the open pages of the desk what has changed. While any is connected, one loop reads the store twice a second,
 * for all of them. The last snapshot is kept while none is connected: each new page connects again, and would have to
 * load twice if everything counted as new then.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppContext } from '../../../core/app-context.ts';
import { NO_DELIVERIES, percentOver } from '../../../delivery/queue/queries.ts';
import { formatRate, RATE_WINDOW, type RateSample, submissionRate } from '../../../delivery/submission-rate.ts';
import { errorLine } from '../../../lib/text/clean-text.ts';
import { formatCount } from '../../../lib/text/count.ts';
import { DAY, formatDuration, SECOND } from '../../../lib/time.ts';
import { type LiveSnapshot, readSnapshot } from './snapshot.ts';

/** What changed since the last message; the first message has everything. */
export interface LiveMessage {
  /** By topic: when its change was seen, epoch milliseconds of this process. */
  topics: Record<string, number>;
  /** By topic, of drafts and the roundup: a page that has this version need not load again. */
  versions: Record<string, string>;
  /** By name, such as `edition:17:submitted`. */
  figures: Record<string, string>;
  /** By page: the accounts that have it open. */
  presence: Record<string, { id: number; name: string }[]>;
}

type Receive = (message: LiveMessage) => void;

const READ_EVERY = SECOND / 2;
const HAS_VERSION = /^(?:draft:|roundup$)/;

export class LiveHub {
  readonly #app: Pick<AppContext, 'store' | 'config' | 'clock' | 'log'>;
  readonly #readEvery: number;
  readonly #receivers = new Set<Receive>();
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;
  #last: LiveSnapshot | null = null;
  /** Whether the last snapshot is one of the loop that runs. */
  #isCurrent = false;
  #changedAt = new Map<string, number>();
  #figures = new Map<string, string>();
  #samples = new Map<number, RateSample[]>();

  /** @param readEvery milliseconds between two looks at the store */
  constructor(app: Pick<AppContext, 'store' | 'config' | 'clock' | 'log'>, readEvery: number = READ_EVERY) {
    this.#app = app;
    this.#readEvery = readEvery;
  }

  /** Aborted when the process stops: streams end then. */
  get stopSignal(): AbortSignal {
    return this.#stopping.signal;
  }

  get streams(): number {
    return this.#receivers.size;
  }

  /** Calls `receive` with everything, as soon as it is known, and with each change. @returns ends that */
  subscribe(receive: Receive): () => void {
    this.#receivers.add(receive);
    if (this.#last !== null && this.#isCurrent) receive(this.#everything(this.#last));
    this.#loop ??= this.#run();
    return () => this.#receivers.delete(receive);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { log } = this.#app;
    let failure: string | null = null;
    while (this.#receivers.size > 0 && !this.#stopping.signal.aborted) {
      const begun = performance.now();
      try {
        await this.#read();
        failure = null;
      } catch (error) {
        // Twice a second the same would hide what else is logged.
        if (errorLine(error) !== failure)
          log.warn({ error: errorLine(error) }, 'the desk could not read what has changed');
        failure = errorLine(error);
      }
      // A store that is slow must not be busy with this alone.
      const took = performance.now() - begun;
      await sleep(Math.max(this.#readEvery - took, took / 2), undefined, { signal: this.#stopping.signal }).catch(
        () => {},
      );
    }
    this.#isCurrent = false;
    this.#loop = null;
    if (this.#receivers.size > 0 && !this.#stopping.signal.aborted) this.#loop = this.#run();
  }

  async #read(): Promise<void> {
    const now = this.#app.clock();
    const { store, config } = this.#app;
    const newsletters = config.newsletters.map(({ id }) => id);
    const snapshot = await readSnapshot(store.db, newsletters, now);
    const message: LiveMessage = { topics: {}, versions: {}, figures: {}, presence: {} };
    const before = this.#last;
    // After it was read: a page without the change was requested before.
    const seenAt = this.#app.clock();
    for (const [topic, version] of changes(before?.versions, snapshot.versions, '')) {
      if (HAS_VERSION.test(topic)) message.versions[topic] = version;
      this.#changedAt.set(topic, seenAt);
      message.topics[topic] = seenAt;
    }
    for (const [topic, at] of this.#changedAt) {
      if (!snapshot.versions.has(topic) && seenAt - at > DAY) this.#changedAt.delete(topic);
    }
    for (const [page, accounts] of changes(before?.presence, snapshot.presence, '[]')) {
      message.presence[page] = JSON.parse(accounts);
    }
    const figures = this.#measure(snapshot, now);
    for (const [name, text] of changes(this.#figures, figures, '')) message.figures[name] = text;
    this.#figures = figures;
    this.#last = snapshot;
    const hasChanged = Object.values(message).some((part) => Object.keys(part).length > 0);
    if (this.#isCurrent && !hasChanged) return;
    const news = this.#isCurrent ? message : this.#everything(snapshot);
    this.#isCurrent = true;
    for (const receive of this.#receivers) receive(news);
  }

  #measure({ deliveries }: LiveSnapshot, now: number): Map<string, string> {
    this.#samples = new Map(
      [...deliveries].map(([id, { counts }]) => {
        const recent = (this.#samples.get(id) ?? []).filter(({ at }) => now - at <= RATE_WINDOW && at < now);
        return [id, [...recent, { at: now, submitted: counts.submitted ?? 0 }]];
      }),
    );
    return new Map(
      [...deliveries].flatMap(([id, { counts }]) => liveFiguresOf(id, counts, this.#samples.get(id) ?? [])),
    );
  }

  #everything({ presence, versions }: LiveSnapshot): LiveMessage {
    return {
      topics: Object.fromEntries(this.#changedAt),
      versions: Object.fromEntries([...versions].filter(([topic]) => HAS_VERSION.test(topic))),
      figures: Object.fromEntries(this.#figures),
      presence: Object.fromEntries([...presence].map(([page, accounts]) => [page, JSON.parse(accounts)])),
    };
  }
}

/** Entries of `now` that `before` has not; entries that are gone have the value `gone`. */
function changes(
  before: ReadonlyMap<string, string> | undefined,
  now: ReadonlyMap<string, string>,
  gone: string,
): [string, string][] {
  const changed = [...now].filter(([key, value]) => before?.get(key) !== value);
  const ended = [...(before?.keys() ?? [])].filter((key) => !now.has(key)).map((key): [string, string] => [key, gone]);
  return [...changed, ...ended];
}

/**
 * The figures of an edition by their name in pages, such as `edition:17:submitted`.
 * @param samples of the last seconds, oldest first; the newest is of `counts`
 */
function liveFiguresOf(
  editionId: number,
  counts: Readonly<Record<string, number>>,
  samples: readonly RateSample[],
): [name: string, text: string][] {
  const { pending = 0, submitting = 0 } = counts;
  const { perSecond, left } = submissionRate(samples, pending + submitting);
  const figures: [string, string][] = [
    ...Object.entries(counts).map(([state, count]): [string, string] => [state, formatCount(count)]),
    ['over', `${percentOver({ ...NO_DELIVERIES, ...counts })} %`],
    ['rate', perSecond === null ? 'not known' : formatRate(perSecond)],
    ['left', left === null ? 'not known' : formatDuration(left)],
  ];
  return figures.map(([name, text]) => [`edition:${editionId}:${name}`, text]);
}
