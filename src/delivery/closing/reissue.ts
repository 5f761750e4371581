/**
 * Reissues a closed edition: composes and closes its next revision, with the stories of the last one as they are now,
 * and what the editor has changed in its draft since.
 */
import { randomBytes } from 'node:crypto';
import { findArticle } from '../../articles/queries.ts';
import { resolveAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { type InTransaction, isSerializationFailure } from '../../core/store/store.ts';
import { type ComposedEdition, composeEdition } from '../../editions/compose.ts';
import { readDraft, readDraftLog } from '../../editions/draft/draft-store.ts';
import { writePreviewFiles } from '../../editions/preview.ts';
import { type Edition, fullEditionName, listEditionArticles, listRevisions } from '../../editions/queries.ts';
import { StaleComposition } from '../../editions/record.ts';
import { openTemplates } from '../../lib/templates.ts';
import { pauseAlert, retractionAlert, undeliveredAlert } from '../alerts.ts';
import { DeliveryControlError, requireNewestRevision } from '../control/edition-control.ts';
import { requireNewsletter } from '../control/operator-control.ts';
import { updateWaitingAlerts } from '../monitor/waiting-alerts.ts';
import { countAllDeliveries } from '../queue/queries.ts';
import { endRateAlerts } from '../rates/rate-alerts.ts';
import { type ClosedRevision, closeRevision } from './close-revision.ts';
import { closingTerms } from './edition-copies.ts';

export interface ReissueRequest {
  /** Mails the revision to those who got an earlier one as well, with `Correction:` in its subject. */
  asCorrection: boolean;
  /** Checks, counts and writes a preview, and changes nothing. */
  isDryRun: boolean;
  /** With a dry run: the editor's note will be written before the reissue. The preview is without it. */
  isNoteComing?: boolean;
  /** Called in the transaction that closes the revision; not in a dry run. */
  onCommit?: InTransaction | undefined;
}

export interface Reissue extends ClosedRevision {
  subject: string;
  /** Deliveries of earlier revisions that were submitted. */
  submitted: number;
  /** Ids of stories that the last revision has and this one has not. */
  removed: string[];
  /** Ids of stories that the last revision does not have. */
  added: string[];
  /** Path of its HTML; null unless it is a dry run. */
  previewPath: string | null;
}

// Composing and closing takes a fraction of a second, and an article or the draft must change each time.
const MAX_COMPOSITIONS = 5;

/**
 * Composes and closes the next revision of an edition, which is delivered at once. The edition must not be under
 * delivery: paused, cancelled or done.
 * @param edition its newest revision
 * @throws DeliveryControlError that says why it cannot be reissued, and what to do; StaleComposition if articles change
 *   faster than it composes
 */
export async function reissueEdition(app: AppContext, edition: Edition, request: ReissueRequest): Promise<Reissue> {
  const { store, config, clock } = app;
  const newsletter = requireNewsletter(app, edition);
  for (let composition = 1; ; composition++) {
    // Each time: another process may have reissued it.
    await requireNewestRevision(store.db, edition.id);
    await requirePublished(app, edition);
    if (request.asCorrection && !request.isNoteComing) await requireNote(app, edition);
    const now = clock();
    const composed = await compose(app, newsletter, edition, request, now);
    const changes = await changedStories(app, edition, composed);
    const terms = closingTerms(config, newsletter, composed);
    const { asCorrection: isForAll, isDryRun, onCommit } = request;
    const closing = { isForAll, isDryRun, now, onCommit };
    const isUnchanged = !isForAll && !request.isNoteComing && isSameMail(edition, composed);
    try {
      // First whether it could be reissued at all.
      if (isUnchanged) await closeRevision(store, composed, terms, { ...closing, isDryRun: true });
      if (isUnchanged) throw nothingChanged(edition);
      const closed = await closeRevision(store, composed, terms, closing);
      if (!request.isDryRun) await resolveAlertsOf(app, edition);
      const previewPath = request.isDryRun ? writePreviewFiles(app, composed).htmlPath : null;
      const { subject } = composed;
      return { ...closed, ...changes, subject, submitted: await countSubmitted(app, closed.edition), previewPath };
    } catch (error) {
      const isTransient = error instanceof StaleComposition || isSerializationFailure(error);
      if (!isTransient || composition === MAX_COMPOSITIONS) throw error;
    }
  }
}

/** @throws DeliveryControlError if the edition itself is retracted */
async function requirePublished({ store }: AppContext, edition: Edition): Promise<void> {
  const article = await findArticle(store.db, edition.articleId);
  if (article?.status.state !== 'retracted') return;
  throw new DeliveryControlError(
    `${fullEditionName(edition)} is retracted as a whole, by its article ${edition.articleId}: ` +
      'it cannot be reissued. A new edition can be composed for another slot',
  );
}

/**
 * A correction says what was wrong: a note that was written before the edition closed cannot.
 * @throws DeliveryControlError if there is no note, or an old one
 */
async function requireNote({ store }: AppContext, edition: Edition): Promise<void> {
  const { newsletter, slot, slotAt } = edition;
  const draft = await readDraft(store.db, newsletter, { label: slot, slotAt });
  const log = await readDraftLog(store.db, newsletter, slot);
  const closedBy = log.find(({ command }) => command.kind === 'close')?.number ?? 0;
  if (draft.decisions.note !== null && (draft.fieldRevisions.note ?? 0) > closedBy) return;
  const name = fullEditionName(edition);
  const problem = draft.decisions.note === null ? 'has no editor’s note' : 'has the editor’s note that it closed with';
  const remedy = 'write it on its page at the desk, or add --note';
  const text = `${name} ${problem}, and a correction must say what was wrong: ${remedy}`;
  throw new DeliveryControlError(text);
}

function isSameMail(edition: Edition, composed: ComposedEdition): boolean {
  // The note about revisions, which only the archive page has, leaves white space in the mail.
  const mailOf = ({ subject, preheader, html, text, nonce }: Edition | ComposedEdition): string =>
    [subject, preheader, html, text].join('\n').replaceAll(nonce, '').replace(/\s+/g, ' ');
  return mailOf(edition) === mailOf(composed);
}

function nothingChanged(edition: Edition): DeliveryControlError {
  return new DeliveryControlError(
    `${fullEditionName(edition)} is not reissued: nothing has changed since it closed. ` +
      'To mail it to those who do not have it, use "daywire editions resume" or "retry"',
  );
}

/** @throws DeliveryControlError if no story is left */
async function compose(
  { store, config }: AppContext,
  newsletter: NewsletterConfig,
  edition: Edition,
  { asCorrection }: ReissueRequest,
  now: number,
): Promise<ComposedEdition> {
  const { slot: label, slotAt, cutoffAt } = edition;
  // Read again each time, so that a broken template can be corrected while daywire runs.
  const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
  const nonce = randomBytes(16).toString('hex');
  const options = { slot: { label, slotAt }, cutoffAt, now, nonce, reissueOf: edition, isCorrection: asCorrection };
  // The editor decides whether an edition of few stories is worth a revision.
  const composed = await composeEdition(store, config, templates, { ...newsletter, minimumStories: 1 }, options);
  if (composed.kind === 'composed') return composed;
  const reason = composed.kind === 'skipped' ? composed.reason : 'it is closed';
  throw new DeliveryControlError(`${fullEditionName(edition)} cannot be reissued: ${reason}`);
}

async function changedStories(
  { store }: AppContext,
  edition: Edition,
  { articles }: ComposedEdition,
): Promise<Pick<Reissue, 'removed' | 'added'>> {
  const before = (await listEditionArticles(store.db, edition.id)).map(({ id }) => id);
  const after = articles.map(({ articleId }) => articleId);
  return {
    removed: before.filter((id) => !after.includes(id)),
    added: after.filter((id) => !before.includes(id)),
  };
}

/** Deliveries that were submitted of the revisions before this one. */
async function countSubmitted(
  { store }: AppContext,
  { newsletter, slot, id }: Pick<Edition, 'newsletter' | 'slot' | 'id'>,
) {
  const ids = (await listRevisions(store.db, newsletter, slot)).map((one) => one.id);
  const earlier = ids.filter((one) => one !== id);
  const counts = await countAllDeliveries(store.db, earlier);
  return [...counts.values()].reduce((sum, { submitted }) => sum + submitted, 0);
}

/** The alerts about the revision that is replaced: nothing is left to do about it. */
async function resolveAlertsOf(app: AppContext, { id }: Edition): Promise<void> {
  const { store, clock } = app;
  const alerts = [pauseAlert(id), retractionAlert(id), undeliveredAlert(id)];
  await resolveAlerts(store.db, alerts, clock());
  await endRateAlerts(store.db, id, clock());
  await updateWaitingAlerts(app);
}
