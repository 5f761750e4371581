/** The sources of the configuration, by use, and where they are. */
import type { OwnSites } from '../../lib/private-address.ts';
import type { ArticleSource, Config, RoundupSource } from './config.ts';

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

/** Where the newsroom's own sites and sources are: their addresses may be private, others may not. */
export function ownSites(config: { publication: { url: string }; sources: readonly { url: string }[] }): OwnSites {
  return {
    publicUrl: config.publication.url,
    sourceOrigins: config.sources.map(({ url }) => new URL(url).origin),
  };
}
