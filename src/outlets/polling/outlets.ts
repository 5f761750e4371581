/** The feeds of other outlets, as a kind of source: their entries become items. */
import type { RoundupSource } from '../../core/config/schema.ts';
import { type AnySource, roundupSources } from '../../core/config/sources.ts';
import { DAY, HOUR, MINUTE, rfc3339 } from '../../lib/time.ts';
import { SITES } from '../../own-sites/poll.ts';
import { openHostGate } from '../../sources/host-gate.ts';
import type { IdentifiedDocument } from '../../sources/identity/entry-keys.ts';
import { readIdentities } from '../../sources/identity/identify.ts';
import { JITTER, type ReadSignal } from '../../sources/polling/poll-state.ts';
import { waitFor } from '../../sources/polling/poller.ts';
import {
  type EndOfPoll,
  LostClaimError,
  type Poll,
  type SourceKind,
  type SourceTest,
  type TryApp,
} from '../../sources/polling/source-kind.ts';
import { validatorsOf } from '../../sources/request.ts';
import type { PollFindings } from '../../sources/source-state.ts';
import { countHeldItems } from '../items/held-items.ts';
import { adoptOutletName } from '../items/item-keys.ts';
import { recordOutletItems } from '../items/outlet-items.ts';
import { readEntries } from '../items/usable-entry.ts';
import { openOutletClient } from '../sample/outlet-client.ts';
import { ROUNDUP_WINDOW } from '../story-groups/regroup.ts';
import { maxAgeOf, requestFeed } from './request-feed.ts';

export interface OutletPollResult {
  /** New items; the old ones are dated before the window, or were there before the first poll. */
  added: number;
  old: number;
  /** Items that wait for the operator. */
  held: number;
  /** What was repaired or left out, for people. */
  problems: string[];
}

export const OUTLETS: SourceKind<RoundupSource, OutletPollResult> = {
  sources: roundupSources,
  siblings: () => [],
  openClient: (app, gate) => openOutletClient(app, { gate }),
  emptyResult: () => ({ added: 0, old: 0, held: 0, problems: [] }),
  read: readOutlet,
  describeChanges({ added, old, held }) {
    const counts = held > 0 ? { old, held: added } : { new: added - old, old };
    return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : `${count} ${what}`));
  },
  problems: ({ problems }) => problems,
  try: testOutlet,
};

/** The kind of a source, by its key `use`. */
export const SOURCE_KINDS: Record<AnySource['use'], SourceKind> = { articles: SITES, roundup: OUTLETS };

async function readOutlet(poll: Poll<RoundupSource, OutletPollResult>): Promise<EndOfPoll> {
  const { source, row, jitter } = poll;
  const { answer, endpoint, document } = await requestFeed(poll, source, row);
  const maxAge = maxAgeOf(answer);
  const { movedTo } = answer;
  if (document === null) {
    return async (tx, now) => {
      await adoptOutletName(tx, { source: row.id, outlet: source.outlet });
      const held = await countHeldItems(tx, row.id);
      poll.result = { ...poll.result, held };
      const nextAt = nextPoll(now, { itemGap: row.item_gap, maxAge, hasValidators: true }, jitter);
      return { signal: { kind: 'read', endpoint, movedTo, knowsOne: null, newsAt: null, held, nextAt }, findings: {} };
    };
  }
  const { itemGap, repaired } = document;
  const validators = validatorsOf(answer);
  const { language } = source;
  const entries = language === undefined ? document.entries : document.entries.map((entry) => ({ ...entry, language }));
  return async (tx, now) => {
    const times = { now, windowMs: ROUNDUP_WINDOW };
    const recorded = await recordOutletItems(tx, row, source.outlet, entries, times);
    if (recorded === null) throw new LostClaimError();
    const { added, old, held, newsAt } = recorded;
    poll.result = { added, old, held, problems: [...document.problems, ...recorded.problems] };
    const hasValidators = (validators.etag ?? validators.last_modified) !== null;
    const signal: ReadSignal = {
      ...{ kind: 'read', endpoint, movedTo, newsAt, held },
      // Before the first document nothing is known, and the new place is as good as the old one.
      knowsOne: row.items_read_at === null ? null : recorded.knowsOne,
      nextAt: nextPoll(now, { itemGap, maxAge, hasValidators }, jitter),
    };
    const read = { api: 'feed' as const, repaired: repaired ? 1 : 0, item_gap: itemGap };
    return { signal, findings: { ...validators, ...read } satisfies PollFindings };
  };
}

