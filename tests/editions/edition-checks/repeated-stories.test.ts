import { describe, expect, it } from 'vitest';
import { checkRepeatedStories, type StoryIdentity } from '../../../src/editions/edition-checks/repeated-stories.ts';

const story = (articleId: string, change: Partial<StoryIdentity> = {}): StoryIdentity => ({
  articleId,
  block: 'roundup',
  headline: articleId,
  url: null,
  outletUrl: null,
  eventKey: null,
  ...change,
});

function repeated(now: StoryIdentity[], before: StoryIdentity[]): string[] {
  const problems = checkRepeatedStories(now, { slot: '2026-11-23', stories: before });
  return problems.map(({ place, message }) => `${place?.articleId}: ${message.replace(/:? drop it.*$/, '')}`);
}

describe('a repeated story', () => {
  it('is not the same article: an edition has each once', () => {
    expect(repeated([story('a')], [story('a')])).toEqual([]);
    expect(checkRepeatedStories([story('a')], null)).toEqual([]);
  });

  it('has the headline of a story of the last edition, in other quotes, dashes or case', () => {
    const now = [story('b', { headline: 'Chips — ‘Made’ in   Wuxi' }), story('c', { headline: '！？' })];
    const before = [story('a', { headline: "CHIPS - 'made' in Wuxi" }), story('d', { headline: '…' })];
    expect(repeated(now, before)).toEqual([
      'b: it has the same headline as a, which is in the last edition, of 2026-11-23',
    ]);
  });

  it('has the address of one, or of its report', () => {
    const before = [story('a', { url: 'https://www.example.com/x/?utm_source=feed&id=1#top' })];
    const of = (change: Partial<StoryIdentity>) => repeated([story('b', change)], before);
    expect(of({ url: 'https://example.com/x?id=1' })).toEqual([
      'b: it has the same address as a, which is in the last edition, of 2026-11-23',
    ]);
    expect(of({ outletUrl: 'https://example.com/x?id=1' })).toHaveLength(1);
    expect(of({ url: 'https://example.com/x?id=2' })).toEqual([]);
  });

  it('reports the event of one', () => {
    const before = [story('a', { eventKey: 'fire' })];
    expect(repeated([story('b', { eventKey: 'fire' }), story('c', { eventKey: 'flood' })], before)).toEqual([
      'b: it has the same event (fire) as a, which is in the last edition, of 2026-11-23',
    ]);
  });

  it('can be twice in one edition, but not as two reports of one event', () => {
    const event = { eventKey: 'fire' };
    expect(
      repeated([story('a', { headline: 'X', ...event }), story('b', event), story('c', { headline: 'x' })], []),
    ).toEqual(['c: it has the same headline as a, which is in this edition too']);
  });
});
