/**
 * Finds the items of entries whose guid and link are both new, as after a move or an edit of headline and permalink.
 *
 * An item can be such an entry only if its own entry has gone from the document out of turn: older ones still stand in
 * it, or none does that the feed had before. What has scrolled off has not. Then the body must agree, or the title with
 * a date that a wrong zone explains. Title and date that agree to the second are enough, whatever else the document
 * has. Everything else stays two. Pure.
 */
import { HOUR, MINUTE } from '../../lib/time.ts';
import { type ComparedItem, type IdentifiedDocument, normaliseTitle } from './entry-keys.ts';

/** Plain texts of bodies, where they are known. */
export interface Texts<Id> {
  entries: ReadonlyMap<number, string>;
  items: ReadonlyMap<Id, string>;
}

/** By how much the dates of one story may differ: no zone is further from UTC. */
const ZONE_ERROR = 14 * HOUR + MINUTE;
const SAME_TEXT = 0.8;

interface Assignment<Id extends number | string> {
  /** Items by entry, and the entries that have none. */
  chosen: ReadonlyMap<number, Id>;
  unchosen: readonly number[];
  items: ReadonlyMap<Id, ComparedItem<Id>>;
}

/** The items that have gone out of turn, by entry that may be one of them. */
export function goneItems<Id extends number | string>(
  { entries }: IdentifiedDocument,
  { chosen, unchosen, items }: Assignment<Id>,
): Map<number, ComparedItem<Id>[]> {
  if (unchosen.length === 0) return new Map();
  const taken = new Set(chosen.values());
  const free = [...items.values()].filter(({ id }) => !taken.has(id));
  const own = [...taken].map((id) => items.get(id)).filter((item) => item?.isElsewhere !== true);
  const oldest = Math.min(...own.map((item) => item?.publishedAt ?? Number.POSITIVE_INFINITY));
  const outOfTurn = free.filter(({ isElsewhere, publishedAt, isCurrent }) => {
    if (isElsewhere) return true;
    return own.length === 0 || publishedAt === null ? isCurrent : publishedAt > oldest;
  });
  // For the oldest entry of the document nothing older can stand: that one is not new.
  const dateOf = (index: number): number | null => entries[index]?.identity.publishedAt ?? null;
  const last = Math.max(-1, ...chosen.keys());
  const earliest = Math.min(...[...chosen.keys()].map((index) => dateOf(index) ?? Number.POSITIVE_INFINITY));
  const withCurrent = [...new Set([...outOfTurn, ...free.filter(({ isCurrent }) => isCurrent)])];
  return new Map(
    unchosen.map((index) => {
      const at = dateOf(index);
      const isOldest = at === null || earliest === Number.POSITIVE_INFINITY ? index > last : at <= earliest;
      return [index, isOldest ? withCurrent : outOfTurn];
    }),
  );
}

/** @param choice.known the items of stored keys @returns the ids of items by entry */
export function matchRenamed<Id extends number | string>(
  document: IdentifiedDocument,
  choice: Assignment<Id> & { known: ReadonlyMap<string, Id | null>; texts: Texts<Id> | undefined },
): Map<number, Id> {
  const { known, texts } = choice;
  const pairs: { entry: number; item: Id; agreement: number; shift: number }[] = [];
  const shingles = new Map<string, Set<string>>();
  const chosen = new Set(choice.chosen.values());
  for (const [entry, gone] of goneItems(document, choice)) {
    const { identity, keys } = document.entries[entry] as IdentifiedDocument['entries'][number];
    const named = choice.items.get(known.get(keys.title) as Id);
    const isNamedNow = named !== undefined && !chosen.has(named.id) && named.publishedAt === identity.publishedAt;
    const items = isNamedNow && identity.publishedAt !== null ? new Set([...gone, named]) : gone;
    const isAmbiguous = document.ambiguous.has(keys.title) || known.get(keys.title) === null;
    const title = normaliseTitle(identity.title);
    for (const item of items) {
      const shift =
        identity.publishedAt === null || item.publishedAt === null
          ? Number.POSITIVE_INFINITY
          : Math.abs(identity.publishedAt - item.publishedAt);
      const isNamed = known.get(keys.title) === item.id;
      const isTitled = isNamed || (!item.isElsewhere && item.title !== null && title === normaliseTitle(item.title));
      const isDated = shift <= ZONE_ERROR || (isNamed && identity.publishedAt === null && item.isCurrent);
      const hasTitle = !isAmbiguous && isTitled && isDated;
      const body = similarity(texts?.entries.get(entry), texts?.items.get(item.id), shingles);
      if (!hasTitle && (item.isElsewhere || body < SAME_TEXT)) continue;
      pairs.push({ entry, item: item.id, agreement: Number(hasTitle) + body, shift });
    }
  }
  pairs.sort((one, other) => other.agreement - one.agreement || one.shift - other.shift || one.entry - other.entry);
  const found = new Map<number, Id>();
  const taken = new Set<Id>();
  for (const { entry, item } of pairs) {
    if (found.has(entry) || taken.has(item)) continue;
    found.set(entry, item);
    taken.add(item);
  }
  return found;
}

/** Characters of a shingle: letters, since not all languages have spaces between words. */
const SHINGLE = 8;
/** A shorter text may be that of another story, such as a notice of one line. */
const LEAST_SHINGLES = 60;
const MAX_TEXT = 2_000;

/** The share of shingles that two texts have in common, from 0 to 1; 0 if one is too short to tell. */
function similarity(one: string | undefined, other: string | undefined, cache: Map<string, Set<string>>): number {
  if (one === undefined || other === undefined) return 0;
  const [first, second] = [one, other].map((text) => {
    const known = cache.get(text) ?? shinglesOf(text);
    cache.set(text, known);
    return known;
  }) as [Set<string>, Set<string>];
  const [less, more] = [Math.min(first.size, second.size), Math.max(first.size, second.size)];
  if (less < LEAST_SHINGLES || less / more < SAME_TEXT) return 0;
  const common = first.intersection(second).size;
  return common / (first.size + second.size - common);
}

function shinglesOf(text: string): Set<string> {
  const letters = [...normaliseTitle(text.slice(0, MAX_TEXT))];
  return new Set(letters.slice(SHINGLE - 1).map((_, index) => letters.slice(index, index + SHINGLE).join('')));
}
