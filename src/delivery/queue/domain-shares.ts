/**
 * Divides the workers between recipient domains: while deliveries to other domains wait, at most half of the workers,
 * but at least one, are busy with one domain. A domain whose servers are slow then delays its own deliveries only.
 */
export class DomainShares<Worker extends object> {
  readonly #share: number;
  /** Deliveries in progress of each domain, by worker. */
  readonly #busy = new Map<string, Map<Worker, number>>();
  readonly #full = new Set<string>();

  constructor(workers: number) {
    this.#share = workers === 1 ? Number.POSITIVE_INFINITY : Math.floor(workers / 2);
  }

  begin(worker: Worker, domain: string): void {
    const workers = this.#busy.get(domain) ?? new Map<Worker, number>();
    workers.set(worker, (workers.get(worker) ?? 0) + 1);
    this.#busy.set(domain, workers);
    if (workers.size >= this.#share) this.#full.add(domain);
  }

  end(worker: Worker, domain: string): void {
    const workers = this.#busy.get(domain);
    if (workers === undefined) return;
    const count = workers.get(worker) ?? 0;
    if (count > 1) workers.set(worker, count - 1);
    else workers.delete(worker);
    if (workers.size < this.#share) this.#full.delete(domain);
    if (workers.size === 0) this.#busy.delete(domain);
  }

  /** The domains that have their whole share. */
  full(): string[] {
    return [...this.#full];
  }

  /**
   * Chooses the next delivery for a worker, the first that it may have. A worker stays with a domain that has its whole
   * share, because a delivery to another domain would wait behind it.
   * @param waiting in order
   * @returns its index; -1 if the domains of all have their whole share
   */
  choose(worker: Worker, waiting: readonly { domain: string }[]): number {
    const full = this.#full;
    if (full.size === 0) return waiting.length > 0 ? 0 : -1;
    const own = waiting.findIndex(({ domain }) => full.has(domain) && this.#busy.get(domain)?.has(worker));
    return own >= 0 ? own : waiting.findIndex(({ domain }) => !full.has(domain));
  }
}