/** How a feed behaves, as far as its polls have shown. Milliseconds. */
export interface FeedRhythm {
  /** The median time between two items; null while it is not known. */
  itemGap: number | null;
  /** For how long the last response counts as fresh (`max-age`, RFC 9111 §5.2.2.1); null if it does not say. */
  maxAge: number | null;
  /** Whether its responses have an ETag or Last-Modified. Without them each poll transfers all of it. */
  hasValidators: boolean;
}

const SHORTEST = 15 * MINUTE;
const LONGEST = 6 * HOUR;
/** Where nothing is known of the items. */
const UNKNOWN = HOUR;
const SHORTEST_WITHOUT_VALIDATORS = HOUR;
/** The longest interval that a response can ask for. */
const MAX_ASKED = DAY;

/**
 * The instant of the next poll of a feed that was read: after half the median gap between items, 15 minutes to 6 hours;
 * later if its response is fresh for longer, by up to a day.
 * @param jitter from -1 to 1: polls are up to 10 % earlier or later, but never earlier than the response asks for
 */
export function nextPoll(now: number, { itemGap, maxAge, hasValidators }: FeedRhythm, jitter: number): number {
  const half = itemGap === null ? UNKNOWN : Math.min(Math.max(itemGap / 2, SHORTEST), LONGEST);
  const asked = Math.max(maxAge ?? 0, hasValidators ? 0 : SHORTEST_WITHOUT_VALIDATORS);
  const least = Math.min(Math.max(asked, SHORTEST), MAX_ASKED);
  const later = (jitter + 1) / 2;
  const interval = Math.max(half * (1 + JITTER * jitter), least * (1 + JITTER * later));
  return Math.round(now + interval);
}

const SHOWN = 5;

/** What the feed is, and what daywire would know its newest reports by. */
async function testOutlet(
  app: TryApp,
  source: Pick<RoundupSource, 'url' | 'outlet'>,
  signal: AbortSignal,
): Promise<SourceTest> {
  const { store, clock } = app;
  const gate = openHostGate({ ...{ db: store.db, clock, wait: waitFor }, onWait: async () => {} });
  const requester = { client: openOutletClient(app, { gate }), clock, signal };
  const never = { endpoint: null, etag: null, last_modified: null, items_read_at: null };
  const { endpoint, document, notes = [] } = await requestFeed(requester, source, never);
  const { title = null, entries = [], problems = [] } = document ?? {};
  const { usable, problems: left } = readEntries(entries, clock());
  const identified = readIdentities(usable.map(({ identity }) => identity));
  const undated = usable.filter(({ publishedAt }) => publishedAt === null).length;
  return {
    ...{ what: 'a feed', endpoint, title, items: usable.length },
    newest: usable.slice(0, SHOWN).map((entry, index) => ({
      ...{ headline: entry.title, url: entry.url, detail: `known by its ${knownBy(identified, index)}` },
      published: entry.publishedAt === null ? null : rfc3339(entry.publishedAt),
    })),
    notes: [...notes, ...(undated === 0 ? [] : [`items without a date: ${undated}`]), ...problems, ...left],
  };
}

/** A guid or link that several reports of the feed have identifies none of them. */
function knownBy({ entries, ambiguous }: IdentifiedDocument, index: number): string {
  const { guid = null, link = null } = entries[index]?.keys ?? {};
  if (guid !== null && !ambiguous.has(guid)) return 'guid';
  return link !== null && !ambiguous.has(link) ? 'link' : 'title and day';
}
