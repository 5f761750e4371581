/** The migrations by name, in order. Append only: a test holds the hashes of those that have landed. */
import type { Kysely } from 'kysely';
import { createInitialSchema } from './migrations/0001-initial.ts';
import { addImportRuns } from './migrations/0002-import-runs.ts';
import { addSourceItemKeys } from './migrations/0003-source-item-keys.ts';
import { addRoundupRanking } from './migrations/0004-roundup-ranking.ts';
import { addStoppedProcesses } from './migrations/0005-stopped-processes.ts';
import { addSecondFactors } from './migrations/0006-second-factors.ts';
import { addArticleLanguages } from './migrations/0007-article-languages.ts';
import { addFullTextSearch } from './migrations/0008-full-text-search.ts';
import { markPagesElsewhere } from './migrations/0009-article-pages.ts';
import { addChoices } from './migrations/0010-choices.ts';
import { addProviderHolds } from './migrations/0011-provider-holds.ts';
import { allowBlankedReasons } from './migrations/0012-blanked-reasons.ts';
import { readPostsAgain } from './migrations/0013-keys-of-posts.ts';
import { dropFeedArchives } from './migrations/0014-no-feed-archives.ts';
import type { Dialect } from './store.ts';

export const MIGRATIONS: Record<string, (db: Kysely<unknown>, dialect: Dialect) => Promise<void>> = {
  '0001-initial': createInitialSchema,
  '0002-import-runs': addImportRuns,
  '0003-source-item-keys': addSourceItemKeys,
  '0004-roundup-ranking': addRoundupRanking,
  '0005-stopped-processes': addStoppedProcesses,
  '0006-second-factors': addSecondFactors,
  '0007-article-languages': addArticleLanguages,
  '0008-full-text-search': addFullTextSearch,
  '0009-article-pages': markPagesElsewhere,
  '0010-choices': addChoices,
  '0011-provider-holds': addProviderHolds,
  '0012-blanked-reasons': allowBlankedReasons,
  '0013-keys-of-posts': readPostsAgain,
  '0014-no-feed-archives': dropFeedArchives,
};
