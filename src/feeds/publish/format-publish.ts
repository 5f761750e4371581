import { displayPath } from '../../core/cli/text.ts';
import type { Config } from '../../core/config/config.ts';
import { count } from '../../lib/text/count.ts';
import type { PublishFeedsResult } from './publish-feeds.ts';

/** What a publish changed, in one line. */
export function formatPublish({ documents }: PublishFeedsResult, config: Config): string {
  const changed = documents.filter((document) => document.changed).map((document) => document.path);
  const names = changed.length === 0 || changed.length > 6 ? '' : `: ${changed.join(', ')}`;
  const folder = displayPath(config.paths.feeds);
  if (documents.length === 0) return 'no feed shows what has changed';
  return `${changed.length} of ${count(documents.length, 'document')} changed in ${folder}${names}`;
}
