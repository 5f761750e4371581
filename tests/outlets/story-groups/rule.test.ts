import { describe, expect, it } from 'vitest';
import { HOUR } from '../../../src/lib/time.ts';
import { isLetIn } from '../../../src/outlets/story-groups/regroup.ts';
import { NOW } from '../../support/clock.ts';
import { automaticGroup, groupedItem } from '../../support/outlet-items.ts';

const RULE = { outlets: 2, windowMs: 26 * HOUR };

describe('isLetIn', () => {
  it('counts each outlet once, also if its feeds name it in different case', () => {
    const letIn = (...outlets: string[]) =>
      isLetIn(automaticGroup(...outlets.map((outlet, index) => groupedItem(index + 1, { outlet }))), RULE, NOW);
    expect(letIn('The Example', 'Second Post')).toBe(true);
    expect(letIn('The Example', 'The Example')).toBe(false);
    expect(letIn('The Example', 'the  EXAMPLE')).toBe(false);
  });

  it('counts outlets that reported within the window', () => {
    const old = groupedItem(1, { publishedAt: NOW - 27 * HOUR });
    expect(isLetIn(automaticGroup(old, groupedItem(2)), RULE, NOW)).toBe(false);
    expect(isLetIn(automaticGroup(old, groupedItem(2), groupedItem(3)), RULE, NOW)).toBe(true);
  });
});
