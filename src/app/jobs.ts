/**
 * What the schedule calls and what an operator calls by hand: publish feeds, compose an edition. Both go through here, so that a
 * slot composed by hand and one composed on time are the same edition.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { Temporal } from 'temporal-polyfill';
import { forgetPublishedChanges, takeDueChanges } from '../articles/pending-changes.ts';
import { type NewsletterConfig, type ScheduleConfig, scheduleZone } from '../config/config.ts';
import { type ClosedOrSkipped, composeAndClose } from '../delivery/close.ts';
import type { OnPause } from '../delivery/control/auto-pause.ts';
import { pauseEditionsWithRetracted } from '../delivery/control/retraction.ts';
import { type DeliveryReport, deliver } from '../delivery/deliver.ts';
import { loadSigners } from '../delivery/message/dkim.ts';
import { prepareTestCopy } from '../delivery/message/test-copy.ts';
import { openTransport } from '../delivery/transport/open-transport.ts';
import { composeEdition } from '../editions/compose.ts';
import { findEdition, findEditionById } from '../editions/queries.ts';
import { type EditionSlot, editionSlot } from '../editions/slot.ts';
import { closeDuePages, type GrowOptions, type Growth } from '../feeds/archive/close-due-pages.ts';
import { recordMembers } from '../feeds/archive/record-members.ts';
import { mirrorDocuments } from '../feeds/mirror.ts';
import { type PublishReport, publishFeeds } from '../feeds/publish.ts';
import { openTemplates } from '../lib/templates.ts';
import { type Clock, localDate, rfc3339 } from '../lib/time.ts';
import { raiseAlert, resolveAlerts } from '../schedule/alerts.ts';
import { callHeartbeat } from '../schedule/heartbeat.ts';
import type { Job } from '../schedule/job.ts';
import { slotsBetween } from '../schedule/slots.ts';
import type { Db } from '../store/store.ts';
import { parseAddress } from '../subscribers/address.ts';
import { loadSigningSecrets } from '../subscribers/tokens/secret.ts';
import { noteForHub } from '../websub/note-changes.ts';
import type { AppContext } from './app-context.ts';

/** A slot that the operator named does not exist. */
class SlotError extends Error {
  override name = 'SlotError';
}

/** The scheduled jobs: `publish` for all feeds without their own schedule, `publish:FEED`, and `newsletter:NEWSLETTER`. */
export function jobsOf(app: AppContext): Job[] {
  const { feeds, newsletters } = app.config;
  const common = feeds.filter(({ schedule }) => schedule === undefined).map(({ id }) => id);
  return [
    ...(common.length === 0 ? [] : [publishJob(app, 'publish', app.config.publish, common)]),
    ...feeds.flatMap(({ id, schedule }) =>
      schedule === undefined ? [] : [publishJob(app, `publish:${id}`, { schedule }, [id])],
    ),
    ...newsletters.map((newsletter) => newsletterJob(app, newsletter)),
  ];
}

/** What a publish did. */
export interface Published extends PublishReport {
  archives: Growth;
}

/** How far archives grow before the feeds that lead to them are built. */
export type Growing = Omit<GrowOptions, 'now'>;

/** News comes first: whatever else is to be archived is left to `archiveMore`, or to the next publish. */
const WHILE_PUBLISHING = { within: 300 };

/**
 * Publishes feeds to the store and mirrors them to the folder of feeds.
 * @param feeds ids; default all of them, and then the changes that are taken up are forgotten
 */
