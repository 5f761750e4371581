/** Names of schedules, for people. Pure. */
import type { Config } from '../../../core/config/config.ts';

/** `Daily roundup` for `newsletter:daily-roundup`, `Feeds` for `publish`; an unknown id stays as it is. */
export function scheduleName({ newsletters, feeds }: Pick<Config, 'newsletters' | 'feeds'>, id: string): string {
  const [kind, name = ''] = splitAt(id);
  switch (kind) {
    case 'publish':
      return name === '' ? 'Feeds' : `Feed ${feeds.find((feed) => feed.id === name)?.title ?? name}`;
    case 'newsletter':
      return newsletters.find((newsletter) => newsletter.id === name)?.title ?? name;
    case 'source':
      return `Source ${name}`;
    default:
      return id;
  }
}

function splitAt(id: string): [kind: string, name: string] {
  const at = id.indexOf(':');
  return at === -1 ? [id, ''] : [id.slice(0, at), id.slice(at + 1)];
}
