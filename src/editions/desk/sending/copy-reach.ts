/** How many subscribers get how many stories of an edition. */
import { readChoice } from '../../../articles/choice.ts';
import { type ChoiceCounts, countChoices, countSubscriptions } from '../../../audience/subscriptions.ts';
import type { NewsletterConfig } from '../../../core/config/config.ts';
import { editionLocale } from '../../../core/config/site-view.ts';
import { formatCount } from '../../../lib/text/count.ts';
import type { DeskContext } from '../../../web/desk/desk-request.ts';
import { type EditionCopy, openCopies, TOO_FEW } from '../../copies/copy.ts';
import type { DraftComposition, EmptyComposition } from '../../draft/compose-draft.ts';

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
  // Maintained counts: a few look-ups, however many there are.
  const counted = await countSubscriptions(store.db);
  const confirmed = counted.find((one) => one.newsletter === newsletter.id && one.state === 'confirmed')?.count ?? 0;
  const composed = composition.kind === 'composed' ? composition.composed : null;
  if (composed?.segments == null || confirmed === 0) {
    return { confirmed, mailed: confirmed, words: '', unread: new Set() };
  }
  // A million subscriptions with choices take 80 ms.
  const counts = await countChoices(store.reports, newsletter.id, MAX_CHOICES);
  const copyOf = openCopies(composed, editionLocale(config, newsletter));
  const stories = composed.segments.stories.map(({ articleId }) => articleId);
  return copyReach(confirmed, stories, counts, (choice) => copyOf(readChoice(choice)));
}

/** @param stories article ids, by number */
export function copyReach(
  confirmed: number,
  stories: readonly string[],
  { choices, total }: ChoiceCounts,
  copyOf: (choice: string) => Pick<EditionCopy, 'stories' | 'suppressed'>,
): CopyReach {
  const copies = choices.map(({ choice, count }) => ({ ...copyOf(choice), count }));
  const mailed = copies.filter(({ suppressed }) => suppressed === null);
  const sum = (some: typeof copies): number => some.reduce((all, { count }) => all + count, 0);
  const withStories = (least: number, most: number): number =>
    sum(mailed.filter(({ stories: { length } }) => length >= least && length <= Math.min(most, stories.length - 1)));
  const whole =
    Math.max(0, confirmed - total) + sum(mailed.filter(({ stories: { length } }) => length === stories.length));
  const few = sum(copies) - sum(mailed);
  const rare = total - sum(copies);
  const groups: [count: number, stories: string][] = [
    [whole, `all ${formatCount(stories.length)} stories`],
    [withStories(10, Infinity), '10 or more'],
    [withStories(5, 9), '5 to 9'],
    [withStories(1, 4), '1 to 4'],
    [few, `none: ${TOO_FEW}`],
    [rare, 'what rarer choices give'],
  ];
  const shares = groups.filter(([count]) => count > 0);
  const words = shares.map(([count, what]) => `${formatCount(count)} ${count === 1 ? 'gets' : 'get'} ${what}`);
  // Those who chose nothing get every story, and what rare choices have is not known.
  const read = new Set(mailed.flatMap((copy) => copy.stories));
  const unread = confirmed > total || rare > 0 ? [] : stories.filter((_, number) => !read.has(number));
  return { confirmed, mailed: Math.max(0, confirmed - few), words: `${words.join('; ')}.`, unread: new Set(unread) };
}
