/**
 * The origin of an article: the file or the source that brought it. Another one with the same id is rejected, so that
 * nobody replaces a public article by mistake.
 */
import { existsSync } from 'node:fs';

const SOURCE = 'source:';

/** The origin of the items that editors pick from the reports of other outlets. */
export const ROUNDUP_ORIGIN = 'roundup:';

/** The origin of what was written at the desk. */
export const DESK_ORIGIN = 'desk:';

/** The origin of the articles of a source. Other origins are absolute paths of files. */
export function sourceOrigin(sourceId: string): string {
  return SOURCE + sourceId;
}

/** Whether articles with this origin come from a source. */
export function isSourceOrigin(origin: string): boolean {
  return origin.startsWith(SOURCE);
}

/** Whether an origin is the path of a file. */
export function isFileOrigin(origin: string): boolean {
  return !isSourceOrigin(origin) && origin !== ROUNDUP_ORIGIN && origin !== DESK_ORIGIN;
}

/**
 * Whether an input may bring an article that another origin brought before: the same one, or any if the former file
 * has been renamed or removed.
 * @param former null for the roundup of an edition
 */
export function mayReplace(former: string | null, origin: string): boolean {
  if (former === null || former === origin) return true;
  return isFileOrigin(former) && !existsSync(former);
}

/** An origin as messages name it. */
export function originName(origin: string): string {
  if (origin === ROUNDUP_ORIGIN) return 'the roundup';
  if (origin === DESK_ORIGIN) return 'the desk';
  return isSourceOrigin(origin) ? `the source ${origin.slice(SOURCE.length)}` : origin;
}
