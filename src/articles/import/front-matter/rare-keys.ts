/**
 * Keys of daywire that themes of site generators use in their own way, such as `note` and `format`. In front matter
 * they count beside an id, which daywire's own files have, or where `import.keys` names them. Pure.
 */
import { closestName } from '../../../lib/names/closest-name.ts';
import { boundedLine } from '../../../lib/text/clean-text.ts';
import { type ExtraKeys, findKey, type KeyTarget } from './key-names.ts';
import { isBlankValue, toState, withoutSmartQuotes } from './values.ts';

const RARE = new Set<KeyTarget | 'ignored'>([
  ...(['note', 'noteAt', 'kind', 'topic', 'kicker', 'state', 'byRule', 'eventKey', 'pinned', 'format'] as const),
  ...(['also', 'related', 'enclosures'] as const),
]);
const STATES = ['draft', 'scheduled', 'published', 'corrected', 'retracted'];

/** @returns the keys that do not count, as written, each with its notice, which is the same in all articles */
export function findRareKeys(fields: Record<string, unknown>, extra: ExtraKeys): Map<string, string> {
  const keys = Object.entries(fields).flatMap(([key, value]) => {
    const found = findKey(key, extra);
    return found === null || isBlankValue(value) ? [] : [{ key, value, ...found }];
  });
  if (keys.some(({ target }) => target === 'id')) return new Map();
  // A draft stays one, misspelled too, and a correction keeps its note.
  const written = keys.find(({ target }) => target === 'state');
  const state = closestName(String(toState(withoutSmartQuotes(written?.value))), STATES);
  const isNoted = state === 'corrected' || state === 'retracted';
  const isMeant = (target: string): boolean =>
    target === 'state' ? state !== null : isNoted && target.startsWith('note');
  const rare = keys.filter(({ target, rank }) => RARE.has(target) && rank !== 1 && !isMeant(target));
  return new Map(
    rare.map(({ key, target }) => {
      const name = boundedLine(key, 60);
      const rule = `it counts only beside an id, or with import.keys: { ${name}: ${target} } in the configuration`;
      return [key, `${name} is left out: ${rule}`];
    }),
  );
}
