/**
 * Which entries of a document are known items, and which are new. Feeds rename guids, move to other hosts and change
 * links and titles; an entry that agrees with an item in guid or link is the same item, unless the same document shows
 * that the agreement means nothing. Where both are new, see renamed-entries.ts.
 */
import { canonicalLink } from '../canonical-link.ts';
import {
  type ComparedItem,
  type EntryIdentity,
  type EntryKeys,
  type IdentifiedDocument,
  isUndatedKey,
  keysOf,
  normaliseTitle,
} from './entry-keys.ts';
import { matchRenamed } from './renamed-entries.ts';

export interface Identification<Id> {
  /** By entry. A `repeat` says nothing that another entry of the document, or a known item in it, does not say. */
  outcomes: ({ kind: 'known'; item: Id } | { kind: 'new' } | { kind: 'repeat' })[];
  /** Keys to store: of the item of an entry, or of none (null) for what identifies no item from now on. */
  keys: { key: string; entry: number | null }[];
}

/**
 * Entries that agree in link and title are one, and so are those without a link that agree in guid, title and day. What
 * else several of them have identifies none; a title and day does as long as at most one of its entries has a guid or
 * link of its own.
 */
export function readIdentities(identities: readonly EntryIdentity[]): IdentifiedDocument {
  const seen = new Set<string>();
  const uses = new Map<string, number>();
  const entries = identities.map((identity) => {
    const keys = keysOf(identity);
    // With another guid, it is the same report once more, such as one that was updated.
    const report = keys.link === null ? `${keys.guid} ${keys.title}` : `${keys.link} ${normaliseTitle(identity.title)}`;
    const repeats = seen.has(report);
    seen.add(report);
    if (!repeats) for (const key of strongKeys(keys)) uses.set(key, (uses.get(key) ?? 0) + 1);
    return { identity, keys, repeats };
  });
  const ambiguous = new Set([...uses].filter(([, count]) => count > 1).map(([key]) => key));
  const titles = new Set<string>();
  for (const { keys, repeats } of entries) {
    if (repeats || strongKeys(keys).every((key) => ambiguous.has(key))) continue;
    if (titles.has(keys.title)) ambiguous.add(keys.title);
    titles.add(keys.title);
  }
  return { entries, ambiguous };
}

/** All keys of a document, each once: what to look up before `identify`. */
export function allKeys({ entries }: IdentifiedDocument): string[] {
  return [...new Set(entries.flatMap(({ keys }) => [...strongKeys(keys), keys.title]))];
}

/**
 * Finds the item of each entry. No two entries have the same item, and no key goes from one item to another: a guid or
 * link that names two items no longer identifies either.
 *
 * Where the keys of an entry name several items, the one that agrees in most of guid, link and title is its item; of
 * several, the one with the same guid, then path, then link. (A feed that numbers its entries 1 to 10 gives each guid
 * to another report with every poll; links and titles outvote it.)
 * @param known the items of stored keys; null for keys that identify none
 * @param items those of `known`, and those that the feed had lately
 * @param texts plain texts of `unnamedEntries`
 */
