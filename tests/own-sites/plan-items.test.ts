import { expect, it } from 'vitest';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { type IdentifiedItem, type PlannedItem, planItems } from '../../src/own-sites/import-entries.ts';
import type { SourceItemRow } from '../../src/sources/item-state.ts';
import { NOW } from '../support/clock.ts';

type SiteMemory = Parameters<typeof planItems>[2];

const FIRST: SiteMemory = { isFeed: true, readAt: null, usualNew: null, itemGap: null, held: 0 };
const LATER: SiteMemory = { ...FIRST, readAt: NOW - HOUR };

const item = (name: string | number, publishedAt: number | null = NOW - HOUR): IdentifiedItem => ({
  ...{ item: String(name), publishedAt, isLeftOut: false },
});
const many = (count: number, age: number): IdentifiedItem[] =>
  Array.from({ length: count }, (_, index) => item(`${age}-${index}`, NOW - age));

function row(change: Partial<SourceItemRow> & { item: string }): SourceItemRow {
  return {
    ...{ source: 'times', article_id: `times.${change.item}`, url: null, published_at: NOW - DAY, modified_at: null },
    ...{ missing: 0, withdrawal: null, first_seen_at: NOW - DAY, seen_at: NOW - HOUR, hold: null, record: null },
    ...change,
  };
}

function plan(
  items: IdentifiedItem[],
  { memory = LATER, rows = [], now = NOW }: { memory?: SiteMemory; rows?: SourceItemRow[]; now?: number } = {},
): PlannedItem[] {
  const planned = planItems(items, new Map(rows.map((one) => [one.item, one])), memory, now);
  return planned.map((one) => one as PlannedItem);
}

const datesOf = (...args: Parameters<typeof plan>) => plan(...args).map(({ publishedAt }) => publishedAt);
const heldOf = (...args: Parameters<typeof plan>) => plan(...args).filter(({ isOnHold }) => isOnHold).length;

it('takes what is undated in the first poll for old, in the order of the document', () => {
  const old = NOW - 31 * DAY;
  expect(datesOf([item('a', null), item('b'), item('c', null)], { memory: FIRST })).toEqual([
    old,
    NOW - HOUR,
    old - 2 * SECOND,
  ]);
  expect(datesOf([item('a', null), item('b', NOW - 90 * DAY)], { memory: FIRST })[0]).toBe(NOW - 90 * DAY);
});

it('dates an undated item of a later poll by when it was first seen, with every poll', () => {
  expect(plan([item('a', null)])).toMatchObject([{ publishedAt: NOW, isDateInvented: true, isNew: true }]);
  const rows = [row({ item: 'a', published_at: NOW, first_seen_at: NOW })];
  expect(datesOf([item('a', null)], { rows, now: NOW + DAY })).toEqual([NOW]);
});

it('takes a date that is ahead of the first sight for wrong, also once it has passed, until the feed is mended', () => {
  expect(plan([item('a', NOW + 8 * HOUR)])).toMatchObject([{ publishedAt: NOW, isDateInvented: true }]);
  expect(plan([item('a', NOW + 15 * MINUTE)])).toMatchObject([
    { publishedAt: NOW + 15 * MINUTE, isDateInvented: false },
  ]);
  const rows = [row({ item: 'a', published_at: NOW, first_seen_at: NOW })];
  expect(datesOf([item('a', NOW + 8 * HOUR)], { rows, now: NOW + 9 * HOUR })).toEqual([NOW]);
  const mended = plan([item('a', NOW - MINUTE)], { rows, now: NOW + 9 * HOUR });
  expect(mended).toMatchObject([{ publishedAt: NOW - MINUTE, isDateInvented: false }]);
  // Stored by a version that took dates ahead for scheduled.
  const hidden = row({ item: 'a', published_at: NOW + 8 * HOUR, first_seen_at: null });
  expect(plan([item('a', NOW + 8 * HOUR)], { rows: [hidden] })).toMatchObject([{ publishedAt: NOW }]);
  // A CMS knows its zone: what it dates ahead is scheduled.
  expect(datesOf([item('a', NOW + 8 * HOUR)], { memory: { ...LATER, isFeed: false } })).toEqual([NOW + 8 * HOUR]);
});

it('dates what was undated at first by the date that the feed gives later', () => {
  const rows = [row({ item: 'a', published_at: NOW - 31 * DAY, first_seen_at: NOW - HOUR })];
  expect(datesOf([item('a', NOW - 2 * DAY)], { rows })).toEqual([NOW - 2 * DAY]);
});

it.each([true, false])('holds the news of a first poll if it is more than 20 articles, and no older ones', (isFeed) => {
  const memory = { ...FIRST, isFeed };
  const old = [...many(50, 2 * DAY), item('undated', null)];
  expect(heldOf([...many(20, 23 * HOUR), ...old], { memory })).toBe(0);
  const planned = plan([...many(21, 23 * HOUR), ...old], { memory });
  expect(planned.map(({ isOnHold }) => isOnHold)).toEqual([...Array(21).fill(true), ...Array(51).fill(false)]);
  // What the configuration leaves out would be no news.
  const forMembers = many(1, HOUR).map((one) => ({ ...one, isLeftOut: true }));
  expect(heldOf([...many(20, 23 * HOUR), ...forMembers], { memory })).toBe(0);
});

it('holds all new items of a feed if they are more than usual, and those of no CMS', () => {
  const flood = [...many(20, HOUR), ...many(20, 30 * DAY)];
  expect(heldOf(flood)).toBe(40);
  expect(heldOf(many(20, HOUR))).toBe(0);
  expect(heldOf(flood, { memory: { ...LATER, usualNew: 8 } })).toBe(0);
  expect(heldOf(flood, { memory: { ...LATER, isFeed: false } })).toBe(0);
});

it('holds what comes while others are held, and keeps what was decided', () => {
  const memory = { ...LATER, held: 30 };
  const rows = [row({ item: 'held', hold: 'held' }), row({ item: 'ignored', hold: 'ignored' }), row({ item: 'known' })];
  const items = [item('held'), item('ignored'), item('known'), item('new'), item('new and old', NOW - 3 * DAY)];
  const onHold = (of: SiteMemory) => plan(items, { memory: of, rows }).flatMap((one) => (one.isOnHold ? one.item : []));
  expect(onHold(memory)).toEqual(['held', 'ignored', 'new', 'new and old']);
  expect(onHold({ ...memory, isFeed: false })).toEqual(['held', 'ignored', 'new']);
  expect(onHold(LATER)).toEqual(['held', 'ignored']);
});
