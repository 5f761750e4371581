/** Draws the headlines of invented days from stories. Pure: the same seed draws the same. */
import { Random } from '../../scripts/fuzz/random.ts';
import type { Headline, Story } from './headlines.ts';

/** How many headlines a story gives on a day, and how often. */
const SIZES: readonly { share: number; size: number }[] = [
  { share: 0.35, size: 1 },
  { share: 0.25, size: 2 },
  { share: 0.15, size: 3 },
  { share: 0.1, size: 4 },
  { share: 0.08, size: 6 },
  { share: 0.07, size: 8 },
];

/** @returns for each story its headlines of the day, of different outlets: fewer than drawn if it has fewer outlets */
export function drawDay(stories: readonly Story[], seed: number): Headline[][] {
  const random = new Random(seed);
  return stories.map((story) => {
    const size = drawSize(random);
    const byOutlet = new Map<string, Headline>();
    for (const headline of shuffled(story, random)) {
      if (byOutlet.size === size) break;
      if (!byOutlet.has(headline.outlet)) byOutlet.set(headline.outlet, headline);
    }
    return [...byOutlet.values()];
  });
}

/** Deals the stories into parts of about the same size. @returns the part of each story */
export function dealStories(count: number, parts: number, seed: number): number[] {
  const order = shuffled(
    Array.from({ length: count }, (_, index) => index),
    new Random(seed),
  );
  return order.map((place) => place % parts);
}

function drawSize(random: Random): number {
  let left = random.next();
  for (const { share, size } of SIZES) {
    left -= share;
    if (left < 0) return size;
  }
  return 1;
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const rest = [...values];
  return values.map(() => rest.splice(Math.floor(random.next() * rest.length), 1)[0] as T);
}
