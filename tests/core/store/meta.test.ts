import { describe, expect, it } from 'vitest';
import { readMeta, writeMeta } from '../../../src/core/store/meta.ts';
import { forEachDatabase } from '../../support/databases.ts';

describe('a value of the store', () => {
  forEachDatabase((open) => {
    it('is read as last written, until it is deleted', async () => {
      const { db } = await open();
      expect(await readMeta(db, 'colour')).toBeUndefined();
      await writeMeta(db, 'colour', 'red');
      await writeMeta(db, 'colour', 'blue');
      await writeMeta(db, 'size', '');
      expect(await readMeta(db, 'colour')).toBe('blue');
      expect(await readMeta(db, 'size')).toBe('');
      await writeMeta(db, 'colour', null);
      await writeMeta(db, 'colour', null);
      expect(await readMeta(db, 'colour')).toBeUndefined();
    });
  });
});
