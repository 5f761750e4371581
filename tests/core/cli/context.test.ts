import { describe, expect, it } from 'vitest';
import { parseWholeNumber } from '../../../src/core/cli/context.ts';

describe('parseWholeNumber', () => {
  it('accepts whole numbers from 1 to the limit, and rejects other texts', () => {
    const parse = parseWholeNumber(3_650);
    expect(['1', '42', '3650'].map(parse)).toEqual([1, 42, 3_650]);
    for (const text of ['0', '-1', '1.5', 'x', '', '4000']) {
      expect(() => parse(text)).toThrow('It must be a whole number from 1 to 3650.');
    }
  });
});
