/**
 * Judges the complaints and bounces of an edition, or of its messages to one mailbox provider. Pure.
 * docs/decisions/2026-11-27-complaint-and-bounce-rates.md has the reasons for the numbers.
 */
import type { Config } from '../../core/config/config.ts';

export type RateKind = 'complaint' | 'bounce';
export const RATE_KINDS: readonly RateKind[] = ['complaint', 'bounce'];
export type RateLevel = 'alert' | 'pause';

/** In percent. */
export type RateLimits = Config['delivery']['complaintRate'];

export interface RateCounts {
  /** Recipients who complained, or who cannot be reached: each counts once. */
  events: number;
  /** Messages that the events are counted against. */
  messages: number;
}

/**
 * The fewest events that reach a level, at any percentage: one complaint among two hundred messages is 0.5 %, and
 * chance.
 */
export const MINIMUM_EVENTS: Record<RateKind, Record<RateLevel, number>> = {
  complaint: { alert: 3, pause: 6 },
  bounce: { alert: 10, pause: 20 },
};

/** The highest level that is reached; null if none is. */
export function judgeRate(kind: RateKind, counts: RateCounts, limits: RateLimits): RateLevel | null {
  const reaches = (level: RateLevel): boolean =>
    knownMessages(counts) <= mostMessages(kind, level, counts.events, limits);
  if (reaches('pause')) return 'pause';
  return reaches('alert') ? 'alert' : null;
}

/** At least one message for each event, also where fewer are stored, as after the restore of an older backup. */
export function knownMessages({ events, messages }: RateCounts): number {
  return Math.max(events, messages);
}

/**
 * The largest number of messages with which so many events reach a level; 0 if no number does. With it, an edition of a
 * million deliveries need not be counted to the end.
 */
export function mostMessages(kind: RateKind, level: RateLevel, events: number, limits: RateLimits): number {
  const limit = limits[level];
  if (events < MINIMUM_EVENTS[kind][level]) return 0;
  // 6 of 2,000 are 0.3 %, regardless of the last digits of floating-point numbers.
  return Math.floor((events * 100) / limit + 1e-6);
}

/** The events in percent of the messages: from 0 to 100, also where more events than messages are known. */
export function percentOf(counts: RateCounts): number {
  return counts.events === 0 ? 0 : (100 * counts.events) / knownMessages(counts);
}

/** With up to three digits: `0.3`, `0.298`, `12.5`. */
export function formatPercent(percent: number): string {
  return String(Number(percent.toPrecision(3)));
}
