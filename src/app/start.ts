/**
 * A newsroom at work: it publishes, composes and delivers what is due, and then, unless it runs once, serves its pages and keeps
 * to its schedule until it is told to stop. It decides nothing itself; the rooms do.
 */
import type { ImportOptions } from '../articles/import/import.ts';
import { importChangedSources } from '../articles/import/watch.ts';
import { findDueChanges } from '../articles/pending-changes.ts';
import { hasNoArticles } from '../articles/queries.ts';
import { pollMailbox } from '../delivery/bounces/mailbox.ts';
import type { ClosedOrSkipped } from '../delivery/close.ts';
import type { DeliveryReport } from '../delivery/deliver.ts';
import { runRetention } from '../delivery/retention.ts';
import { lastEdition } from '../editions/queries.ts';
import { readFeedVersion } from '../feeds/feed-version.ts';
import { mirrorDocuments } from '../feeds/mirror.ts';
import { openReaderCounter, type ReaderCounter } from '../feeds/readers/reader-counts.ts';
import { createApp } from '../http/server/app.ts';
import { listen } from '../http/server/listen.ts';
import { HOUR, MINUTE, SECOND } from '../lib/time.ts';
import { openAlertSender } from '../schedule/alerts.ts';
import { type RunDeps, runDue } from '../schedule/run-due.ts';
import type { Run } from '../schedule/run-ledger.ts';
import { startTicking } from '../schedule/tick.ts';
import { loadSigningSecrets } from '../subscribers/tokens/secret.ts';
import { keepHub, openHub } from '../websub/hub.ts';
import type { Pool } from '../websub/pool.ts';
import type { AppContext } from './app-context.ts';
import { archiveMore, composeByHand, deliverDue, type Growing, jobsOf, publish } from './jobs.ts';
import { describeArchiving, describeDelivering, describeImporting, type Progress } from './progress.ts';
import { repeat } from './repeat.ts';
import { ROLES, type Role } from './roles.ts';
import { loadSampleNewsroom } from './sample.ts';

/** What the first round did, for the people who started it; what is not this process's part is null. */
export interface FirstRound {
  /** Null where the store held articles already, or the newsroom is not the sample. */
  sample: { articles: number; subscribers: number; rejected: number } | null;
  imported: { added: number; updated: number; rejected: number } | null;
  published: { documents: number; changed: number; rejected: number } | null;
  /** The edition of the sample's first start. */
  edition: ClosedOrSkipped | null;
  runs: Run[];
  delivered: DeliveryReport | null;
}

/** Whether anything of it failed. */
export function hasFailed({ runs, delivered }: FirstRound): boolean {
  const undelivered =
    delivered !== null && (delivered.failed + delivered.service.failed > 0 || delivered.stopped !== null);
  return undelivered || runs.some((run) => run.state === 'failed');
}

/** How a newsroom at work shows itself, and is told to stop. */
export interface Steering {
  progress: Progress;
  /** Aborted when daywire is to end: what is under way is finished and recorded, and nothing new is begun. */
  ending: AbortSignal;
  /** Default: all of them. */
  roles?: readonly Role[];
}

/** Does once what is to be done: fills an empty sample newsroom, imports, publishes, runs what is due, delivers, keeps house. */
export async function runOnce(newsroom: AppContext, steering: Steering): Promise<FirstRound> {
  // Where it is missing, nothing is begun.
  loadSigningSecrets(newsroom.config, newsroom.store.dialect);
  const { roles = ROLES, progress, ending } = steering;
  // Nothing comes after this round that could go on with archives.
  const growing = { signal: ending, onProgress: (closed: number) => progress.show(describeArchiving(closed)) };
  const round = roles.includes('schedule') ? await untilDelivery(newsroom, steering, growing) : NOTHING_DONE;
  const delivered = roles.includes('deliver') ? await deliverFirst(newsroom, steering) : null;
  if (roles.includes('schedule')) {
    await tellOnce(newsroom);
    await runRetention(newsroom.store, newsroom.config, newsroom.clock());
    await keepHub(newsroom);
  }
  // Delivery raises and resolves alerts of its own.
  await runDeps(newsroom).alerts.send();
  return { ...round, delivered };
}

const NOTHING_DONE = { sample: null, imported: null, published: null, edition: null, runs: [] };

