/**
 * The migrations by name, in order. Append only: a migration that has run anywhere is never edited.
 */
import type { Kysely } from 'kysely';
import { createInitialSchema } from './migrations/0001-initial.ts';
import { createRefusals } from './migrations/0002-refusals.ts';
import { addHeartbeats } from './migrations/0003-heartbeats.ts';
import { addMessageIdDomain } from './migrations/0004-message-id-domain.ts';
import { addAccountLinks } from './migrations/0005-account-links.ts';
import { markVacuumDue } from './migrations/0006-vacuum-due.ts';
import { countStates } from './migrations/0007-state-counts.ts';
import { createProcesses } from './migrations/0008-processes.ts';
import { addRateLimitInstants } from './migrations/0009-rate-limit-instants.ts';
import { addProcessScope } from './migrations/0010-process-scope.ts';
import { addArticleOrigins } from './migrations/0011-article-origins.ts';
import { createSources } from './migrations/0012-sources.ts';
import { createRemoteImages } from './migrations/0013-remote-images.ts';
import { addWaitingRuns } from './migrations/0014-waiting-runs.ts';
import { addEditionRevisions } from './migrations/0015-edition-revisions.ts';
import { createDrafts } from './migrations/0016-drafts.ts';
import { createLinkChecks } from './migrations/0017-link-checks.ts';
import { createRoundupSources } from './migrations/0018-roundup-sources.ts';
import { addProvidersAndConsent } from './migrations/0019-providers-and-consent.ts';
import { createAccounts } from './migrations/0020-accounts.ts';
import { addAudience } from './migrations/0021-audience.ts';
import { createArticleSearch } from './migrations/0022-article-search.ts';
import { addDocumentVersion } from './migrations/0023-document-version.ts';
import { addArchivePlaces } from './migrations/0024-archive-places.ts';
import { compressArticles } from './migrations/0025-compressed-articles.ts';
import { storeDocumentsAsBytes } from './migrations/0026-document-bytes.ts';
import { addAlertData } from './migrations/0027-alert-data.ts';
import type { Dialect } from './store.ts';

export const MIGRATIONS: Record<string, (db: Kysely<unknown>, dialect: Dialect) => Promise<void>> = {
  '0001-initial': createInitialSchema,
  '0002-refusals': createRefusals,
  '0003-heartbeats': addHeartbeats,
  '0004-message-id-domain': addMessageIdDomain,
  '0005-account-links': addAccountLinks,
  '0006-vacuum-due': markVacuumDue,
  '0007-state-counts': countStates,
  '0008-processes': createProcesses,
  '0009-rate-limit-instants': addRateLimitInstants,
  '0010-process-scope': addProcessScope,
  '0011-article-origins': addArticleOrigins,
  '0012-sources': createSources,
  '0013-remote-images': createRemoteImages,
  '0014-waiting-runs': addWaitingRuns,
  '0015-edition-revisions': addEditionRevisions,
  '0016-drafts': createDrafts,
  '0017-link-checks': createLinkChecks,
  '0018-roundup-sources': createRoundupSources,
  '0019-providers-and-consent': addProvidersAndConsent,
  '0020-accounts': createAccounts,
  '0021-audience': addAudience,
  '0022-article-search': createArticleSearch,
  '0023-document-version': addDocumentVersion,
  '0024-archive-places': addArchivePlaces,
  '0025-compressed-articles': compressArticles,
  '0026-document-bytes': storeDocumentsAsBytes,
  '0027-alert-data': addAlertData,
};
