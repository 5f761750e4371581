import type { AnySource } from '../../core/config/sources.ts';
import { OUTLETS } from '../../outlets/outlet-kind.ts';
import { SITES } from '../../own-sites/site-kind.ts';
import type { SourceKind } from '../source-kind.ts';

/** The kinds of sources, by the key `use` of the configuration. */
const KINDS: Record<AnySource['use'], SourceKind> = { articles: SITES, roundup: OUTLETS };

export function kindOf({ use }: AnySource): SourceKind {
  return KINDS[use];
}