async function untilDelivery(
  newsroom: AppContext,
  { progress }: Steering,
  growing?: Growing,
): Promise<Omit<FirstRound, 'delivered'>> {
  const { store, config, clock } = newsroom;
  const isEmptySample = config.sample && (await hasNoArticles(store.db));
  const loaded = isEmptySample ? await loadSampleNewsroom(store, config, { now: clock() }) : null;
  const sample = loaded && { ...loaded, rejected: loaded.rejected.length };
  const imported = await importWatched(newsroom, { onProgress: (so) => progress.show(describeImporting(so)) });
  progress.clear();
  const { documents, rejected } = await publish(newsroom, undefined, growing);
  progress.clear();
  const [first] = config.newsletters;
  // Asked of the editions: a first start that was killed after its import still owes one.
  const owesFirst = config.sample && first !== undefined && (await lastEdition(store.db, first.id)) === null;
  const edition = owesFirst ? await composeByHand(newsroom, first) : null;
  const runs = await runDue(store, jobsOf(newsroom), runDeps(newsroom));
  // The edition is an item of its feed: it goes out with this round, not with the next.
  if ((await findDueChanges(store.db, clock())) !== null) await publish(newsroom);
  const changed = documents.filter((document) => document.changed).length;
  const published = { documents: documents.length, changed, rejected: rejected.length };
  return { sample, imported, published, edition, runs };
}

async function deliverFirst(newsroom: AppContext, { progress, ending }: Steering): Promise<DeliveryReport> {
  const delivered = await deliverDue(newsroom, {
    signal: ending,
    onProgress: (so) => progress.show(describeDelivering(so)),
  });
  progress.clear();
  return delivered;
}

export interface Running {
  /** Where it serves, or null where that is not its part. */
  url: string | null;
  round: FirstRound;
  /** Takes nothing new, finishes what is under way, and resolves. */
  stop(): Promise<void>;
}

/** How long changes are gathered before their feeds are published anew; while more come, that is once a second at most anyway. */
const GATHER = 300;
/** A round that ends there waits no longer for other people's servers. */
const TELL_FOR = 10 * SECOND;
/** A server that refused us is left alone so long. */
const REST_AFTER_REFUSAL = 30 * SECOND;

/**
 * Serves the newsroom, does the first round, and keeps to its schedule. It returns when what was due at the start has been
 * delivered, however long that takes; all else goes on meanwhile.
 * @throws ServeError where the port cannot be opened, before anything is done; or what the first round throws
 */