export async function publish(
  app: AppContext,
  feeds?: string[],
  growing: Growing = WHILE_PUBLISHING,
): Promise<Published> {
  const { store, config, templates, clock } = app;
  // First, for every second counts: what is still to be submitted of an edition may be wrong.
  await pauseRetracted(app);
  const documents = new Map<string, PublishReport['documents'][number]>();
  let closed = 0;
  for (;;) {
    // Taken before any article is read, so that a change made meanwhile stays for the next publish.
    const taken = await takeDueChanges(store.db, clock(), TAKEN_AT_ONCE);
    const ids = taken.map(({ articleId }) => articleId);
    const now = clock();
    await recordMembers(store, config, { now, changed: ids });
    const grown = await closeDuePages(store, config, { ...growing, now });
    closed += grown.closed;
    const isWhole = feeds === undefined;
    const report = await publishFeeds(store, config, templates, {
      now,
      feeds,
      changed: isWhole ? ids : [],
      onStored: (tx, paths, at) => noteForHub(tx, config, paths, at),
    });
    const { postponedUntil } = report;
    // Where the clock stands still the changes stay, for whoever publishes next.
    if (postponedUntil !== null && (await clockReaches(clock, postponedUntil))) continue;
    for (const one of report.documents) {
      const changed = one.changed || documents.get(one.path)?.changed === true;
      documents.set(one.path, { ...one, changed });
    }
    const isStored = report.superseded.length === 0 && postponedUntil === null;
    // Each round takes up some of them.
    if (isStored && report.archivesLeft > 0) continue;
    // A build by a later clock need not hold these changes: they stay for the next publish.
    if (isStored && isWhole) await forgetPublishedChanges(store.db, taken);
    if (isStored && isWhole && taken.length === TAKEN_AT_ONCE) continue;
    await mirrorDocuments(store.db, config.paths.feeds);
    return { ...report, documents: [...documents.values()], archives: { closed, more: grown.more } };
  }
}

/** Lets archives grow for a while. @returns what was done, and whether more is left to do */
export async function archiveMore({ store, config, clock }: AppContext, growing: Growing): Promise<Growth> {
  return closeDuePages(store, config, { ...growing, now: clock() });
}

/** Waits until the clock says so; not for one that stands still. @returns whether it does */
async function clockReaches(clock: Clock, instant: number): Promise<boolean> {
  for (let before = Number.NaN; clock() < instant; ) {
    if (clock() === before) return false;
    before = clock();
    await setTimeout(Math.min(instant - before, 50));
  }
  return true;
}

/** After an import of a million articles the changes are taken in turns, so that the memory stays flat. */
const TAKEN_AT_ONCE = 20_000;

/**
 * Composes, closes and queues the edition that a person means who says "compose" now: today's, with this moment as its cut-off.
 * @param label the slot to compose instead, such as `2026-11-24`
 * @throws SlotError where the newsletter has no such slot
 */
export async function composeByHand(
  app: AppContext,
  newsletter: NewsletterConfig,
  label?: string,
): Promise<ClosedOrSkipped> {
  const now = app.clock();
  const slot = await slotByHand(app, newsletter, now, label);
  const outcome = await compose(app, newsletter, slot, now);
  if (outcome.kind === 'closed' && outcome.fresh) await heartbeat(app, newsletter);
  return outcome;
}

/** The slot of today that is to be composed next: the first without an edition; where all have one, the last. */
async function slotByHand(
  app: AppContext,
  newsletter: NewsletterConfig,
  now: number,
  label?: string,
): Promise<EditionSlot> {
  const { zone } = app.config.publication;
  const today = localDate(now, zone);
  const day = label === undefined ? today : dayOf(label);
  if (day === null)
    throw new SlotError(`${newsletter.id} has no slot ${label}: a slot begins with its date, as ${today}`);
  if (day > today) throw new SlotError(`${newsletter.id} has no slot ${label} yet: today is ${today}`);
  const slots = slotsOfDay(app, newsletter, day);
  if (label !== undefined) {
    const named = slots.find((slot) => slot.label === label);
    if (named !== undefined) return named;
    const which = slots.length === 0 ? 'none on that day' : slots.map((slot) => slot.label).join(', ');
    throw new SlotError(`${newsletter.id} has no slot ${label}: it has ${which}`);
  }
  for (const slot of slots) {
    if ((await findEdition(app.store.db, newsletter.id, slot.label)) === null) return slot;
  }
  return slots.at(-1) ?? editionSlot(now, zone, false);
}

