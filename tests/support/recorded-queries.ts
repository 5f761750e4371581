import { CompiledQuery, type KyselyPlugin, type RootOperationNode } from 'kysely';
import type { Store } from '../../src/core/store/store.ts';

/** Returns a store that records its queries, and a function that takes the recorded ones, in order. */
export function recordQueries(store: Store): { store: Store; takeQueries(): CompiledQuery[] } {
  const nodes: RootOperationNode[] = [];
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => {
      nodes.push(node);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return {
    store: { ...store, db: store.db.withPlugin(plugin) },
    takeQueries: () =>
      nodes.splice(0).map((node) => store.db.getExecutor().compileQuery(node, { queryId: 'recorded' })),
  };
}

/** The steps of SQLite's plan for a query, such as `SCAN articles`. */
export async function queryPlan({ db }: Store, { sql, parameters }: CompiledQuery): Promise<string[]> {
  const { rows } = await db.executeQuery(CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]));
  return (rows as { detail: string }[]).map(({ detail }) => detail);
}
