import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileReports } from '../../../src/lib/watching/folder-watcher.ts';

const LATER = 60_000;

describe('reports of files', () => {
  it('take a file as whole that has content under a new name, when no write is reported soon after', () => {
    const reports = new FileReports();
    reports.appeared('/a.md', 0)(true, 5);
    expect(reports.nextAt).toBe(30);
    expect(reports.take(29)).toEqual([]);
    expect(reports.take(30)).toEqual([{ path: '/a.md', isWhole: true }]);
    expect(reports.take(LATER)).toEqual([]);
    expect(reports.nextAt).toBe(Number.POSITIVE_INFINITY);
  });

  it('wait for two seconds without a write, where a file is created under its name', () => {
    const reports = new FileReports();
    reports.appeared('/a.md', 0)(false, 1);
    expect(reports.take(2_000)).toEqual([]);
    reports.written('/a.md', 2_000);
    expect(reports.take(4_099)).toEqual([]);
    expect(reports.take(4_100)).toEqual([{ path: '/a.md', isWhole: false }]);
  });

  it('do not take a file as whole whose first write came before the look at it', () => {
    const reports = new FileReports();
    const look = reports.appeared('/a.md', 0);
    reports.written('/a.md', 1);
    look(true, 2);
    expect(reports.take(2_100)).toEqual([]);
    expect(reports.take(2_101)).toEqual([{ path: '/a.md', isWhole: false }]);
  });

  it('do not take a file as whole whose write is reported after the look at it', () => {
    const reports = new FileReports();
    reports.appeared('/a.md', 0)(true, 2);
    reports.written('/a.md', 20);
    expect(reports.take(2_119)).toEqual([]);
    expect(reports.take(2_120)).toEqual([{ path: '/a.md', isWhole: false }]);
  });

  it('take a file as whole that replaces one which was written in place', () => {
    const reports = new FileReports();
    reports.written('/a.md', 0);
    reports.appeared('/a.md', 1)(true, 2);
    expect(reports.take(27)).toEqual([{ path: '/a.md', isWhole: true }]);
  });

  it('go by the last file that appeared under a name', () => {
    const reports = new FileReports();
    const first = reports.appeared('/a.md', 0);
    const second = reports.appeared('/a.md', 1);
    first(null, 2);
    expect(reports.take(LATER)).toEqual([]);
    second(false, 3);
    expect(reports.take(2_102)).toEqual([]);
    expect(reports.take(2_103)).toEqual([{ path: '/a.md', isWhole: false }]);
  });

  it('leave out a name that disappeared', () => {
    const reports = new FileReports();
    reports.appeared('/a.md', 0)(null, 1);
    expect(reports.nextAt).toBe(Number.POSITIVE_INFINITY);
    expect(reports.take(LATER)).toEqual([]);
  });

  it('are ignored while too many files change at once, and for a second after', () => {
    const reports = new FileReports();
    const looks = Array.from({ length: 101 }, (_, n) => reports.appeared(`/${n}.md`, n));
    for (const look of looks) look(true, 200);
    expect(reports.take(LATER)).toEqual([]);
    reports.appeared('/late.md', 1_099)(true, 1_100);
    expect(reports.take(LATER)).toEqual([]);
    reports.appeared('/edit.md', 2_099)(true, 2_100);
    expect(reports.take(LATER)).toEqual([{ path: '/edit.md', isWhole: true }]);
  });

  it('never take a file as whole of which a write was reported under its present name', () => {
    const step = fc.record({ kind: fc.constantFrom('appeared', 'written', 'content', 'gone'), wait: fc.nat(3_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const reports = new FileReports();
        let now = 0;
        let isWritten = false;
        let look: ReturnType<FileReports['appeared']> | null = null;
        for (const { kind, wait } of steps) {
          now += wait;
          for (const { isWhole } of reports.take(now)) expect(isWhole && isWritten).toBe(false);
          if (kind === 'appeared') {
            look = reports.appeared('/a.md', now);
            isWritten = false;
          } else if (kind === 'written') {
            reports.written('/a.md', now);
            isWritten = true;
          } else {
            look?.(kind === 'content' ? true : null, now);
          }
        }
      }),
    );
  });
});
