/**
 * The signing certificates of Amazon SNS. Anyone can send a request that names the address of one, so the requests for
 * them are limited.
 */
import { LRUCache } from 'lru-cache';
import type { FetchClient } from '../../lib/guarded-fetch/fetch-client.ts';
import { DAY, MINUTE } from '../../lib/time.ts';

export type CertificateResult = { kind: 'found'; pem: string } | { kind: 'unavailable'; reason: string };

/** A region has one certificate at a time, for about a year. */
const MAX_CERTIFICATES = 20;
const MAX_FAILURES = 200;
const MAX_BYTES = 64 * 1024;
/** Requests in a minute, of certificates that are not known yet. */
const MAX_REQUESTS = 10;
/** Callers that wait for a certificate, each with the body of its request. */
const MAX_WAITING = 50;

interface Dated<T> {
  result: T;
  at: number;
}

export class SigningCertificates {
  readonly #client: FetchClient;
  readonly #found = new LRUCache<string, Dated<CertificateResult>>({ max: MAX_CERTIFICATES });
  readonly #failed = new LRUCache<string, Dated<CertificateResult>>({ max: MAX_FAILURES });
  readonly #pending = new Map<string, Promise<CertificateResult>>();
  #requests: Dated<number> = { result: 0, at: Number.NEGATIVE_INFINITY };
  #waiting = 0;

  constructor(client: FetchClient) {
    this.#client = client;
  }

  /** A certificate is kept for a day, a failure for a minute. @param address that was checked */
  async find(address: string, now: number): Promise<CertificateResult> {
    const known = current(this.#found.get(address), now, DAY) ?? current(this.#failed.get(address), now, MINUTE);
    if (known !== null) return known;
    if (this.#waiting >= MAX_WAITING) return unavailable('too many requests wait for a certificate of Amazon SNS');
    const pending = this.#pending.get(address) ?? this.#request(address, now);
    if (pending === null) return unavailable('too many certificates of Amazon SNS were requested in a minute');
    this.#waiting += 1;
    try {
      return await pending;
    } finally {
      this.#waiting -= 1;
    }
  }

  #request(address: string, now: number): Promise<CertificateResult> | null {
    const count = current(this.#requests, now, MINUTE) ?? 0;
    if (count >= MAX_REQUESTS) return null;
    this.#requests = count === 0 ? { result: 1, at: now } : { result: count + 1, at: this.#requests.at };
    const pending = requestCertificate(this.#client, address)
      .then((result) => {
        (result.kind === 'found' ? this.#found : this.#failed).set(address, { result, at: now });
        return result;
      })
      .finally(() => this.#pending.delete(address));
    this.#pending.set(address, pending);
    return pending;
  }
}

/** Null if it is too old, or from before the clock was set back. */
function current<T>(entry: Dated<T> | undefined, now: number, milliseconds: number): T | null {
  return entry !== undefined && now >= entry.at && now < entry.at + milliseconds ? entry.result : null;
}

function unavailable(reason: string): CertificateResult {
  return { kind: 'unavailable', reason };
}

async function requestCertificate(client: FetchClient, url: string): Promise<CertificateResult> {
  const result = await client.fetch({ url, maxWireBytes: MAX_BYTES, maxBytes: MAX_BYTES });
  if (result.kind !== 'answered') return unavailable(`the certificate of Amazon SNS cannot be read: ${result.reason}`);
  if (result.status !== 200)
    return unavailable(`the certificate of Amazon SNS cannot be read: status ${result.status}`);
  return { kind: 'found', pem: result.body.toString('latin1') };
}
