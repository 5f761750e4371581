import { describe, expect, it } from 'vitest';
import { simulateOutlets } from '../../scripts/outlets/simulate.ts';
import { forEachDatabase } from '../support/databases.ts';

/** Of the kinds that the whole simulation has. */
const OUTLETS = [
  ...['etag-20', 'bare-10', 'max-age', 'busy-silent', 'forbidden', 'from-permanent', 'not-found', 'many-1', 'many-2'],
];

describe('two processes that poll outlets for two hours', () => {
  forEachDatabase((open) => {
    it('poll no feed twice, keep the pauses of hosts and feeds, and give each feed the state it has', async () => {
      const store = await open();
      const report = await simulateOutlets([store, store], { outlets: OUTLETS, hours: 2 });
      expect(report.violations).toEqual([]);
      expect(report.states).toEqual({ active: 6, waiting: 1, blocked: 1, failing: 1 });
      expect(report.requests).toBeGreaterThan(25);
      expect(report.conditional).toBeGreaterThan(8);
    });
  });
});
