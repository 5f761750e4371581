/** Collects what is true of many articles of an import, such as an unknown key, so that it is reported once. */
import type { ArticleResult } from './parse-articles.ts';
import type { ArticleImportResult } from './result.ts';

export interface Notices {
  add(results: readonly Pick<ArticleResult, 'notices' | 'ignoredKeys'>[]): void;
  /** Adds a warning for each text, with the number of articles, and the keys that mean nothing here. */
  addTo(result: ArticleImportResult): void;
}

/** Texts, and keys, that are kept. */
const MAX_KEPT = 100;

export function openNotices(): Notices {
  const found = new Map<string, { source: string; line: number; articles: number }>();
  const ignored = new Set<string>();
  let unlisted = 0;
  return {
    add(results) {
      for (const { notices, ignoredKeys } of results) {
        for (const key of ignoredKeys) if (ignored.size < MAX_KEPT) ignored.add(key);
        // A key may be in several entries of a list.
        const texts = new Map(notices.map((notice) => [notice.text, notice]));
        for (const [text, { source, line }] of texts) {
          const known = found.get(text);
          if (known !== undefined) known.articles += 1;
          else if (found.size < MAX_KEPT) found.set(text, { source, line, articles: 1 });
          else unlisted += 1;
        }
      }
    },
    addTo(result) {
      for (const [text, { source, line, articles }] of found) {
        const where = articles === 1 ? '' : `, in ${articles.toLocaleString('en')} articles`;
        result.warnings.push({ source, line, articleId: null, problems: [`${source}:${line}: ${text}${where}`] });
      }
      result.warningCount += found.size + unlisted;
      result.ignoredKeys.push(...[...ignored].sort());
    },
  };
}
