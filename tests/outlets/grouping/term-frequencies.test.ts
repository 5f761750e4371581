import { describe, expect, it } from 'vitest';
import { frequenciesOf, sumFrequencies } from '../../../src/outlets/grouping/term-frequencies.ts';
import { groupingItem } from './items.ts';

const merger = [groupingItem(1, 'Northwind buys Contoso'), groupingItem(2, 'Contoso is bought by Northwind')];
const strike = [groupingItem(3, 'Contoso workers strike', { summary: 'Contoso struggles.' })];

describe('term frequencies', () => {
  it('count a term once a group, however many of its reports have it', () => {
    const english = frequenciesOf([merger, strike]).get('en');
    expect(english?.groups).toBe(2);
    expect(Object.fromEntries(english?.terms ?? [])).toMatchObject({ northwind: 1, contoso: 2, struggl: 1 });
  });

  it('are apart by language', () => {
    const frequencies = frequenciesOf([[...merger, groupingItem(4, '星河科技收购远图软件', { language: 'zh-Hans' })]]);
    expect([...frequencies].map(([language, { groups }]) => [language, groups])).toEqual([
      ['en', 1],
      ['zh', 1],
    ]);
  });

  it('hold words that are names of properties', () => {
    const terms = frequenciesOf([[groupingItem(1, '__proto__ constructor hasOwnProperty', { language: null })]]);
    expect(terms.get('und')?.terms.get('constructor')).toBe(1);
  });

  it('of several days add up', () => {
    const sum = sumFrequencies([frequenciesOf([merger]), frequenciesOf([strike]), frequenciesOf([])]);
    expect(sum).toEqual(frequenciesOf([merger, strike]));
  });
});
