/** Factories of the candidates of an edition. */
import fc from 'fast-check';
import type { StoryCandidate } from '../../../src/editions/selection/ranking.ts';
import { HOUR } from '../../../src/lib/time.ts';

/** The cut-off. */
export const UNTIL = Date.UTC(2026, 10, 23, 23, 30);

/** Makes a brief published `hours` before the cut-off. */
export function story(id: string, hours: number, rest: Partial<StoryCandidate> = {}): StoryCandidate {
  const fields = { kind: 'brief', kicker: null, section: null, eventKey: null, pinned: false, outlets: [] } as const;
  return { id, ...fields, publishedAt: UNTIL - hours * HOUR, ...rest };
}

/** Any candidates of two and a half days, with the ids s0, s1, … */
export const anyCandidates = fc
  .array(
    fc.record({
      kind: fc.constantFrom('brief', 'analysis', 'feature', 'roundup-item'),
      kicker: fc.constantFrom(null, 'Cover Story', 'Exclusive', 'Charts'),
      section: fc.constantFrom(null, 'business-tech', 'world', 'gone'),
      eventKey: fc.constantFrom(null, 'a', 'b'),
      pinned: fc.constantFrom(false, false, true),
      hours: fc.integer({ min: 0, max: 60 }),
    }),
    { maxLength: 40 },
  )
  .map((list) => list.map(({ hours, ...rest }, n) => story(`s${n}`, hours + 0.001, rest as Partial<StoryCandidate>)));

/** Any numbers of stories that blocks may have. */
export const anyBlocks = fc.record({ news: fc.nat(9), analysis: fc.nat(5), roundup: fc.nat(5), latest: fc.nat(9) });
