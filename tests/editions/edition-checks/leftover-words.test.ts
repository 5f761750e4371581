import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLeftoverWords, findLeftoverWord } from '../../../src/editions/edition-checks/leftover-words.ts';
import type { Story } from '../../../src/editions/rendering/edition-view.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { SAMPLE_VIEW } from '../rendering/sample-view.ts';

describe('a word that was left in a text', () => {
  it.each([
    'TK',
    'by tktk',
    'The (TK) figure',
    'a TK-year-old law',
    'TODO: check the name',
    'FIXME',
    'Lorem ipsum dolor',
    '芯片TODO。'.replace('芯片', '芯片 '),
  ])('is found in “%s”', (text) => {
    expect(findLeftoverWord(text)).toMatchObject({ mayBeName: false });
  });

  it.each([
    'Tkachev wins',
    'the ATK index',
    'toda la vida, todo el día',
    'write to @TK',
    'see https://example.com/TK or example.com/?q=TK',
    'a_TK',
    'Ｔ Ｋ',
    '#TODO',
  ])('is not found in “%s”', (text) => {
    expect(findLeftoverWord(text)).toBeNull();
  });

  it('may be a name or a number where one follows', () => {
    expect(findLeftoverWord('TK Maxx opens a shop')).toMatchObject({ word: 'TK', mayBeName: true });
    expect(findLeftoverWord('flight TK1980 landed')).toBeNull();
    expect(findLeftoverWord('flight TK 1980 landed')).toMatchObject({ mayBeName: true });
    expect(findLeftoverWord('TK TK')).toMatchObject({ mayBeName: false });
  });

  it('is shown with the text around it, in one line', () => {
    const found = findLeftoverWord(`${'a'.repeat(100)} said\nTK percent ${'b'.repeat(100)}`);
    expect(found?.context).toMatch(/^a{18} said TK percent b{15}$/);
  });

  it('is searched in any text in little time', () => {
    fc.assert(
      fc.property(anyText(200), (text) => {
        const found = findLeftoverWord(text);
        expect(found === null || text.includes(found.word)).toBe(true);
      }),
    );
    for (const piece of ['TK', 'T', ' ', 'TODO', 'lorem ', '<']) {
      expect(processorTime(() => void findLeftoverWord(piece.repeat(200_000)))).toBeLessThan(1_000);
    }
  });
});

describe('leftover words of an edition', () => {
  const lead = SAMPLE_VIEW.lead as Story;
  const place = { block: 'lead', articleId: lead.articleId };

  it('are reported with their story and field', () => {
    const find = (change: Partial<Story>) =>
      checkLeftoverWords({ ...SAMPLE_VIEW, lead: { ...lead, ...change } }).map(({ message }) => message);
    expect(find({})).toEqual([]);
    expect(find({ dek: 'It rose TK%.' })).toEqual([
      'its dek still contains "TK": “It rose TK%.”; write what was meant to follow',
    ]);
    expect(find({ paragraphs: [{ html: '<em>T</em>K, TO<b>DO</b>: x', text: 'TK, TODO: x' }] })).toHaveLength(1);
    expect(find({ paragraphs: [{ html: '<a href="https://example.com/a TK b">x</a>', text: 'x' }] })).toEqual([]);
    expect(find({ correction: { note: 'TODO', at: 1 }, related: [{ title: 'TK', url: lead.url }] })).toEqual([
      expect.stringMatching(/^its related /),
      expect.stringMatching(/^its correction /),
    ]);
  });

  it('are reported once where subject and preheader repeat a story', () => {
    const problems = checkLeftoverWords({
      ...SAMPLE_VIEW,
      lead: { ...lead, headline: 'Ministry sets TK as the new aim' },
      subject: 'Tech Roundup: Ministry sets TK as the…, Second',
      preheader: 'Read TODO',
    });
    expect(problems).toMatchObject([
      { place, message: expect.stringMatching(/^its headline /) },
      { place: null, message: expect.stringMatching(/^the preheader still contains "TODO"/) },
    ]);
  });
});
