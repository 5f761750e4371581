/**
 * Looks up pictures on other servers, through the guarded client and the process that decodes pictures. Feeds are
 * published with an enclosure once its type and size are known.
 */
import type { AppContext } from '../../core/app-context.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import type { Db } from '../../core/store/store.ts';
import { type FetchClient, retryAfter } from '../../lib/guarded-fetch/fetch-client.ts';
import { PICTURES, type PictureDecoder } from '../../lib/pictures/picture-decoder.ts';
import { type Clock, SECOND } from '../../lib/time.ts';
import {
  type ClaimedImage,
  claimImages,
  completeArticles,
  countImages,
  type LookUpOutcome,
  postponeServer,
  recordLookUp,
} from './image-queue.ts';

export interface LookUpContext {
  db: Db;
  client: FetchClient;
  decoder: Pick<PictureDecoder, 'inspect'>;
  clock: Clock;
}

export interface LookUpResult {
  found: number;
  /** To be tried again. */
  failed: number;
  givenUp: { url: string; reason: string }[];
}

const MAX_BYTES = 15 * 1024 * 1024;
/** Pictures at a time: each may hold 15 MiB, and they are decoded one after the other. */
const AT_A_TIME = 4;
/** Completed articles are published: not after each picture of an archive. Milliseconds. */
const COMPLETE_EVERY = 10 * SECOND;
/** The server is overloaded, or the one behind it is down. */
const DOWN = [429, 502, 503, 504];

/** Looks up due pictures until none is due, or until the signal is aborted; then completes the articles. */
export async function lookUpImages(context: LookUpContext, signal?: AbortSignal): Promise<LookUpResult> {
  const { db, clock } = context;
  const result: LookUpResult = { found: 0, failed: 0, givenUp: [] };
  let completedAt = Number.NEGATIVE_INFINITY;
  while (!signal?.aborted) {
    if (clock() - completedAt >= COMPLETE_EVERY) {
      await completeArticles(db, clock());
      completedAt = clock();
    }
    const claimed = await claimImages(db, clock(), AT_A_TIME);
    if (claimed.length === 0) break;
    const outcomes = await Promise.all(claimed.map((image) => lookUpClaimed(context, image, result, signal)));
    for (const [index, { url }] of claimed.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'failed' && outcome.isServerDown) await postponeServer(db, url, outcome.retryAt, clock());
    }
    // The decoder is busy with other pictures.
    if (outcomes.every(({ kind }) => kind === 'postponed')) break;
  }
  await completeArticles(db, clock());
  return result;
}

async function lookUpClaimed(
  context: LookUpContext,
  claimed: ClaimedImage,
  result: LookUpResult,
  signal: AbortSignal | undefined,
): Promise<LookUpOutcome> {
  const outcome = await lookUp(claimed.url, context, signal);
  const recorded = await recordLookUp(context.db, claimed, outcome, context.clock());
  if (recorded === null) return outcome;
  if (outcome.kind === 'found') result.found += 1;
  else if (outcome.kind !== 'postponed') {
    if (recorded.isGivenUp) result.givenUp.push({ url: claimed.url, reason: outcome.reason });
    else result.failed += 1;
  }
  return outcome;
}

/** Fetches and decodes one picture. Never throws. */
async function lookUp(
  url: string,
  { client, decoder, clock }: Pick<LookUpContext, 'client' | 'decoder' | 'clock'>,
  signal?: AbortSignal,
): Promise<LookUpOutcome> {
  const headers = { Accept: 'image/*, */*;q=0.1' };
  const answer = await client.fetch({ url, headers, maxBytes: MAX_BYTES }, signal);
  if (signal?.aborted) return { kind: 'postponed' };
  if (answer.kind === 'refused') return { kind: 'rejected', reason: answer.reason };
  if (answer.kind === 'failed') {
    const { reason, isTooLong } = answer;
    if (isTooLong) return { kind: 'rejected', reason };
    return { kind: 'failed', reason, retryAt: null, isServerDown: true };
  }
  const { status, body } = answer;
  if (status !== 200) {
    const isServerDown = DOWN.includes(status);
    const retryAt = isServerDown ? retryAfter(answer.headers, clock()) : null;
    return { kind: 'failed', reason: `its server answered ${status}`, retryAt, isServerDown };
  }
  const inspected = await decoder.inspect(body);
  if (inspected.kind === 'busy') return { kind: 'postponed' };
  if (inspected.kind === 'unavailable') {
    return { kind: 'failed', reason: `it cannot be decoded: ${inspected.reason}`, retryAt: null, isServerDown: false };
  }
  if (inspected.kind === 'rejected') return { kind: 'rejected', reason: `it ${inspected.reason}` };
  return { kind: 'found', facts: { ...inspected.picture, length: body.length } };
}

/** How long a command looks up pictures. The rest is left to the next one, or to a running daywire. */
const COMMAND_LIMIT = 30 * SECOND;

/** Looks up pictures at the end of a command. @returns also how many still wait */
export async function lookUpSomeImages(
  app: AppContext,
  stop?: AbortSignal,
): Promise<LookUpResult & { waiting: number }> {
  const timeout = AbortSignal.timeout(COMMAND_LIMIT);
  const result = await lookingUpImages(app)(stop === undefined ? timeout : AbortSignal.any([timeout, stop]));
  return { ...result, waiting: (await countImages(app.store.db)).pending };
}

/** The repeated task of a running daywire. It logs pictures that are given up. */
export function lookingUpImages({
  store,
  config,
  clock,
  log,
}: AppContext): (signal: AbortSignal) => Promise<LookUpResult> {
  const client = openConfiguredClient(config);
  return async (signal) => {
    const result = await lookUpImages({ db: store.db, client, decoder: PICTURES, clock }, signal);
    for (const { url, reason } of result.givenUp) log.warn({ url, reason }, 'picture not usable');
    if (result.found > 0) log.info({ found: result.found }, 'looked up pictures');
    return result;
  };
}
