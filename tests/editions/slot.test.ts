import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editionSlot } from '../../src/editions/slot.ts';
import { HOUR, MINUTE } from '../../src/lib/time.ts';

describe('the label of a slot', () => {
  it('is the date on the wall clock of the publication, not in UTC', () => {
    const at = Date.UTC(2026, 10, 23, 23, 30);
    expect(editionSlot(at, 'Asia/Shanghai', false)).toEqual({ label: '2026-11-24', slotAt: at });
    expect(editionSlot(at, 'America/New_York', false).label).toBe('2026-11-23');
  });

  it('includes the time if the day has several slots', () => {
    expect(editionSlot(Date.UTC(2026, 10, 23, 23, 30), 'Asia/Shanghai', true).label).toBe('2026-11-24-0730');
    expect(editionSlot(Date.UTC(2026, 10, 23, 16, 5), 'Asia/Shanghai', true).label).toBe('2026-11-24-0005');
  });

  it('differs for the two instants of a repeated hour', () => {
    const first = Date.UTC(2026, 10, 1, 5, 30);
    expect(editionSlot(first, 'America/New_York', true).label).toBe('2026-11-01-0130');
    expect(editionSlot(first + HOUR, 'America/New_York', true).label).toBe('2026-11-01-0130-again');
  });

  it('is correct on the night when clocks skip an hour', () => {
    const before = Date.UTC(2026, 2, 8, 6, 59);
    expect(editionSlot(before, 'America/New_York', true).label).toBe('2026-03-08-0159');
    expect(editionSlot(before + MINUTE, 'America/New_York', true).label).toBe('2026-03-08-0300');
  });

  it('is unique for every minute, in zones that change their clock by whole and by half hours', () => {
    const start = Date.UTC(2026, 0, 1);
    fc.assert(
      fc.property(
        fc.constantFrom('America/New_York', 'Australia/Lord_Howe', 'Asia/Shanghai', 'Europe/Berlin'),
        fc.integer({ min: 0, max: 365 * 24 * 60 }),
        fc.integer({ min: 1, max: 180 }),
        (zone, minute, later) => {
          const at = start + minute * MINUTE;
          const { label } = editionSlot(at, zone, true);
          expect(label).toMatch(/^2026-\d\d-\d\d-\d{4}(-again)?$|^202[57]-/);
          expect(editionSlot(at + later * MINUTE, zone, true).label).not.toBe(label);
        },
      ),
      { numRuns: 300 },
    );
  });
});
