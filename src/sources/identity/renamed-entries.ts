/**
 * Finds the items of entries whose guid and link are both new, as after a move or an edit of headline and permalink.
 *
 * An item can be such an entry only if its own entry has gone from the document out of turn: older ones still stand in
 * it, or none does that the feed had before. What has scrolled off has not. Then the body must agree, or the title with
 * a date that a wrong zone explains. Otherwise it is known if title and date agree to the second, or if it is the
 * oldest entry, which no new story is, and title, date and body agree. Everything else stays two. Pure.
 */
import { HOUR, MINUTE } from '../../lib/time.ts';
import { type ComparedItem, type IdentifiedDocument, normaliseTitle } from './entry-keys.ts';

/** By how much the dates of one story may differ: no zone is further from UTC. */
const ZONE_ERROR = 14 * HOUR + MINUTE;
const SAME_TEXT = 0.8;
/** Texts that are compared of entries, and of items: each with each of a hostile feed takes minutes. */
export const MAX_TEXTS = 100;

/**
 * @param known the items of stored keys
 * @param chosen items by entry; the other entries are looked for
 * @param texts plain texts of bodies by entry, where they are known
 * @returns the ids of items by entry
 */
export function matchRenamed<Id extends number | string>(
  { entries, ambiguous }: IdentifiedDocument,
  known: ReadonlyMap<string, Id | null>,
  items: ReadonlyMap<Id, ComparedItem<Id>>,
  { chosen, texts }: { chosen: ReadonlyMap<number, Id>; texts: ReadonlyMap<number, string> },
): Map<number, Id> {
  const found = new Map<number, Id>();
  const unchosen = [...entries.entries()].filter(([index, { repeats }]) => !repeats && !chosen.has(index));
  if (unchosen.length === 0) return found;
  const taken = new Set(chosen.values());
  const { isOutOfTurn, isOldest } = turnsOf(entries, chosen, items);
  const free = [...items.values()].filter(({ id }) => !taken.has(id));
  const titled = Map.groupBy(free, ({ title, isElsewhere }) =>
    title === null || isElsewhere ? null : normaliseTitle(title),
  );
  const written = new Set(free.filter(({ text }) => text !== undefined).slice(0, MAX_TEXTS));
  const shingles = new Map<Id, Set<string>>();
  const pairs: { entry: number; item: Id; agreement: number; shift: number }[] = [];
  for (const [place, [entry, { identity, keys }]] of unchosen.entries()) {
    const { publishedAt, title } = identity;
    const text = shinglesOf(place < MAX_TEXTS ? texts.get(entry) : '');
    const named = known.get(keys.title);
    const namesake = named == null || taken.has(named) ? [] : (items.get(named) ?? []);
    const isAmbiguous = ambiguous.has(keys.title) || named === null;
    const namesakes = new Set(isAmbiguous ? [] : [namesake, titled.get(normaliseTitle(title)) ?? []].flat());
    for (const item of new Set([...namesakes, ...(text.size < LEAST_SHINGLES ? [] : written)])) {
      const isNamed = item.id === named;
      const dates = [publishedAt, item.publishedAt].filter((date) => date !== null);
      const shift = dates.length < 2 ? Number.POSITIVE_INFINITY : Math.max(...dates) - Math.min(...dates);
      const isDated = shift <= ZONE_ERROR || (isNamed && publishedAt === null && item.isCurrent);
      const hasTitle = isDated && namesakes.has(item);
      const isGone = isOutOfTurn(entry, item) || (isNamed && shift === 0);
      if (!isGone && !(hasTitle && chosen.size > 0 && isOldest(entry))) continue;
      const itsText = shingles.get(item.id) ?? shinglesOf(written.has(item) ? item.text : '');
      shingles.set(item.id, itsText);
      const body = similarity(text, itsText);
      if ((isGone && hasTitle) || body >= SAME_TEXT)
        pairs.push({ entry, item: item.id, agreement: Number(hasTitle) + body, shift });
    }
  }
  pairs.sort((one, other) => other.agreement - one.agreement || one.shift - other.shift || one.entry - other.entry);
  for (const { entry, item } of pairs) {
    if (found.has(entry) || taken.has(item)) continue;
    found.set(entry, item);
    taken.add(item);
  }
  return found;
}

/** @returns `isOutOfTurn`: whether an item has gone out of turn, if an entry is that item */
function turnsOf<Id extends number | string>(
  entries: IdentifiedDocument['entries'],
  chosen: ReadonlyMap<number, Id>,
  items: ReadonlyMap<Id, ComparedItem<Id>>,
): { isOutOfTurn: (entry: number, item: ComparedItem<Id>) => boolean; isOldest: (entry: number) => boolean } {
  const dateOf = (entry: number): number | null => entries[entry]?.identity.publishedAt ?? null;
  const earliestOf = (dates: (number | null | undefined)[]): number =>
    dates.reduce<number>((least, date) => Math.min(least, date ?? least), Number.POSITIVE_INFINITY);
  const own = [...new Set(chosen.values())].map((id) => items.get(id)).filter((item) => item?.isElsewhere !== true);
  const earliest = earliestOf([...chosen.keys()].map(dateOf));
  // Their dates as they were first read may be of another zone.
  const oldest = earliestOf([earliest, ...own.map((item) => item?.publishedAt)]);
  const last = [...chosen.keys()].reduce((most, entry) => Math.max(most, entry), -1);
  // For the oldest entry of the document nothing older can stand: that one is not new.
  const isOldest = (entry: number): boolean => {
    const at = dateOf(entry);
    return at === null || earliest === Number.POSITIVE_INFINITY ? entry > last : at <= earliest;
  };
  const isOutOfTurn = (entry: number, { isElsewhere, isCurrent, publishedAt }: ComparedItem<Id>): boolean => {
    if (isElsewhere || (publishedAt !== null && publishedAt > oldest)) return true;
    return isCurrent && (own.length === 0 || publishedAt === null || isOldest(entry));
  };
  return { isOutOfTurn, isOldest };
}

/** Characters of a shingle: letters, since not all languages have spaces between words. */
const SHINGLE = 8;
/** A shorter text may be that of another story, such as a notice of one line. */
const LEAST_SHINGLES = 60;
const MAX_TEXT = 2_000;

/** Sorted, so that the first ones are from all over the text. */
function shinglesOf(text = ''): Set<string> {
  const letters = [...normaliseTitle(text.slice(0, MAX_TEXT))];
  const shingles = letters.slice(SHINGLE - 1).map((_, index) => letters.slice(index, index + SHINGLE).join(''));
  return new Set(shingles.sort());
}

/** The share of shingles that two texts have in common, from 0 to 1; 0 if one is too short to tell, or few agree. */
function similarity(one: Set<string>, other: Set<string>): number {
  if (Math.min(one.size, other.size) < LEAST_SHINGLES) return 0;
  let [read, common] = [0, 0];
  for (const shingle of one) {
    common += Number(other.has(shingle));
    read += 1;
    if (common < (read - LEAST_SHINGLES) / 2) return 0;
  }
  return common / (one.size + other.size - common);
}
