/**
 * Tries the feed of an outlet: what it is, and what daywire would know its newest reports by. Nothing is recorded
 * but the pause that a host asks for.
 */
import { setTimeout as waitFor } from 'node:timers/promises';
import type { AppContext } from '../../core/app-context.ts';
import type { RoundupSource } from '../../core/config/config.ts';
import { rfc3339 } from '../../lib/time.ts';
import { holdHost, openHostGate } from '../../sources/host-gate.ts';
import { PollError } from '../../sources/request.ts';
import { type IdentifiedDocument, readIdentities } from '../identity/identify.ts';
import { readEntry } from '../items/usable-entry.ts';
import { openOutletClient } from '../sample/outlet-client.ts';
import { requestFeed } from './request-feed.ts';

export interface OutletTest {
  use: 'roundup';
  /** The feed, which may be another address than that of the source. */
  endpoint: string;
  /** What the feed calls itself. */
  title: string | null;
  /** BCP 47; null if it does not say. */
  language: string | null;
  /** Reports that can be used. */
  items: number;
  /** Those without a date of their own. */
  undated: number;
  /** In the order of the feed. */
  reports: { headline: string; url: string; published: string | null; knownBy: 'guid' | 'link' | 'title and day' }[];
  /** What was repaired or left out. */
  problems: string[];
}

const SHOWN = 5;

/** @throws PollError that says why it cannot be polled */
export async function tryOutlet(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  source: Pick<RoundupSource, 'url' | 'outlet'>,
  signal: AbortSignal,
): Promise<OutletTest> {
  const { store, clock } = app;
  const gate = openHostGate({
    ...{ db: store.db, clock },
    wait: (milliseconds, stop = signal) => waitFor(milliseconds, undefined, { signal: stop }),
    onWait: async () => {},
  });
  const requester = { client: openOutletClient(app, { gate }), clock, signal };
  const response = await requestFeed(requester, source, { endpoint: null, etag: null, last_modified: null });
  if (response.kind === 'unchanged') throw new PollError(`${source.url} answered 304 to a request without conditions`);
  if (response.kind === 'problem') {
    const { signal: problem, hold } = response;
    if (hold !== null) await holdHost(store.db, hold.host, hold.until, clock());
    throw new PollError(problem.problem);
  }
  const { endpoint, document } = response;
  const read = document.entries.map((entry) => readEntry(entry, clock()));
  const usable = read.filter((entry) => typeof entry !== 'string');
  const reasons = new Set(read.filter((entry) => typeof entry === 'string'));
  const left = [...reasons].map((reason) => `${read.filter((one) => one === reason).length} without use: ${reason}`);
  const identified = readIdentities(usable.map(({ identity }) => identity));
  return {
    ...{ use: 'roundup', endpoint, title: document.title, language: document.language },
    ...{ items: usable.length, undated: usable.filter(({ publishedAt }) => publishedAt === null).length },
    reports: usable.slice(0, SHOWN).map((entry, index) => ({
      ...{ headline: entry.title, url: entry.url },
      published: entry.publishedAt === null ? null : rfc3339(entry.publishedAt),
      knownBy: knownBy(identified, index),
    })),
    problems: [...document.problems, ...left],
  };
}

/** A guid or link that several reports of the feed have identifies none of them. */
function knownBy({ entries, ambiguous }: IdentifiedDocument, index: number): OutletTest['reports'][number]['knownBy'] {
  const { guid = null, link = null } = entries[index]?.keys ?? {};
  if (guid !== null && !ambiguous.has(guid)) return 'guid';
  return link !== null && !ambiguous.has(link) ? 'link' : 'title and day';
}
