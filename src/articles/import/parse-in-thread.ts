/** Parses articles in a thread, with a time limit for each: only one that takes too long is rejected. */
import { JobError } from '../../lib/threads/pool-thread.ts';
import { threadJob } from '../../lib/threads/thread-job.ts';
import { runInThread } from '../../lib/threads/thread-pool.ts';
import { SECOND } from '../../lib/time.ts';
import type { ArticleResult, ArticleText, ParseRules } from './parse-articles.ts';

const PARSE = threadJob<typeof import('./parse-articles.ts').parseArticles>(
  import.meta.url,
  './parse-articles',
  'parseArticles',
);

/** Milliseconds. */
interface ParseLimits {
  batch: number;
  article: number;
}

/**
 * A usual batch takes 50 ms. One that takes longer than its limit is parsed again article by article, to find the one
 * at fault. An article of a million characters takes less than half a second.
 */
const LIMITS: ParseLimits = { batch: 2 * SECOND, article: 5 * SECOND };

/**
 * @returns one result for each text, in order
 * @throws the reason of `signal`, or what the thread pool throws for reasons of its own
 */
export async function parseInThread(
  rules: ParseRules,
  texts: ArticleText[],
  signal: AbortSignal | undefined,
  limits = LIMITS,
): Promise<ArticleResult[]> {
  if (texts.length === 0) return [];
  try {
    return await runInThread(PARSE, { rules, texts }, { timeLimit: limits.batch, signal });
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
  }
  const results: ArticleResult[] = [];
  for (const text of texts) results.push(await parseAlone(rules, text, signal, limits.article));
  return results;
}

async function parseAlone(
  rules: ParseRules,
  text: ArticleText,
  signal: AbortSignal | undefined,
  timeLimit: number,
): Promise<ArticleResult> {
  try {
    const [result] = await runInThread(PARSE, { rules, texts: [text] }, { timeLimit, signal });
    return result as ArticleResult;
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    const problem = `${text.name}:${text.line ?? 1}: cannot be parsed: ${error.message}`;
    return { kind: 'invalid', id: null, problems: [problem], notices: [], ignoredKeys: [] };
  }
}
