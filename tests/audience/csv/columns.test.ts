import { describe, expect, it } from 'vitest';
import { delimiterOf, mapColumns } from '../../../src/audience/csv/columns.ts';

describe('the header of a CSV file', () => {
  it('is mapped for files of other list managers', () => {
    expect(mapColumns(['E-Mail Address', 'Time Zone', 'CONFIRM_TIME', 'First Name']).positions).toEqual({
      email: 0,
      zone: 1,
      since: 2,
    });
  });

  it('reports unknown columns, except those that an import adds to rejected rows', () => {
    expect(mapColumns(['email', 'First Name', 'line', 'reason']).ignored).toEqual(['First Name']);
  });

  it('maps every column of an export except unconfirmed subscriptions', () => {
    const exported = 'email,zone,newsletters,unconfirmed,unsubscribed,paused_until,suppressed,since'.split(',');
    const { positions: at, ignored } = mapColumns([...exported, 'choices']);
    expect(Object.keys(at).sort()).toEqual(exported.filter((name) => name !== 'unconfirmed').sort());
    expect(ignored).toEqual([]);
  });

  it('prefers headers named by the operator to known ones', () => {
    expect(mapColumns(['Email', 'Kontakt'], { email: 'kontakt' }).positions).toEqual({ email: 1 });
  });

  it('is rejected if there is no address column', () => {
    expect(() => mapColumns(['name', 'city'])).toThrow(/there is no address column: the header has "name", "city"/);
  });

  it('is rejected if two columns have the same meaning, with a way to choose', () => {
    expect(() => mapColumns(['email', 'Mail'])).toThrow(/"email" and "Mail" can both be the email column.*--map/);
  });

  it('is rejected if a named column is missing', () => {
    expect(() => mapColumns(['email'], { zone: 'TZ' })).toThrow(
      /there is no column "TZ", which --map, --ignore or --choices names: the header has "email"/,
    );
  });

  it('determines the delimiter', () => {
    expect(delimiterOf('email;zone;name')).toBe(';');
    expect(delimiterOf('email\tzone')).toBe('\t');
    expect(delimiterOf('email')).toBe(',');
  });
});
