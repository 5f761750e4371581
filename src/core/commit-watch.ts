/**
 * Tells the jobs of a process that something has been committed, by this process or by another one, so that they need
 * not ask every table ten times a second.
 */
import type { Pace } from '../lib/repeat.ts';

/** Milliseconds between two looks, while anybody listens. */
const LOOK_EVERY = 250;
/** After a statement of this process, which may be one of many. */
const LOOK_SOON = 20;

export class CommitWatch {
  readonly #version: () => Promise<unknown>;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #last: unknown;
  /** Whether a look is under way or comes soon. */
  #isLooking = false;

  /** @param version returns a value that changes with each commit of any process */
  constructor(version: () => Promise<unknown>) {
    this.#version = version;
  }

  /** Looks soon: this process has written something. */
  notice(): void {
    if (this.#listeners.size === 0 || this.#isLooking) return;
    this.#isLooking = true;
    this.#lookAfter(LOOK_SOON);
  }

  /** Calls the listener after commits. @returns ends that */
  subscribe(listener: () => void): () => void {
    if (this.#listeners.size === 0) this.#lookAfter(0);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  }

  #lookAfter(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(), delay).unref();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    // While the store is away, the jobs run after their longest pause, and say what is wrong.
    const version = await this.#version().catch(() => this.#last);
    this.#isLooking = false;
    if (this.#listeners.size === 0) return;
    this.#lookAfter(LOOK_EVERY);
    if (version === this.#last) return;
    this.#last = version;
    for (const listener of [...this.#listeners]) listener();
  }
}

/**
 * The pace of a job whose work is in the store.
 * @param leastMs from the end of one execution to the next one after a commit
 * @param mostMs without a commit: for what becomes due by the clock
 */
export function afterCommits({ commits }: { commits: CommitWatch }, leastMs: number, mostMs: number): Pace {
  return { leastMs, mostMs, subscribe: (wake) => commits.subscribe(wake) };
}
