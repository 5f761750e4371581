import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, rfc3339 } from '../../../src/lib/time.ts';
import {
  afterPoll,
  NOT_MOVED,
  nextRetry,
  type PollSignal,
  type ReadSignal,
  type SourceCondition,
} from '../../../src/sources/polling/poll-state.ts';

const NOW = Date.parse('2026-11-27T12:00:00Z');
const ENDPOINT = 'https://outlet.example.com/feed';
const NEW_PLACE = 'https://new.example.com/feed';

const NEW: SourceCondition = {
  ...{ state: 'active', since: NOW, reason: null, endpoint: null, newsAt: null, failures: 0, notFoundSince: null },
  ...NOT_MOVED,
};
const ACTIVE: SourceCondition = { ...NEW, endpoint: ENDPOINT, newsAt: NOW };
const read = (signal: Partial<ReadSignal> = {}): ReadSignal => ({
  ...{ kind: 'read', endpoint: '', movedTo: null, knowsOne: true, newsAt: null, held: 0, nextAt: 0 },
  ...signal,
});
const FAILED: PollSignal = { kind: 'failed', problem: 'it answered 500', retryAt: null };
const NOT_FOUND: PollSignal = { kind: 'not-found', problem: 'it answered 404', retryAt: null };

/** The signal of a poll at an instant: a feed is read where it was, and is due an hour later. */
function at(signal: PollSignal, { endpoint }: SourceCondition, now: number): PollSignal {
  return signal.kind === 'read' ? { ...signal, endpoint: endpoint ?? ENDPOINT, nextAt: now + HOUR } : signal;
}

/** The transition after the last of some polls. */
function poll(before: SourceCondition, ...polls: [signal: PollSignal, at: number][]) {
  let transition = { condition: before, nextAt: null as number | null };
  for (const [signal, now] of polls) {
    const { condition } = transition;
    transition = afterPoll(condition, at(signal, condition, now), { now, jitter: 0, use: 'roundup' });
  }
  return transition;
}

describe('the state of a feed', () => {
  it('is active while it is read, and is polled by its rhythm', () => {
    const { condition, nextAt } = poll(ACTIVE, [read(), NOW + HOUR]);
    expect(condition).toEqual(ACTIVE);
    expect(nextAt).toBe(NOW + 2 * HOUR);
  });

  it('is waiting after 429 and 503, until Retry-After is over', () => {
    const busy: PollSignal = { kind: 'busy', problem: 'it answered 429', retryAt: NOW + 48 * HOUR };
    const { condition, nextAt } = poll(ACTIVE, [busy, NOW]);
    expect(condition).toMatchObject({ state: 'waiting', reason: 'it answered 429', since: NOW, failures: 1 });
    expect(nextAt).toBe(NOW + 48 * HOUR);
    expect(poll(ACTIVE, [{ ...busy, retryAt: NOW + MINUTE }, NOW]).nextAt).toBe(NOW + 15 * MINUTE);
    expect(poll(ACTIVE, [{ ...busy, retryAt: null }, NOW], [{ ...busy, retryAt: null }, NOW]).nextAt).toBe(
      NOW + 30 * MINUTE,
    );
  });

  it('is blocked after a refusal, and is polled daily', () => {
    const { condition, nextAt } = poll(ACTIVE, [{ kind: 'blocked', problem: 'ask it for access', retryAt: null }, NOW]);
    expect(condition).toMatchObject({ state: 'blocked', reason: 'ask it for access' });
    expect(nextAt).toBe(NOW + DAY);
  });

  it('is failing after errors, at longer and longer intervals, until a poll succeeds', () => {
    const second = poll(ACTIVE, [FAILED, NOW], [FAILED, NOW + HOUR]);
    expect(second.condition).toMatchObject({ state: 'failing', reason: 'it answered 500', since: NOW, failures: 2 });
    expect(second.nextAt).toBe(NOW + HOUR + 30 * MINUTE);
    const { condition } = poll(second.condition, [read(), NOW + 2 * HOUR]);
    expect(condition).toMatchObject({ state: 'active', reason: null, since: NOW + 2 * HOUR, failures: 0 });
  });

  it('is gone after 410, and is no longer polled', () => {
    const { condition, nextAt } = poll(ACTIVE, [{ kind: 'gone', problem: 'it answered 410', retryAt: null }, NOW]);
    expect(condition.state).toBe('gone');
    expect(condition.reason).toBe('it answered 410. It is no longer polled');
    expect(nextAt).toBeNull();
  });

  it('is gone after 404 for 14 days, and failing until then', () => {
    const almost = poll(ACTIVE, [NOT_FOUND, NOW], [NOT_FOUND, NOW + 14 * DAY - 1]);
    expect(almost.condition).toMatchObject({ state: 'failing', notFoundSince: NOW });
    expect(almost.condition.reason).toBe(`it answered 404 since ${rfc3339(NOW)}; after 14 days it counts as gone`);
    expect(almost.nextAt).not.toBeNull();
    const { condition, nextAt } = poll(almost.condition, [NOT_FOUND, NOW + 14 * DAY]);
    expect(condition.state).toBe('gone');
    expect(nextAt).toBeNull();
  });

  it('counts the 14 days again once the feed was there between them, but not after other errors', () => {
    const there = poll(ACTIVE, [NOT_FOUND, NOW], [read(), NOW + 7 * DAY], [NOT_FOUND, NOW + 14 * DAY]);
    expect(there.condition.state).toBe('failing');
    const failed = poll(ACTIVE, [NOT_FOUND, NOW], [FAILED, NOW + 7 * DAY], [NOT_FOUND, NOW + 14 * DAY]);
    expect(failed.condition.state).toBe('gone');
  });

  it('is held while items wait for the operator, and is polled by its rhythm', () => {
    const { condition, nextAt } = poll(ACTIVE, [read({ held: 5_000, newsAt: NOW }), NOW]);
    expect(condition.state).toBe('held');
    expect(condition.reason).toBe('5000 items were new at once, and wait for a decision');
    expect(nextAt).toBe(NOW + HOUR);
    expect(poll(condition, [read(), NOW + HOUR]).condition.state).toBe('active');
  });

  it('is dormant after 30 days without news, is polled daily, and wakes up with the next news', () => {
    const before = poll(ACTIVE, [read(), NOW + 30 * DAY - 1]);
    expect(before.condition.state).toBe('active');
    const { condition, nextAt } = poll(ACTIVE, [read(), NOW + 30 * DAY]);
    expect(condition).toMatchObject({ state: 'dormant', reason: `it has had no new item since ${rfc3339(NOW)}` });
    expect(nextAt).toBe(NOW + 31 * DAY);
    const later = NOW + 31 * DAY;
    expect(poll(condition, [read({ newsAt: later }), later]).condition).toMatchObject({
      state: 'active',
      reason: null,
    });
  });
});

