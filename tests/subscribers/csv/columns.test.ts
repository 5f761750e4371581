import { describe, expect, it } from 'vitest';
import { delimiterOf, mapColumns } from '../../../src/subscribers/csv/columns.ts';

describe('the header of a CSV file', () => {
  it('is mapped whatever list manager wrote it', () => {
    expect(mapColumns(['E-Mail Address', 'Time Zone', 'CONFIRM_TIME', 'First Name']).positions).toEqual({
      email: 0,
      zone: 1,
      since: 2,
    });
  });

  it('names the columns that say nothing to us, but not those that an import has added itself', () => {
    expect(mapColumns(['email', 'First Name', 'line', 'reason']).ignored).toEqual(['First Name']);
  });

  it('knows each column that daywire exports, and passes over in silence only what waits for a confirmation', () => {
    const exported = 'email,zone,newsletters,unconfirmed,unsubscribed,paused_until,suppressed,since'.split(',');
    const { positions: at, ignored } = mapColumns(exported);
    expect(Object.keys(at).sort()).toEqual(exported.filter((name) => name !== 'unconfirmed').sort());
    expect(ignored).toEqual([]);
  });

  it('takes the headers that the operator names before those it knows', () => {
    expect(mapColumns(['Email', 'Kontakt'], { email: 'kontakt' }).positions).toEqual({ email: 1 });
  });

  it('is refused where no column holds addresses', () => {
    expect(() => mapColumns(['name', 'city'])).toThrow(/there is no address column: the header has "name", "city"/);
  });

  it('is refused where two columns say the same, and tells how to choose', () => {
    expect(() => mapColumns(['email', 'Mail'])).toThrow(/"email" and "Mail" can both be the email column.*--map/);
  });

  it('is refused where a named column is missing', () => {
    expect(() => mapColumns(['email'], { zone: 'TZ' })).toThrow(/there is no column "TZ": the header has "email"/);
  });

  it('tells the delimiter', () => {
    expect(delimiterOf('email;zone;name')).toBe(';');
    expect(delimiterOf('email\tzone')).toBe('\t');
    expect(delimiterOf('email')).toBe(',');
  });
});
