import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayOfPlace, filePlaceOf, idOfPath } from '../../../../src/articles/import/files/file-place.ts';

const NOW = Date.UTC(2026, 10, 30);
const dayOf = (path: string) => dayOfPlace(filePlaceOf(`/site/${path}`, '/site'), NOW);

describe('dayOfPlace', () => {
  it.each([
    ['2015-03-26-roof.md', '2015-03-26'],
    ['2015-03-26.md', '2015-03-26'],
    ['2015-3-6-roof.md', '2015-03-06'],
    ['2015_03_26_roof.md', '2015-03-26'],
    ['2015-03-26_roof.md', '2015-03-26'],
    ['2015-03-26 Roof.md', '2015-03-26'],
    ['2015-03-26.roof.md', '2015-03-26'],
    ['2015-03-26屋根.md', '2015-03-26'],
    ['20150326-roof.md', '2015-03-26'],
    ['20150326.md', '2015-03-26'],
    ['2015/03/26/roof.md', '2015-03-26'],
    ['posts/2015/3/6/roof/index.md', '2015-03-06'],
    ['2015/03/26.md', '2015-03-26'],
    ['2015-03-26/roof.md', '2015-03-26'],
    ['2015-03-26-roof/index.md', '2015-03-26'],
    ['2015/01/02/2015-03-26-roof.md', '2015-03-26'],
    ['2015/2015-03-26-roof.md', '2015-03-26'],
    ['2027-03-01-election.md', '2027-03-01'],
    ['2016-02-29-leap.md', '2016-02-29'],
  ])('finds the day of %s', (path, day) => {
    expect(dayOf(path)).toBe(day);
  });

  it.each([
    '2015/03/roof.md',
    '2015-03-roof.md',
    '2015/03/26-roofs-on-one-street.md',
    '2015-02-29-no-day.md',
    '2015-13-01-no-month.md',
    '1989-12-31-too-early.md',
    '2028-01-01-too-late.md',
    '2015-03_26-mixed.md',
    '2015-03-261-number.md',
    '2021.1.2-release.md',
    '12015-03-26-roof.md',
    'roof-2015-03-26.md',
    '2015-03-26-backup/roof.md',
    '20150332.md',
    'roof.md',
  ])('finds no day in %s', (path) => {
    expect(dayOf(path)).toBeNull();
  });

  it('finds none outside of the imported folder', () => {
    expect(dayOfPlace(filePlaceOf('/2015-03-26/articles/roof.md', '/2015-03-26/articles'), NOW)).toBeNull();
  });

  it('finds a real day or none in any path', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[0-9_ .a-]{0,12}$/), { minLength: 1 }), (parts) => {
        const day = dayOfPlace({ folders: parts.slice(1), name: parts[0] as string }, NOW);
        if (day !== null) expect(new Date(day).toISOString().slice(0, 10)).toBe(day);
      }),
    );
  });
});

describe('filePlaceOf', () => {
  it.each([
    ['/site/a/b/roof.md', { folders: ['a', 'b'], name: 'roof' }],
    ['/site/a/roof/index.md', { folders: ['a'], name: 'roof' }],
    ['/site/a/roof/index.de.md', { folders: ['a'], name: 'roof.de' }],
    ['/site/roof.md', { folders: [], name: 'roof' }],
    ['/site/index.md', { folders: [], name: 'site' }],
  ])('names the article of %s', (path, place) => {
    expect(filePlaceOf(path, '/site')).toEqual(place);
  });
});

describe('idOfPath', () => {
  it.each([
    [['roof'], 'roof'],
    [['2019', '05', 'news'], '2019.05.news'],
    [['Ein Bär'], 'Ein~20B~C3~A4r'],
    [['_draft!'], 'x_draft~21'],
  ])('makes an id of %j', (parts, id) => {
    expect(idOfPath(parts)).toBe(id);
  });

  it('makes a valid id of any path, and different ones of long paths that differ at their end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (name) => {
        expect(idOfPath([name])).toMatch(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/);
      }),
    );
    const long = '長い題名'.repeat(10);
    expect(idOfPath([`${long}1`])).not.toBe(idOfPath([`${long}2`]));
  });
});
