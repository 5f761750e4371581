/** How many subscribers get how many stories of an edition. */
import { readChoice } from '../../../articles/choice.ts';
import { type ChoiceCounts, countChoices } from '../../../audience/subscriptions.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import { editionLocale } from '../../../core/config/site-view.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import { formatCount } from '../../../web/desk/parts/figure.ts';
import { type EditionCopy, openCopies, TOO_FEW } from '../../copies/copy.ts';
import type { DraftComposition, EmptyComposition } from '../../draft/compose-draft.ts';
import { countConfirmedSubscriptions } from './sending-sentence.ts';

export interface CopyReach {
  /** Confirmed subscriptions. */
  confirmed: number;
  /** Those among them whose copy has enough stories. */
  mailed: number;
  /** How many get how many stories; empty without choices. */
  words: string;
  /** Ids of stories that nobody gets. */
  unread: ReadonlySet<string>;
}

/** Choices that are decided for a page, which takes 50 ms. Subscribers with rarer ones are counted as mailed. */
const MAX_CHOICES = 2_000;

/** Counts whom the copies of a composed edition would reach. */
export async function readCopyReach(
  { app: { store, config } }: DeskContext,
  newsletter: NewsletterConfig,
  composition: DraftComposition | EmptyComposition,
): Promise<CopyReach> {
  const confirmed = await countConfirmedSubscriptions(store.db, newsletter);
  const segments = composition.kind === 'empty' ? null : composition.composed.segments;
  if (composition.kind === 'empty' || segments === null || confirmed === 0) {
    return { confirmed, mailed: confirmed, words: '', unread: new Set() };
  }
  // A million subscriptions with choices take 80 ms.
  const counts = await countChoices(store.reports, newsletter.id, MAX_CHOICES);
  const copyOf = openCopies(composition.composed, editionLocale(config, newsletter));
  const stories = segments.stories.map(({ articleId }) => articleId);
  return copyReach(confirmed, stories, counts, (choice) => copyOf(readChoice(choice)));
}

/** @param stories article ids, by number */
export function copyReach(
  confirmed: number,
  stories: readonly string[],
  { choices, total }: ChoiceCounts,
  copyOf: (choice: string) => Pick<EditionCopy, 'stories' | 'suppressed'>,
): CopyReach {
  const all = `all ${formatCount(stories.length)} stories`;
  const none = `none: ${TOO_FEW}`;
  const rare = 'what rarer choices give';
  // In the order of the sentence.
  const groups = new Map([all, '10 or more', '5 to 9', '1 to 4', none, rare].map((group) => [group, 0]));
  const add = (group: string, count: number) => groups.set(group, (groups.get(group) ?? 0) + count);
  add(all, Math.max(0, confirmed - total));
  add(rare, total);
  const read = new Set<number>();
  for (const { choice, count } of choices) {
    const copy = copyOf(choice);
    const { length } = copy.stories;
    const part = length === stories.length ? all : length >= 10 ? '10 or more' : length >= 5 ? '5 to 9' : '1 to 4';
    add(copy.suppressed === null ? part : none, count);
    add(rare, -count);
    if (copy.suppressed === null) for (const story of copy.stories) read.add(story);
  }
  const shares = [...groups].filter(([, count]) => count > 0);
  const words = shares.map(([group, count]) => `${formatCount(count)} ${count === 1 ? 'gets' : 'get'} ${group}`);
  // Those who chose nothing get every story, and what rare choices have is not known.
  const isKnown = confirmed <= total && groups.get(rare) === 0;
  const unread = isKnown ? stories.filter((_, number) => !read.has(number)) : [];
  const mailed = Math.max(0, confirmed - (groups.get(none) ?? 0));
  return { confirmed, mailed, words: `${words.join('; ')}.`, unread: new Set(unread) };
}
