/** The sources of the configuration, by use. */
import type { ArticleSource, Config, NewsletterConfig, RoundupSource } from './config.ts';

/** One of the configuration, of any use. */
export type AnySource = Config['sources'][number];

/** Sites of the newsroom's own, whose articles are published. */
export function articleSources({ sources }: Pick<Config, 'sources'>): ArticleSource[] {
  return sources.filter((source) => source.use === 'articles');
}

/** Feeds of other outlets, from which editors pick items. */
export function roundupSources({ sources }: Pick<Config, 'sources'>): RoundupSource[] {
  return sources.filter((source) => source.use === 'roundup');
}

/** The number of outlets by which an event enters a newsletter without an editor; null if only editors pick. */
export function ruleOutlets({ roundup: { approve } }: Pick<NewsletterConfig, 'roundup'>): number | null {
  return approve === 'editor' ? null : approve.rule.outlets;
}
