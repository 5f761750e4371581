import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedWords } from '../../../src/outlets/story-groups/shared-words.ts';
import { anyText } from '../../support/any-text.ts';

/** What reports with these titles and summaries share. */
function shared(...reports: (string | [title: string, summary: string])[]): string[] {
  return sharedWords(
    reports.map((report) => {
      const [title, summary = null] = typeof report === 'string' ? [report] : report;
      return { title, summary, language: 'en' };
    }),
  );
}

describe('sharedWords', () => {
  it('has names and numbers of two titles first, then those of a summary, then other words of two titles', () => {
    expect(
      shared(
        ['Bridge at Port Vale closes after 12 cracks found', 'Engineer Ada Brent inspected it.'],
        ['Cracks close the bridge in Port Vale: Ada Brent found 12', 'It is in Norland.'],
        'The cracks of Norland',
      ),
    ).toEqual(['Port Vale', '12', 'Ada Brent', 'Norland', 'cracks', 'Bridge']);
  });

  it('has a name of two titles before one of a title and more summaries', () => {
    expect(
      shared(
        ['Doctors of Norland meet Brent', 'They talk.'],
        ['Talks: Brent speaks', 'In Norland.'],
        ['A cure', 'It came from Norland.'],
      ),
    ).toEqual(['Brent', 'Norland']);
  });

  it('joins the parts of a name, and keeps its spelling', () => {
    expect(shared('Talks with Smith-Marlow of NordBank end', 'Smith-Marlow leaves talks with NordBank')).toEqual([
      'Smith-Marlow',
      'NordBank',
      'Talks',
    ]);
    expect(shared('They met Ada Brent today', 'He saw Brent as Ada left')).toEqual(['Ada Brent']);
    expect(shared('Northport’s mayor resigns', 'The mayor of Northport')).toEqual(['Northport', 'mayor']);
  });

  it('takes no word for a name that is capitalised as the others are, or begins a sentence', () => {
    expect(shared('Ferries Return to Old Harbour Quay', 'Ferries return to the quay')).toEqual([
      'Ferries',
      'Return',
      'Quay',
    ]);
    expect(shared('Storm hits the coast', ['Gale: a coast in danger', 'Storm damage is great.'])).toEqual(['coast']);
    expect(shared('Why Ada Brent LOSES her case', 'Today Ada Brent loses')).toEqual(['Ada Brent', 'LOSES']);
    expect(shared('Ferries of NORTHCO return', 'A NORTHCO ferry is late')).toContain('NORTHCO');
    expect(shared('FERRIES RETURN AT LAST', 'ferries at last return')).toEqual(['FERRIES', 'RETURN', 'LAST']);
  });

  it('has no stop words, no short words that are no names, and nothing of a single report', () => {
    expect(shared('What they did with an old car', 'With an old car they did what')).toEqual([]);
    expect(shared('Harbour of Port Vale closes 12 docks')).toEqual([]);
    expect(shared('Harbour of Port Vale', 'Cinema of Northport')).toEqual([]);
  });

  it('joins the words of a language without spaces that are shared, as they are together in a title', () => {
    expect(shared('南港市大橋が通行止めになった', '通行止めの南港市大橋、再開へ')).toEqual(['南港市大橋', '通行止め']);
    expect(shared('ExampleSoft 发布新模型', '新模型由 ExampleSoft 推出')).toEqual(['ExampleSoft', '新模型']);
  });

  it('has at most six parts of a title, of words that two reports have, whatever they are', () => {
    const text = anyText(60);
    const report = fc.record({ title: text, summary: fc.option(text), language: fc.option(text) });
    const spaced = fc.array(fc.constantFrom('Ada', 'Brent', 'port', '12', '橋', '通行', '-', 'the'), { maxLength: 9 });
    const made = spaced.map((words) => ({ title: words.join(' '), summary: null, language: 'en' }));
    fc.assert(
      fc.property(fc.array(fc.oneof(report, made), { maxLength: 5 }), (reports) => {
        const words = sharedWords(reports);
        expect(words.length).toBeLessThanOrEqual(6);
        expect(new Set(words).size).toBe(words.length);
        for (const word of words) expect(reports.some(({ title }) => title.includes(word))).toBe(true);
      }),
    );
  });

  it('takes no longer for hostile titles than for others', () => {
    const long = (part: string) => ({ title: part.repeat(100_000), summary: part.repeat(100_000), language: null });
    for (const part of ['a', 'Aa ', '橋', "'", '-A', ' ', '\ud800']) {
      expect(sharedWords(Array.from({ length: 300 }, () => long(part))).join('').length).toBeLessThanOrEqual(400);
    }
  });
});