describe('permanent redirects', () => {
  const moved = read({ movedTo: NEW_PLACE });
  const strange = read({ movedTo: NEW_PLACE, knowsOne: false });

  it('change the endpoint after three polls over 48 hours', () => {
    const second = poll(ACTIVE, [moved, NOW], [moved, NOW + 24 * HOUR]);
    expect(second.condition).toMatchObject({ state: 'active', endpoint: ENDPOINT, movedPolls: 2 });
    expect(second.condition.reason).toBe(`since ${rfc3339(NOW)} it redirects permanently to ${NEW_PLACE}`);
    const third = poll(second.condition, [moved, NOW + 48 * HOUR]);
    expect(third.condition).toMatchObject({ state: 'moved', endpoint: NEW_PLACE });
    expect(third.condition.reason).toMatch(/name that address in the configuration/);
    expect(third.nextAt).toBe(NOW + 49 * HOUR);
    // The new address no longer redirects.
    expect(poll(third.condition, [read(), NOW + 49 * HOUR]).condition).toMatchObject({
      ...{ state: 'moved', endpoint: NEW_PLACE, since: NOW + 48 * HOUR },
    });
  });

  it('change nothing if the new feed had no known item when they began', () => {
    // From the second poll on, its items are known from the first one.
    const polls: [PollSignal, number][] = [0, 1, 2, 3, 10].map((day) => [day === 0 ? strange : moved, NOW + day * DAY]);
    expect(poll(ACTIVE, ...polls).condition).toMatchObject({ state: 'active', endpoint: ENDPOINT, movedPolls: 5 });
  });

  it('count where the new place answers 304, and where nothing was known before', () => {
    const unchanged = read({ movedTo: NEW_PLACE, knowsOne: null });
    const polls: [PollSignal, number][] = [0, 1, 2].map((day) => [unchanged, NOW + day * DAY]);
    expect(poll(ACTIVE, ...polls).condition).toMatchObject({ state: 'moved', endpoint: NEW_PLACE });
  });

  it('are remembered while polls fail between them', () => {
    const { condition } = poll(ACTIVE, [moved, NOW], [moved, NOW + DAY], [FAILED, NOW + DAY], [moved, NOW + 2 * DAY]);
    expect(condition.endpoint).toBe(NEW_PLACE);
  });
});

