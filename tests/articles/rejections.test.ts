import { describe, expect, it } from 'vitest';
import {
  clearRejection,
  countRejections,
  listRejections,
  type Rejection,
  recordRejection,
} from '../../src/articles/rejections.ts';
import { NOW } from '../support/clock.ts';
import { forEachDatabase } from '../support/databases.ts';

const rejection = (choices: Partial<Rejection>): Rejection => ({
  ...{ stage: 'import', source: 'a.jsonl', line: null, articleId: null, problems: ['p'], raw: 'r' },
  ...choices,
});

forEachDatabase((open) => {
  describe('rejections', () => {
    it('are listed newest first, and by source and line, page by page, the same on both databases', async () => {
      const { db } = await open();
      const entries = [
        rejection({ line: 10 }),
        rejection({ line: 2 }),
        rejection({}),
        rejection({ source: 'B.md' }),
        rejection({ stage: 'feed', source: 'latest', articleId: 'x' }),
      ];
      for (const one of entries) await recordRejection(db, one, NOW);
      await recordRejection(db, rejection({ source: 'new.md' }), NOW + 1);
      expect((await listRejections(db, { limit: 9 })).map(({ source, line }) => [source, line])).toEqual([
        ['new.md', null],
        ['B.md', null],
        ['a.jsonl', null],
        ['a.jsonl', 2],
        ['a.jsonl', 10],
        ['latest', null],
      ]);
      const page = await listRejections(db, { limit: 2, offset: 3 });
      expect(page.map(({ line }) => line)).toEqual([2, 10]);
      expect(await countRejections(db)).toBe(6);
    });

    it('replace an earlier one from the same place, and are cleared by place', async () => {
      const { db } = await open();
      await recordRejection(db, rejection({ line: 2, problems: ['one'] }), NOW);
      await recordRejection(db, rejection({ line: 2, problems: ['two', 'three'] }), NOW + 1);
      expect(await listRejections(db, { limit: 9 })).toEqual([
        { ...rejection({ line: 2, problems: ['two', 'three'] }), key: 'import:a.jsonl:2', rejectedAt: NOW + 1 },
      ]);
      const feed = rejection({ stage: 'feed', source: 'latest', articleId: 'x' });
      await recordRejection(db, feed, NOW);
      await recordRejection(db, { ...feed, articleId: 'y' }, NOW);
      await clearRejection(db, feed);
      await clearRejection(db, rejection({ line: 2 }));
      expect((await listRejections(db, { limit: 9 })).map(({ articleId }) => articleId)).toEqual(['y']);
    });

    it('keep any input, also U+0000', async () => {
      const { db } = await open();
      await recordRejection(db, rejection({ raw: 'a\u0000b', problems: ['\u0000 \ud800'] }), NOW);
      const [kept] = await listRejections(db, { limit: 9 });
      expect(kept?.raw).toBe(`data:application/octet-stream;base64,${Buffer.from('a\u0000b').toString('base64')}`);
      expect(kept?.problems).toEqual(['\u0000 \ud800']);
    });
  });
});
