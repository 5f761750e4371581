/** Where the addresses of a configuration's own sites and sources are: they may be private, others may not. */
import type { OwnSites } from '../../lib/private-address.ts';

export function ownSites(config: { publication: { url: string }; sources: readonly { url: string }[] }): OwnSites {
  return {
    publicUrl: config.publication.url,
    sourceOrigins: config.sources.map(({ url }) => new URL(url).origin),
  };
}
