import { expect, it } from 'vitest';
import { isOffered, zoneGroups } from '../../../src/audience/pages/time-zones.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { isZone } from '../../../src/lib/time.ts';

const groups = zoneGroups(localeOf('en', {}));
const offered = groups.flatMap(({ zones }) => zones);

it('offers zones that this system knows, each once, by their current names', () => {
  expect(offered.length).toBeGreaterThan(350);
  expect(new Set(offered.map(({ id }) => id)).size).toBe(offered.length);
  expect(offered.filter(({ id }) => !isZone(id) || !isOffered(id))).toEqual([]);
  const ids = offered.map(({ id }) => id);
  for (const id of ['Asia/Kolkata', 'Europe/Kyiv', 'Asia/Ho_Chi_Minh', 'America/Nuuk', 'UTC'])
    expect(ids).toContain(id);
  for (const id of ['Asia/Calcutta', 'Europe/Kiev', 'Asia/Saigon', 'Etc/GMT+5']) expect(ids).not.toContain(id);
});

it("names regions in the page's language, and sorts them by these names", () => {
  const region = '{region, select, Africa {Ydych} Europe {Arian} other {Mall}}';
  const regions = zoneGroups(localeOf('cy', { cy: { 'schedule.region': region } })).map((group) => group.region);
  expect(regions).toEqual(['Arian', ...regions.slice(1, -1), 'Ydych']);
  expect(new Set(regions)).toEqual(new Set(['Arian', 'Mall', 'Ydych']));
});

it('groups zones by region, in alphabetical order', () => {
  const regions = groups.map(({ region }) => region);
  expect(regions).toEqual(expect.arrayContaining(['Africa', 'America', 'Everywhere', 'Pacific']));
  expect(regions).toEqual([...new Set(regions)].sort());
  expect(offered).toContainEqual({ id: 'America/Argentina/Buenos_Aires', place: 'Buenos Aires, Argentina' });
  expect(offered).toContainEqual({ id: 'America/New_York', place: 'New York' });
});
