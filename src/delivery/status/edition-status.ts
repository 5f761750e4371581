/** What an operator sees of editions and does with them. */
import type { AppContext } from '../../core/app-context.ts';
import type { Db } from '../../core/store/store.ts';
import type { EditionDeliveryState, OmissionReason } from '../../core/store/tables/edition-tables.ts';
import {
  type Edition,
  type EditionSummary,
  findEditionById,
  fullEditionName,
  listEditionArticles,
  listOmissions,
  listRevisions,
} from '../../editions/queries.ts';
import { rfc3339 } from '../../lib/time.ts';
import type { FailureGroup } from '../queue/failure-groups.ts';
import {
  countAllDeliveries,
  type FailedDelivery,
  groupFailures,
  listFailedDeliveries,
  readDeliveryStates,
} from '../queue/queries.ts';
import {
  type EditionReports,
  type ProviderReports,
  type RateLevelReached,
  readEditionReports,
  readLevels,
  readProviderReports,
} from './edition-reports.ts';

/** Instants in RFC 3339, UTC. */
export interface EditionStatus {
  newsletter: string;
  slot: string;
  number: number;
  /** Counts from 1. */
  revision: number;
  headline: string;
  closed: string;
  deliveryState: EditionDeliveryState;
  /** Reason of a pause or a cancellation. */
  reason: string | null;
  /** By state, those that were rolled up into totals included; see `countAllDeliveries`. */
  deliveries: Record<string, number>;
  /** Complaints and bounces, each recipient once. */
  reports: EditionReports;
  /** Ids of articles that were eligible and did not enter. */
  passedOver: { agedOut: string[]; didNotFit: string[]; dropped: string[] };
}

export interface EditionDetails extends EditionStatus {
  subject: string;
  preheader: string;
  cutoff: string;
  /** Its page. */
  url: string;
  /** All revisions, the newest first, with the deliveries of each by state. */
  revisions: Pick<EditionStatus, 'revision' | 'closed' | 'deliveryState' | 'reason' | 'deliveries'>[];
  /** Its articles, in display order; for an earlier revision, only those that no later one has. */
  articles: { id: string; block: string }[];
  /** Mailbox providers whose people complained or could not be reached. */
  mailboxProviders: ProviderReports[];
  /** The levels of complaint and bounce rates that it has reached. */
  rateLevels: RateLevelReached[];
  /** All failed deliveries, by the server's words. */
  failures: FailureGroup[];
  /** The newest ones. */
  failedDeliveries: FailedDelivery[];
}

const FAILED_SHOWN = 20;

export async function readEditionDetails(app: AppContext, edition: Edition): Promise<EditionDetails> {
  const { store, config } = app;
  const revisions = await summariseEditions(app, await listRevisions(store.db, edition.newsletter, edition.slot));
  const summary = revisions.find(({ revision }) => revision === edition.revision);
  return {
    ...(summary as EditionStatus),
    revisions: revisions.map(({ revision, closed, deliveryState, reason, deliveries }) => ({
      revision,
      closed,
      deliveryState,
      reason,
      deliveries,
    })),
    subject: edition.subject,
    preheader: edition.preheader,
    cutoff: rfc3339(edition.cutoffAt),
    url: `${config.publication.url}/editions/${edition.newsletter}/${edition.slot}`,
    articles: await listEditionArticles(store.db, edition.id),
    mailboxProviders: await readProviderReports(store.reports, edition.id),
    rateLevels: await readLevels(store.db, edition.id),
    failures: await groupFailures(store.reports, edition.id),
    failedDeliveries: await listFailedDeliveries(store.reports, [edition.id], FAILED_SHOWN),
  };
}

export async function summariseEditions(
  { store }: Pick<AppContext, 'store'>,
  editions: EditionSummary[],
): Promise<EditionStatus[]> {
  if (editions.length === 0) return [];
  const ids = editions.map((edition) => edition.id);
  const counts = await countAllDeliveries(store.reports, ids);
  const reports = await readEditionReports(store.reports, ids);
  const states = await readDeliveryStates(store.db, ids);
  const omissions = await listOmissions(store.db, ids);
  return editions.map((edition) => {
    const { state = 'delivering', reason = null } = states.find(({ editionId }) => editionId === edition.id) ?? {};
    const passed = (why: OmissionReason): string[] =>
      omissions.filter((one) => one.editionId === edition.id && one.reason === why).map((one) => one.articleId);
    return {
      newsletter: edition.newsletter,
      slot: edition.slot,
      number: edition.number,
      revision: edition.revision,
      headline: edition.headline,
      closed: rfc3339(edition.closedAt),
      deliveryState: state,
      reason,
      deliveries: Object.fromEntries(Object.entries(counts.get(edition.id) ?? {}).filter(([, count]) => count > 0)),
      reports: reports.get(edition.id) as EditionReports,
      passedOver: { agedOut: passed('aged-out'), didNotFit: passed('did-not-fit'), dropped: passed('dropped') },
    };
  });
}

/** The name of an edition in commands and alerts; see `fullEditionName`. */
export async function editionName(db: Db, id: number): Promise<string> {
  const edition = await findEditionById(db, id);
  return edition === null ? `edition ${id}` : fullEditionName(edition);
}
