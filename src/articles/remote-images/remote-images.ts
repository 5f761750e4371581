/**
 * Looks up pictures on other servers. Feeds are published with an enclosure once its type and size are known.
 */

import type { AppContext } from '../../core/app-context.ts';
import { openConfiguredClient } from '../../core/config/fetching.ts';
import { PICTURES } from '../../lib/pictures/picture-decoder.ts';
import { SECOND } from '../../lib/time.ts';
import { countImages } from './image-queue.ts';
import { type LookUpResult, lookUpImages } from './look-up.ts';

/** How long a command looks up pictures. The rest is left to the next one, or to a running daywire. */
const COMMAND_LIMIT = 30 * SECOND;

/** Looks up pictures at the end of a command. @returns also how many still wait */
export async function lookUpSomeImages(
  app: AppContext,
  stop?: AbortSignal,
): Promise<LookUpResult & { waiting: number }> {
  const timeout = AbortSignal.timeout(COMMAND_LIMIT);
  const report = await lookingUpImages(app)(stop === undefined ? timeout : AbortSignal.any([timeout, stop]));
  return { ...report, waiting: (await countImages(app.store.db)).pending };
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
    const report = await lookUpImages({ db: store.db, client, decoder: PICTURES, clock }, signal);
    for (const { url, reason } of report.givenUp) log.warn({ url, reason }, 'picture not usable');
    if (report.found > 0) log.info({ found: report.found }, 'looked up pictures');
    return report;
  };
}
