import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginningOfText } from '../../../src/articles/beginning.ts';
import { sanitiseMarkdown } from '../../../src/articles/sanitise.ts';
import { decideGroups, type GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import { type PickedGroup, toRoundupRecord } from '../../../src/outlets/story-groups/publish-picks.ts';
import type { GroupedItem } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { automaticGroup, groupedItem } from '../../support/outlet-items.ts';

const SITES = { publicUrl: 'https://news.example.com', sourceOrigins: [] };

function recordOf(items: GroupedItem[], command: GroupCommand, ...excerpts: [id: string, excerpt: number][]) {
  const context = { editor: 'Ada', now: NOW, newArticleId: 'roundup-1' };
  const [group] = decideGroups([automaticGroup(...items)], command, context).changed;
  return toRoundupRecord(
    group as PickedGroup,
    excerpts.map(([id, excerpt]) => ({ id, excerpt })),
  );
}

const RULE: GroupCommand = { kind: 'rule' };
const PICK: GroupCommand = { kind: 'pick', text: 'Ours.' };

describe('toRoundupRecord', () => {
  it('has of the outlets nothing but headline, name, time and link', () => {
    const items = [groupedItem(1, { summary: 'Theirs.' }), groupedItem(2, { summary: 'Theirs too.' })];
    for (const command of [RULE, PICK]) expect(JSON.stringify(recordOf(items, command))).not.toContain('Theirs');
    expect(recordOf(items, RULE)).toMatchObject({ headline: 'Report 1', body: '', byRule: true, language: 'en' });
    expect(recordOf(items, PICK)).toMatchObject({ body: 'Ours.', byRule: false, language: null, image: null });
  });

  it('says no time of a report that has no date', () => {
    const items = [groupedItem(1, { publishedAt: null })];
    expect(recordOf(items, PICK).outlet).toEqual({
      ...{ name: 'Outlet 1', url: 'https://outlet-1.example.com/report' },
      published: null,
    });
  });

  it('leaves out a language that is none', () => {
    expect(recordOf([groupedItem(1, { language: 'British English' })], RULE).language).toBeNull();
  });

  it('quotes the summary where the source configures an excerpt, but not beside a sentence of the editor', () => {
    const items = [groupedItem(1, { summary: 'One two three four' })];
    expect(recordOf(items, RULE, ['source-1', 10]).body).toBe('Outlet 1\\: “One two…”');
    expect(recordOf(items, RULE, ['source-2', 10]).body).toBe('');
    expect(recordOf(items, PICK, ['source-1', 10]).body).toBe('Ours.');
  });

  it('shows a quoted summary as it is written, whatever Markdown or HTML it has', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 60 }), async (text) => {
        const summary = `<b>*x*</b> [a](http://b) &amp; ${text}`;
        const { body } = recordOf([groupedItem(1, { summary })], RULE, ['source-1', 400]);
        const { html } = await sanitiseMarkdown(String(body), SITES);
        expect(html).not.toMatch(/<(?!\/?p>)/);
        const shown = beginningOfText(html, 2_000);
        expect(shown.startsWith('Outlet 1: “<b>*x*</b> [a](http://b) &amp;')).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('names each other outlet once, earliest first, and not the first one again', () => {
    const items = [1, 2, 3, 4, 5].map((id) => groupedItem(id, { outlet: ['A', 'B', 'a', 'B', 'C'][id - 1] as string }));
    expect(recordOf(items, PICK)).toMatchObject({
      outlet: { name: 'A', url: 'https://outlet-1.example.com/report' },
      also: [{ name: 'B', url: 'https://outlet-2.example.com/report' }, { name: 'C' }],
    });
    expect(recordOf(items, { ...PICK, first: 5 })).toMatchObject({
      outlet: { name: 'C' },
      also: [{ name: 'A' }, { name: 'B' }],
    });
  });

  it("credits an outlet with its first report that is no video, in the order of the outlets' first reports", () => {
    const titles = ['Quay opens', 'Video: Quay opens', 'Opinion: Quay', 'Quay is open', 'Quay opens today'];
    const items = titles.map((title, index) =>
      groupedItem(index + 1, { title, outlet: ['A', 'B', 'B', 'C', 'B'][index] as string }),
    );
    expect(recordOf(items, PICK).also).toEqual([
      { name: 'B', url: 'https://outlet-5.example.com/report' },
      { name: 'C', url: 'https://outlet-4.example.com/report' },
    ]);
  });

  it('has the picture of the first report that has one, with its outlet as the credit, only when asked for', () => {
    const items = [groupedItem(1), groupedItem(2, { imageUrl: 'https://outlet-2.example.com/a.jpg' })];
    expect(recordOf(items, { ...PICK, hasPicture: true }).image).toEqual({
      url: 'https://outlet-2.example.com/a.jpg',
      credit: 'Outlet 2',
    });
    expect(recordOf(items, PICK).image).toBeNull();
  });
});
