/**
 * What is left of a retracted article in Atom.
 */
import type { Article } from '../../articles/article.ts';
import { cleanLine } from '../../lib/clean-text.ts';
import type { Tombstone } from './feed-view.ts';
import { canonicalLanguage, isTagUri } from './item.ts';

/** The tombstones of those that are retracted and have an id that can be named. @param feedLanguage BCP 47 */
export function tombstonesOf(articles: Article[], feedLanguage: string): Tombstone[] {
  return articles.flatMap(({ tagUri, status, language }) => {
    if (status.state !== 'retracted' || !isTagUri(tagUri)) return [];
    const note = cleanLine(status.note);
    return [{ id: tagUri, retractedAt: status.at, note, language: canonicalLanguage(language) ?? feedLanguage }];
  });
}
