/** Tries an address that is no source yet, for somebody who waits for the answer. Nothing is stored. */
import type { AppContext } from '../../core/app-context.ts';
import { source } from '../../core/config/source-schema.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { SECOND } from '../../lib/time.ts';
import { type OutletTest, tryOutlet } from '../../outlets/polling/try-outlet.ts';
import { type SourceTest, testSource } from '../../own-sites/source-test.ts';
import { PollError } from '../request.ts';

export type AddressTest =
  | { kind: 'site'; test: SourceTest }
  | { kind: 'outlet'; test: OutletTest }
  /** Why there is no answer, as a sentence. */
  | { kind: 'failed'; reason: string };

const TIME_LIMIT = 20 * SECOND;

/**
 * Requests go through the guarded client, as those of sources do.
 * @param wanted.use `articles` for a site of the newsroom's own, `roundup` for the feed of another outlet
 */
export async function tryAddress(
  app: Pick<AppContext, 'config' | 'store' | 'clock'>,
  wanted: { url: string; use: 'articles' | 'roundup' },
  timeLimitMs = TIME_LIMIT,
): Promise<AddressTest> {
  const { url, use } = wanted;
  // By the rules of the configuration, in whose sentences the outlet has this name.
  const parsed = source.safeParse({ id: 'tried', url, use, ...(use === 'roundup' ? { outlet: 'the outlet' } : {}) });
  if (!parsed.success)
    return { kind: 'failed', reason: `The address ${parsed.error.issues[0]?.message ?? 'is wrong'}` };
  const signal = AbortSignal.timeout(timeLimitMs);
  try {
    if (parsed.data.use === 'roundup') {
      return { kind: 'outlet', test: await tryOutlet(app, parsed.data, signal) };
    }
    return { kind: 'site', test: await testSource(app, parsed.data, { signal }) };
  } catch (error) {
    if (signal.aborted) return { kind: 'failed', reason: `There was no answer within ${timeLimitMs / SECOND} seconds` };
    if (error instanceof PollError) return { kind: 'failed', reason: errorLine(error) };
    throw error;
  }
}
