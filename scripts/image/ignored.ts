/**
 * What .dockerignore excludes from the files that an image may copy.
 */
import { matchesGlob } from 'node:path';

/**
 * @param path relative to the context, with slashes
 * @returns whether one of the patterns names the path or a folder that contains it; exceptions ("!") are not known here
 */
export function isIgnored(path: string, dockerignore: string): boolean {
  const patterns = dockerignore
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const parts = path.split('/');
  const ancestors = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  return ancestors.some((ancestor) => patterns.some((pattern) => matchesGlob(ancestor, pattern)));
}