describe('a site of the newsroom', () => {
  const poll = (...signals: PollSignal[]) => {
    let transition = { condition: ACTIVE, nextAt: null as number | null };
    for (const signal of signals) {
      transition = afterPoll(transition.condition, signal, { now: NOW + 20 * DAY, jitter: 0, use: 'articles' });
    }
    return transition;
  };

  it('is polled again sooner than other outlets, and never counts as gone', () => {
    expect(poll(FAILED).nextAt).toBe(NOW + 20 * DAY + 5 * MINUTE);
    const { condition, nextAt } = poll({ ...NOT_FOUND, kind: 'gone' }, ...new Array(10).fill(NOT_FOUND));
    expect(condition).toMatchObject({ state: 'failing', reason: 'it answered 404', endpoint: null });
    expect(nextAt).toBe(NOW + 20 * DAY + 4 * HOUR);
  });
});

describe('the next poll after errors', () => {
  it('is 15 minutes × 2ⁿ later, up to a day', () => {
    const retry = (failures: number, jitter = 0) => nextRetry(NOW, failures, { jitter, use: 'roundup' }) - NOW;
    const waits = [0, 1, 2, 5, 6, 7, 8, 1_000].map((failures) => retry(failures) / MINUTE);
    expect(waits).toEqual([15, 30, 60, 480, 960, 1440, 1440, 1440]);
    expect(retry(0, 1)).toBe(16.5 * MINUTE);
  });
});

it('keeps these rules in any order of results', () => {
  const signal: fc.Arbitrary<PollSignal> = fc.oneof(
    fc.record({
      kind: fc.constant('read' as const),
      movedTo: fc.option(fc.constantFrom(NEW_PLACE, `${NEW_PLACE}/2`)),
      knowsOne: fc.option(fc.boolean()),
      newsAt: fc.constant(null),
      held: fc.constantFrom(0, 0, 30),
      ...{ endpoint: fc.constant(ENDPOINT), nextAt: fc.constant(0) },
    }),
    fc.constantFrom<PollSignal>(
      ...[FAILED, NOT_FOUND],
      ...[
        { kind: 'gone' as const, problem: 'gone', retryAt: null },
        { kind: 'blocked' as const, problem: 'blocked', retryAt: null },
      ],
    ),
    fc.record({
      kind: fc.constant('busy' as const),
      problem: fc.constant('busy'),
      retryAt: fc.option(fc.integer({ min: NOW, max: NOW + 100 * DAY })),
    }),
  );
  const polls = fc.array(fc.tuple(signal, fc.integer({ min: 1, max: 3 * DAY })), { maxLength: 30 });
  fc.assert(
    fc.property(polls, fc.double({ min: -1, max: 1, noNaN: true }), (list, jitter) => {
      let condition = ACTIVE;
      let now = NOW;
      let redirects: { to: string; at: number }[] = [];
      for (const [one, pause] of list) {
        now += pause;
        const { endpoint } = condition;
        const { condition: after, nextAt } = afterPoll(condition, at(one, condition, now), {
          now,
          jitter,
          use: 'roundup',
        });
        expect(nextAt === null).toBe(after.state === 'gone');
        if (nextAt !== null) expect(nextAt).toBeGreaterThan(now + 13 * MINUTE);
        if (one.kind === 'busy') expect(nextAt).toBeGreaterThanOrEqual(one.retryAt ?? 0);
        expect(after.since).toBeLessThanOrEqual(now);
        expect(after.failures).toBe(one.kind === 'read' ? 0 : condition.failures + 1);
        if (after.state !== 'active') expect(after.reason).not.toBeNull();
        if (one.kind === 'read') {
          const to = one.movedTo;
          if (to === null) redirects = [];
          else redirects = [...redirects.filter((earlier) => earlier.to === to), { to, at: now }];
        }
        if (one.kind === 'gone' || one.kind === 'not-found') expect(after.endpoint).toBeNull();
        else if (endpoint !== null && after.endpoint !== endpoint) {
          expect(redirects.length).toBeGreaterThanOrEqual(3);
          expect(now - (redirects[0]?.at as number)).toBeGreaterThanOrEqual(2 * DAY);
          expect(after.endpoint).toBe(redirects.at(-1)?.to);
        }
        condition = after;
      }
    }),
  );
});
