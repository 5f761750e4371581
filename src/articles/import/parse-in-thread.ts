/** Parses articles in a thread, with a time limit for each: only one that takes too long is rejected. */
import type { Config } from '../../core/config/config.ts';
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread, warmUpThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import { measureImage } from '../pictures/media.ts';
import type { ArticleResult, ArticleText, ParseRules } from './parse-articles.ts';

const PARSE = threadJob<typeof import('./parse-articles.ts').parseArticles>(
  import.meta.url,
  './parse-articles',
  'parseArticles',
);

/** The parts of the configuration that the validation of articles needs, without secrets. */
export function parseRules(config: Config): ParseRules {
  const { publication, sections, paths, sources } = config;
  const { media } = paths;
  return {
    publication,
    sections,
    paths: media === undefined ? {} : { media },
    sources: sources.map(({ url }) => ({ url })),
    keys: config.import.keys,
  };
}

/** Milliseconds. */
interface ParseLimits {
  batch: number;
  article: number;
}

/**
 * A usual batch takes 50 ms, and ten times that on a busy machine. One that takes longer than its limit is parsed again
 * article by article, to find the one at fault. An article of a million characters takes less than half a second.
 */
const LIMITS: ParseLimits = { batch: 5 * SECOND, article: 5 * SECOND };

/**
 * Parses articles, and measures their pictures in the media folder.
 * @returns one result for each text, in order
 * @throws the reason of `signal`, or what the thread pool throws for reasons of its own
 */
export async function parseInThread(
  rules: ParseRules,
  texts: ArticleText[],
  signal: AbortSignal | undefined,
  limits = LIMITS,
): Promise<ArticleResult[]> {
  const results = await parseTexts(rules, texts, signal, limits);
  const media = { publicUrl: rules.publication.url, folder: rules.paths.media };
  for (const result of results) {
    if (result.kind === 'valid') result.candidate.image = await measureImage(result.candidate.image, media);
  }
  return results;
}

async function parseTexts(
  rules: ParseRules,
  texts: ArticleText[],
  signal: AbortSignal | undefined,
  limits: ParseLimits,
): Promise<ArticleResult[]> {
  const run = (some: ArticleText[], timeLimit: number) =>
    runInThread(PARSE, { rules, texts: some }, { timeLimit, signal });
  if (texts.length === 0) return [];
  try {
    return await run(texts, limits.batch);
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
  }
  const results: ArticleResult[] = [];
  for (const text of texts) {
    const alone = await run([text], limits.article).catch((error: unknown) => {
      if (!(error instanceof JobError)) throw error;
      const rule = `cannot be parsed: ${error.message}`;
      const what = { id: null, problems: [`${text.name}:${text.line ?? 1}: ${rule}`], notices: [], ignoredKeys: [] };
      return [{ kind: 'invalid', ...what, violations: [{ path: ['body'], rule }] } satisfies ArticleResult];
    });
    results.push(...alone);
  }
  return results;
}

/** Starts a thread for `parseInThread`, unless one is idle. Starting one takes a quarter of a second. */
export function warmUpParsing(rules: ParseRules): Promise<void> {
  return warmUpThread(PARSE, { rules, texts: [] }, LIMITS.batch);
}