export function identify<Id extends number | string>(
  document: IdentifiedDocument,
  known: ReadonlyMap<string, Id | null>,
  items: ReadonlyMap<Id, ComparedItem<Id>>,
  texts: ReadonlyMap<number, string> = new Map(),
): Identification<Id> {
  const itemOf = (key: string | null): ComparedItem<Id> | null => {
    if (key === null || document.ambiguous.has(key)) return null;
    const id = known.get(key) ?? null;
    const item = id === null ? null : (items.get(id) ?? null);
    return item === null || (isUndatedKey(key) && !item.isCurrent) ? null : item;
  };
  const chosen = choose(document, itemOf);
  for (const [entry, item] of matchRenamed(document, known, items, { chosen, texts })) chosen.set(entry, item);
  const outcomes: Identification<Id>['outcomes'] = [];
  const keys: Identification<Id>['keys'] = [];
  const stored = new Set<string>();
  const store = (key: string, entry: number | null): void => {
    stored.add(key);
    keys.push({ key, entry });
  };
  for (const key of document.ambiguous) if (known.get(key) !== null) store(key, null);
  // The entries of known items first, so that a new one does not take the title of theirs.
  const order = [...document.entries.keys()];
  order.sort((one, other) => Number(chosen.has(other)) - Number(chosen.has(one)) || one - other);
  for (const index of order) {
    const { keys: own, repeats } = document.entries[index] as IdentifiedDocument['entries'][number];
    const item = chosen.get(index) ?? null;
    if (repeats) {
      outcomes[index] = { kind: 'repeat' };
      continue;
    }
    const free: string[] = [];
    for (const key of [...strongKeys(own), own.title]) {
      if (stored.has(key) || document.ambiguous.has(key) || known.get(key) === null) continue;
      const owner = known.get(key);
      if (owner === undefined || (isUndatedKey(key) && itemOf(key) === null)) free.push(key);
      else if (owner !== item && key !== own.title) store(key, null);
    }
    // An item without a key would come again with every poll.
    if (item === null && free.length === 0) outcomes[index] = { kind: 'repeat' };
    else {
      outcomes[index] = item === null ? { kind: 'new' } : { kind: 'known', item };
      for (const key of free) store(key, index);
    }
  }
  return { outcomes, keys };
}

/** The entries that no guid or link names, and the items that these name of the others. */
export function unnamedEntries<Id extends number | string>(
  { entries }: IdentifiedDocument,
  known: ReadonlyMap<string, Id | null>,
): { unnamed: number[]; named: Set<Id> } {
  const itemsOf = entries.map(({ keys }) => strongKeys(keys).flatMap((key) => known.get(key) ?? []));
  const unnamed = [...entries.keys()].filter((index) => itemsOf[index]?.length === 0 && !entries[index]?.repeats);
  return { unnamed, named: new Set(itemsOf.flat()) };
}

/** @returns the ids of items by entry, as far as guids and links name them */
function choose<Id extends number | string>(
  { entries }: IdentifiedDocument,
  itemOf: (key: string | null) => ComparedItem<Id> | null,
): Map<number, Id> {
  const pairs: { entry: number; item: Id; weight: number }[] = [];
  for (const [index, { identity, keys, repeats }] of entries.entries()) {
    if (repeats) continue;
    const [guid, path, link, title] = [keys.guid, keys.path, keys.link, keys.title].map(itemOf);
    const samePath = path != null && isLikelyMoved(identity, path) ? path : null;
    for (const item of new Set([guid, samePath, link])) {
      if (item == null) continue;
      const agreements = [guid === item || samePath === item, link === item, title === item].filter(Boolean).length;
      const strength = guid === item ? 3 : samePath === item ? 2 : 1;
      pairs.push({ entry: index, item: item.id, weight: agreements * 4 + strength });
    }
  }
  const order = (one: Id, other: Id): number => Number(one > other) - Number(one < other);
  pairs.sort((one, other) => other.weight - one.weight || order(one.item, other.item) || one.entry - other.entry);
  const chosen = new Map<number, Id>();
  const taken = new Set<Id>();
  for (const { entry, item } of pairs) {
    if (chosen.has(entry) || taken.has(item)) continue;
    chosen.set(entry, item);
    taken.add(item);
  }
  return chosen;
}

/**
 * Whether an entry whose guid has the path of an item's is that item. In a feed of several sites `/?p=7` is another
 * report on each host: then title and date differ, and the path of the link has no words either.
 */
function isLikelyMoved({ title, publishedAt, link }: EntryIdentity, item: ComparedItem<unknown>): boolean {
  if (publishedAt !== null && publishedAt === item.publishedAt) return true;
  if (item.title !== null && normaliseTitle(title) === normaliseTitle(item.title)) return true;
  const path = pathOfLink(link);
  return path === pathOfLink(item.url) && path.replace(/[^a-z]/gi, '').length >= LETTERS_OF_WORDS;
}

/** As few letters may be in the names of parameters and folders. */
const LETTERS_OF_WORDS = 10;

function pathOfLink(link: string): string {
  return (canonicalLink(link) ?? '').replace(/^https:\/\/[^/?]*/, '');
}

function strongKeys({ guid, path, link }: EntryKeys): string[] {
  return [guid, path, link].filter((key) => key !== null);
}
