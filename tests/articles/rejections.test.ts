import { describe, expect, it } from 'vitest';
import {
  clearRejection,
  countRejections,
  listRejections,
  type Rejection,
  type RejectionPlace,
  readRejectionPage,
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

    it('are read in pages that have each once, with the beginning of the input', async () => {
      const { db } = await open();
      const long = `${'é'.repeat(5_000)}<script>`;
      for (const line of [1, 2, 3]) await recordRejection(db, rejection({ line, raw: long }), NOW);
      for (const line of [4, 5]) await recordRejection(db, rejection({ line }), NOW + line);
      const pages: (number | null)[][] = [];
      for (let after: RejectionPlace | null = null; ; ) {
        const page = await readRejectionPage(db, { limit: 2, after });
        pages.push(page.rejections.map(({ line }) => line));
        if (page.older === null) break;
        after = page.older;
      }
      expect(pages).toEqual([[5, 4], [3, 2], [1]]);
      const [first] = (await readRejectionPage(db, { limit: 2, after: null })).rejections;
      expect(first).toMatchObject({ key: 'import:a.jsonl:5', problems: ['p'], raw: 'r', length: 1 });
      const [, , third] = (await readRejectionPage(db, { limit: 3, after: null })).rejections;
      expect(third?.raw).toBe('é'.repeat(4_000));
      expect(third?.length).toBe(5_008);
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