export async function keepRunning(newsroom: AppContext, steering: Steering): Promise<Running> {
  const { store, config, templates, clock, log } = newsroom;
  const { roles = ROLES, ending } = steering;
  const secrets = loadSigningSecrets(config, store.dialect);
  const parts: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(parts.map((part) => part.stop()));
  };
  let url: string | null = null;
  if (roles.includes('web')) {
    const readers = openReaderCounter({ store, clock, zone: config.publication.zone });
    const app = createApp({ store, config, templates, secrets, clock, readers, log });
    const serving = await listen(app, config.server);
    const counting = keepCounts(newsroom, readers);
    parts.push({ stop: () => serving.close().finally(counting.stop) });
    url = serving.url;
  }
  try {
    const round = roles.includes('schedule') ? await untilDelivery(newsroom, steering) : NOTHING_DONE;
    if (roles.includes('schedule')) parts.push(...(await scheduling(newsroom)));
    if (roles.includes('web') || roles.includes('schedule')) {
      parts.push(repeat(SECOND, 'mirroring feeds', log, mirroring(newsroom)));
    }
    if (roles.includes('deliver') && config.secrets.imapUrl !== undefined) {
      // Before the first deliveries, which may take hours.
      parts.push(
        repeat(config.bounces.pollMinutes * MINUTE, 'looking for bounces', log, () => pollBounces(newsroom, ending)),
      );
    }
    const delivered = roles.includes('deliver') ? await deliverFirst(newsroom, steering) : null;
    if (roles.includes('deliver')) parts.push(repeat(SECOND, 'delivering', log, deliveries(newsroom, ending)));
    return { url, round: { ...round, delivered }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What goes on in the process that keeps the schedule. */
async function scheduling(newsroom: AppContext): Promise<{ stop(): Promise<void> }[]> {
  const { store, config, clock, log } = newsroom;
  const hub = openHubOf(newsroom);
  return [
    hub,
    repeat(100, 'telling hub and subscribers', log, () => hub.turn()),
    await startTicking(store, jobsOf(newsroom), runDeps(newsroom)),
    repeat(100, 'publishing changes', log, () => publishChanges(newsroom)),
    repeat(SECOND, 'archiving', log, archiving(newsroom)),
    repeat(config.import.pollSeconds * SECOND, 'importing', log, async () => {
      await importWatched(newsroom, { again: true });
    }),
    repeat(HOUR, 'housekeeping', log, async () => {
      const done = { ...(await runRetention(store, config, clock())), hubSubscriptions: await keepHub(newsroom) };
      if (Object.values(done).some((count) => count > 0)) log.info(done, 'kept house');
    }),
  ];
}

/** Adds the counts of readers to the store again and again, and once more when nothing is served any longer. */
function keepCounts({ log }: AppContext, readers: ReaderCounter): { stop(): Promise<void> } {
  const repeated = repeat(10 * SECOND, 'counting readers', log, () => readers.flush());
  return {
    async stop() {
      await repeated.stop();
      await readers.flush().catch((error: unknown) => {
        log.error({ error: String(error) }, 'the last seconds of the counts of readers are lost');
      });
    },
  };
}

/** What is due to hub and subscribers goes out; what does not get there in time is left to the next round. */
async function tellOnce(newsroom: AppContext): Promise<void> {
  const hub = openHubOf(newsroom);
  const impatience = setTimeout(() => void hub.stop(), TELL_FOR);
  try {
    await hub.settle();
  } finally {
    clearTimeout(impatience);
  }
}

function openHubOf(newsroom: AppContext): Pool {
  return openHub({ ...newsroom, secrets: loadSigningSecrets(newsroom.config, newsroom.store.dialect) });
}

async function pollBounces({ store, config, clock, log }: AppContext, ending: AbortSignal): Promise<void> {
  const report = await pollMailbox(store, config, loadSigningSecrets(config, store.dialect), { clock, signal: ending });
  if (report.messages > 0) log.info(report, 'took in what came back');
}

function runDeps({ store, config, clock, log }: AppContext): RunDeps {
  const { alertWebhook: webhook } = config.secrets;
  return { clock, log, alerts: openAlertSender(store, { webhook, publication: config.publication.name, clock, log }) };
}

async function publishChanges(newsroom: AppContext): Promise<void> {
  const { store, clock, log } = newsroom;
  const due = await findDueChanges(store.db, clock());
  if (due === null || clock() - due.oldestDueAt < GATHER) return;
  const { documents, rejected } = await publish(newsroom);
  const changed = documents.filter((document) => document.changed).map((document) => document.path);
  log.info({ articles: due.count, documents: changed.length, rejected: rejected.length }, 'published changes');
}

/** What goes into archives in one round: short, so that daywire ends soon when it is told to. */
const ARCHIVED_AT_ONCE = { within: 2 * SECOND };

/** Parts of archives are closed when their month is over, and those of a large import one after the other. */
function archiving(newsroom: AppContext): () => Promise<void> {
  let closed = 0;
  return async () => {
    const grown = await archiveMore(newsroom, ARCHIVED_AT_ONCE);
    closed += grown.closed;
    // Until then feeds lead to an earlier part, and hold what they held before: nothing is missing.
    if (closed === 0 || grown.more) return;
    await publish(newsroom);
    newsroom.log.info({ parts: closed }, 'archived');
    closed = 0;
  };
}

/** What another process has published reaches this one's folder of feeds too. */
function mirroring({ store, config }: AppContext): () => Promise<void> {
  let mirrored: number | null = null;
  return async () => {
    const { version } = await readFeedVersion(store.db);
    if (version === mirrored) return;
    await mirrorDocuments(store.db, config.paths.feeds);
    mirrored = version;
  };
}

async function importWatched(
  { store, config, clock, log }: AppContext,
  how: Pick<ImportOptions, 'onProgress'> & { again?: boolean },
): Promise<FirstRound['imported']> {
  const { watch } = config.import;
  if (watch.length === 0) return null;
  const { added, updated, rejected } = await importChangedSources(store, config, watch, { clock, ...how });
  for (const { source, line, problems } of rejected) {
    for (const problem of problems) log.warn({ source, line, problem }, 'rejected');
  }
  if (added + updated > 0) log.info({ added, updated }, 'imported');
  return { added, updated, rejected: rejected.length };
}

function deliveries(newsroom: AppContext, signal: AbortSignal): () => Promise<void> {
  const { clock, log } = newsroom;
  let notBefore = 0;
  return async () => {
    if (clock() < notBefore) return;
    const report = await deliverDue(newsroom, { signal });
    const { stopped, paused: _, service, ...editions } = report;
    for (const [counts, what] of [
      [editions, 'delivered'],
      [service, 'delivered service mail'],
    ] as const) {
      if (Object.values(counts).some((count) => count > 0)) log.info({ ...counts }, what);
    }
    if (stopped !== null && !signal.aborted) {
      notBefore = clock() + REST_AFTER_REFUSAL;
      log.error({ reason: stopped }, 'delivery stopped; it is tried again in 30 s');
    }
  };
}