/**
 * Delivers what is due. A server that refuses us altogether raises an alert, which the next run that gets through resolves.
 * @throws SecretError, TransportError, or what the store throws
 */
export async function deliverDue(
  app: AppContext,
  options: { signal?: AbortSignal; onProgress?: (report: Readonly<DeliveryReport>) => void } = {},
): Promise<DeliveryReport> {
  const { store, config, templates, clock } = app;
  const secrets = loadSigningSecrets(config, store.dialect);
  const signers = loadSigners(config);
  const transport = openTransport(config);
  const onPause: OnPause = async (tx, { editionId, reason }) => {
    const name = await editionName(tx, editionId);
    const message = `Delivery of ${name} is paused: ${reason}. Go on with "daywire deliver --resume ${name}".`;
    await raiseAlert(tx, { key: `edition:${editionId}`, message }, clock());
  };
  const report = await deliver(store, config, transport, { clock, secrets, signers, templates, onPause, ...options });
  if (report.stopped !== null && !options.signal?.aborted) {
    const message = `Delivery stopped: ${report.stopped}. What was not submitted is still pending.`;
    await raiseAlert(store.db, { key: DELIVERY_STOPPED, message }, clock());
  } else if (report.submitted + report.service.submitted > 0) {
    await resolveAlerts(store.db, [DELIVERY_STOPPED], clock());
  }
  return report;
}

const DELIVERY_STOPPED = 'delivery';

/** Pauses what is still pending of editions that hold an article which has been retracted since, and alerts. */
async function pauseRetracted({ store, clock, log }: AppContext): Promise<void> {
  const paused = await pauseEditionsWithRetracted(store, async (tx, { editionId, articleIds }) => {
    const name = await editionName(tx, editionId);
    const message =
      `Delivery of ${name} is paused: retracted since it closed: ${articleIds.join(', ')}. ` +
      `Go on with "daywire deliver --resume ${name}", or end it with --cancel.`;
    // Not that of another reason to pause it: the webhook is told but once of a cause.
    await raiseAlert(tx, { key: `retraction:${editionId}`, message }, clock());
  });
  for (const { editionId, articleIds } of paused) {
    log.warn({ edition: editionId, articles: articleIds }, 'paused: articles of it have been retracted');
  }
}

async function editionName(db: Db, id: number): Promise<string> {
  const edition = await findEditionById(db, id);
  return edition === null ? `edition ${id}` : `${edition.newsletter}/${edition.slot}`;
}

export type SentTestCopy = { kind: 'sent'; reply: string } | { kind: 'skipped'; reason: string };

/**
 * Mails a marked copy of the edition that would go out now to one address. Nothing is closed, queued or recorded.
 * @throws TransportError where the server does not take it; Error where the address is none
 */
export async function sendTestCopy(
  app: AppContext,
  newsletter: NewsletterConfig,
  { to, slot: label }: { to: string; slot?: string | undefined },
): Promise<SentTestCopy> {
  const { store, config, clock } = app;
  const address = parseAddress(to);
  if (address.kind === 'refused') throw new Error(`${to}: ${address.reason}`);
  const now = clock();
  const slot =
    label === undefined
      ? { label: `${localDate(now, config.publication.zone)}-test`, slotAt: now }
      : await slotByHand(app, newsletter, now, label);
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const nonce = randomBytes(16).toString('hex');
  const composed = await composeEdition(store, config, templates, newsletter, { slot, cutoffAt: now, now, nonce });
  if (composed.kind === 'skipped') return composed;
  if (composed.kind === 'closed') {
    return { kind: 'skipped', reason: `the edition of ${slot.label} is closed: without --slot, the next one is shown` };
  }
  const message = await prepareTestCopy(composed, newsletter, config, loadSigners(config), address.email);
  const connection = await openTransport(config).connect();
  try {
    return { kind: 'sent', reply: await connection.submit(message) };
  } finally {
    connection.close();
  }
}

