import { CompiledQuery, sql, type KyselyPlugin } from 'kysely';
import { expect, it } from 'vitest';
import { findPublicArticles, findRetractedArticles } from '../src/articles/queries.ts';
import { forEachDatabase } from './databases.ts';
forEachDatabase((open, dialect) => {
  it('plan', { timeout: 200000 }, async () => {
    const store = await open();
    const N = 200000;
    const gen = dialect === 'sqlite' ? sql`with recursive c(n) as (select 0 union all select n+1 from c where n+1 < ${N})` : sql`with c(n) as (select generate_series(0, ${sql.lit(N)} - 1))`;
    const body = sql`select 'a' || n, 'tag:' || n, 's' || n,
      case n % 4 when 0 then 'brief' when 1 then 'analysis' when 2 then 'feature' else 'roundup-item' end, case n / 4 % 4 when 0 then 'w' when 1 then 'x' when 2 then 'y' else 'z' end,
      case n % 13 when 0 then 'Exclusive' when 1 then 'In Depth' end, 0, 'published', n * 1000, n * 1000, n * 1000, 'd', '{}' from c`;
    await sql`insert into articles (id, tag_uri, slug, kind, section, kicker, pinned, state, published_at, updated_at, created_at, digest, document) ${dialect === 'sqlite' ? sql`${gen} ${body}` : sql`${gen} ${body}`}`.execute(store.db);
    await sql`insert into article_tags (article_id, tag, published_at) select id, 'phones', published_at from articles union all select id, 'chips', published_at from articles`.execute(store.db);
    for (const analyzed of [false, true]) {
    if (analyzed) await sql`analyze`.execute(store.db);
    const seen: CompiledQuery[] = [];
    const plugin: KyselyPlugin = { transformQuery: (a) => { seen.push(store.db.getExecutor().compileQuery(a.node, a.queryId)); return a.node; }, transformResult: async (a) => a.result };
    const db = store.db.withPlugin(plugin);
    const now = N * 1000;
    for (const select of [{}, { kinds: ['brief', 'analysis'] as any }, { sections: ['x', 'y'] }, { kickers: ['Exclusive', 'In Depth'], kinds: ['brief','analysis'] as any }, { tags: ['phones', 'chips'], sections: ['x'] }]) {
      seen.length = 0;
      const t = performance.now();
      const rows = await findPublicArticles(db, { select, now, limit: 50 });
      const t1 = performance.now();
      await findPublicArticles(db, { select, now, from: now - 48 * 3600_000, limit: 2000 });
      const t2 = performance.now();
      await findRetractedArticles(db, select, now - 86400_000, 50);
      console.log(dialect, analyzed, JSON.stringify(select), rows.length, (t1 - t).toFixed(1), (t2-t1).toFixed(1), (performance.now() - t2).toFixed(1));
      if (!analyzed || dialect === 'postgres') for (const q of [seen[0]!, seen[2]!]) {
        const plan = await store.db.executeQuery(CompiledQuery.raw((dialect === 'sqlite' ? 'explain query plan ' : 'explain ') + q.sql, [...q.parameters]));
        const lines = plan.rows.map((r: any) => r.detail ?? r['QUERY PLAN']);
        console.log((analyzed || dialect==='sqlite') ? [...new Set(lines)].join('\n') : '');
      }
    }
    }
  });
});
