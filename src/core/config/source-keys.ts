/** The keys of sources, from the secret DAYWIRE_SOURCE_KEYS: pairs such as `our-site=0123abcd`. */
import type { Config } from './config.ts';

/** The key of a source's API, or undefined. */
export function sourceKey({ secrets }: Pick<Config, 'secrets'>, sourceId: string): string | undefined {
  const pairs = secrets.sourceKeys?.trim().split(/\s+/) ?? [];
  return pairs.find((pair) => pair.startsWith(`${sourceId}=`))?.slice(sourceId.length + 1);
}