function compose(
  app: AppContext,
  newsletter: NewsletterConfig,
  slot: EditionSlot,
  cutoffAt: number,
): Promise<ClosedOrSkipped> {
  const { store, config, clock } = app;
  // Read anew, a few milliseconds a day: a template that broke an edition is mended while daywire runs, and the next attempt heeds it.
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  return composeAndClose(store, config, templates, newsletter, { slot, cutoffAt, clock });
}

function publishJob(app: AppContext, id: string, { schedule }: Scheduled, feeds: string[]): Job {
  const isWhole = feeds.length === app.config.feeds.length;
  return {
    id,
    schedule: scheduleOf(app, { schedule }),
    coalesce: true,
    run: async () => {
      const { documents, rejected } = await publish(app, isWhole ? undefined : feeds);
      const changed = documents.filter((document) => document.changed).length;
      const aside = rejected.length === 0 ? '' : `; ${rejected.length} articles rejected`;
      return { kind: 'done', note: `${changed} of ${documents.length} documents changed${aside}` };
    },
  };
}

function newsletterJob(app: AppContext, newsletter: NewsletterConfig): Job {
  return {
    id: `newsletter:${newsletter.id}`,
    schedule: scheduleOf(app, newsletter),
    coalesce: false,
    run: async (slotAt) => {
      const day = localDate(slotAt, app.config.publication.zone);
      const slot = slotsOfDay(app, newsletter, day).find((one) => one.slotAt === slotAt);
      if (slot === undefined) throw new SlotError(`${newsletter.id} has no slot at ${rfc3339(slotAt)}`);
      // The slot's own instant is the cut-off, however late the run: the same slot selects the same articles.
      const outcome = await compose(app, newsletter, slot, slotAt);
      if (outcome.kind === 'skipped') return outcome;
      const { edition, queued, fresh } = outcome;
      // Also where it had been closed: a process that died in between has called nobody.
      await heartbeat(app, newsletter);
      return fresh
        ? { kind: 'done', note: `edition ${edition.number}, ${queued} deliveries queued` }
        : { kind: 'done', note: `edition ${edition.number} had been closed at ${rfc3339(edition.closedAt)}` };
    },
  };
}

async function heartbeat({ store, config, clock, log }: AppContext, newsletter: NewsletterConfig): Promise<void> {
  if (newsletter.heartbeat) await callHeartbeat(store, { url: config.secrets.heartbeatUrl, clock, log });
}

type Scheduled = { schedule: ScheduleConfig };

function scheduleOf(app: AppContext, { schedule }: Scheduled): Job['schedule'] {
  const { cron, graceMinutes } = schedule;
  return { cron, graceMinutes, zone: scheduleZone(schedule, app.config.publication) };
}

/** The date that a slot's label begins with, or null. */
function dayOf(label: string): string | null {
  const day = /^\d{4}-\d\d-\d\d/.exec(label)?.[0] ?? '';
  try {
    return Temporal.PlainDate.from(day).toString();
  } catch {
    return null;
  }
}

/** A newsletter's slots on a date of the publication's calendar, in order. */
function slotsOfDay(app: AppContext, { schedule }: NewsletterConfig, day: string): EditionSlot[] {
  const { publication } = app.config;
  const date = Temporal.PlainDate.from(day);
  const startOf = (d: Temporal.PlainDate): number => d.toZonedDateTime(publication.zone).epochMilliseconds;
  const instants = slotsBetween(
    schedule.cron,
    scheduleZone(schedule, publication),
    startOf(date) - 1,
    startOf(date.add({ days: 1 })) - 1,
  );
  return instants.map((at) => editionSlot(at, publication.zone, instants.length > 1));
}
