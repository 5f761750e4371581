import { CompiledQuery, type KyselyPlugin } from 'kysely';
import { expect, it } from 'vitest';
import { findPublicArticles, findRetractedArticles } from '../../src/articles/queries.ts';
import type { Selection } from '../../src/config.ts';
import { openMigrated } from '../databases.ts';
import { NOW } from './sample.ts';

const SELECTIONS: [Selection, string][] = [
  [{}, 'articles_by_time (published_at<?)'],
  [{ kinds: ['brief', 'analysis', 'feature'] }, 'articles_by_kind (kind=? AND published_at<?)'],
  [{ sections: ['world', 'trending'] }, 'articles_by_section (section=? AND kind=? AND published_at<?)'],
  [
    { sections: ['world'], kinds: ['brief', 'feature'] },
    'articles_by_section (section=? AND kind=? AND published_at<?)',
  ],
  [{ kickers: ['Exclusive', 'In Depth'], kinds: ['brief'] }, 'articles_by_kicker (kicker=? AND published_at<?)'],
  [{ tags: ['a', 'b'], sections: ['world'] }, 'article_tags_by_tag (tag=? AND published_at<?)'],
];

it.for(SELECTIONS)(
  'the newest of %o are read from an index in their order: nothing is scanned or sorted',
  async ([select, index]) => {
    const store = await openMigrated();
    try {
      const queries: CompiledQuery[] = [];
      const spy: KyselyPlugin = {
        transformQuery: ({ node, queryId }) => {
          queries.push(store.db.getExecutor().compileQuery(node, queryId));
          return node;
        },
        transformResult: async ({ result }) => result,
      };
      const planOf = async (): Promise<string[]> => {
        const { sql, parameters } = queries.at(-1) as CompiledQuery;
        const { rows } = await store.db.executeQuery(CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]));
        return (rows as { detail: string }[]).map(({ detail }) => detail);
      };
      const spied = store.db.withPlugin(spy);
      await findPublicArticles(spied, { select, now: NOW, limit: 50 });
      const plan = await planOf();
      const reads = plan.filter((line) => /^(SCAN|SEARCH) article/.test(line) && !line.includes('autoindex'));
      expect(reads.length).toBeGreaterThan(0);
      for (const line of reads) expect(line).toContain(index);
      await findRetractedArticles(spied, select, NOW, 50);
      const retracted = (await planOf()).filter((line) => /^(SCAN|SEARCH) articles/.test(line));
      expect(retracted).toEqual(['SEARCH articles USING INDEX articles_by_note (noted_at>?)']);
    } finally {
      await store.close();
    }
  },
);
