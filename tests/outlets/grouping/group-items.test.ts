import { describe, expect, it } from 'vitest';
import { type GroupingInput, groupItems } from '../../../src/outlets/grouping/group-items.ts';
import type { GroupingItem } from '../../../src/outlets/grouping/grouping-item.ts';
import { NOW } from '../../support/clock.ts';
import { groupingItem, PAST } from './items.ts';

const MERGER = [
  groupingItem(1, 'Northwind agrees to buy rival Contoso for $4.2 billion'),
  groupingItem(2, 'Contoso bought by Northwind in $4.2 billion deal'),
  groupingItem(3, 'Northwind buys Contoso for $4.2 billion'),
];
const STRIKE = groupingItem(4, 'Dock workers in Halvern vote to strike over pay');
const [FIRST, SECOND] = MERGER as [GroupingItem, GroupingItem, GroupingItem];

const group = (
  items: GroupingInput['items'],
  frozen: GroupingInput['frozen'],
  frequencies: GroupingInput['frequencies'],
) => groupItems({ items, frozen, frequencies });

const groupsOf = (...args: Parameters<typeof group>): number[][] => group(...args).groups.map(({ items }) => items);

describe('grouping', () => {
  it('joins reports of one event, and leaves others alone', () => {
    expect(group([...MERGER, STRIKE], [], PAST).groups).toEqual([
      { id: 1, items: [1, 2, 3], certain: [1, 2, 3] },
      { id: 4, items: [4], certain: [4] },
    ]);
  });

  it('names the earliest report first, and the group after it, whatever the ids are', () => {
    const late = { ...FIRST, id: 1, at: NOW + 10_000 };
    const early = { ...SECOND, id: 9, at: NOW };
    expect(group([late, early], [], PAST).groups).toEqual([{ id: 9, items: [9, 1], certain: [9, 1] }]);
  });

  it('does not depend on the order of reports that are equally similar', () => {
    const title = 'Northwind sues Contoso over tyres';
    const [a, b, c] = [1, 2, 3].map((id) => groupingItem(id, title, { outlet: id < 3 ? 'A' : 'B', at: NOW }));
    const orders = [[a, b, c] as GroupingItem[], [b, a, c] as GroupingItem[], [c, b, a] as GroupingItem[]];
    for (const order of orders) expect(groupsOf(order, [], PAST)).toEqual([[1, 3], [2]]);
  });

  it('keeps an outlet to one report in a group', () => {
    const again = groupingItem(2, 'Northwind to buy rival Contoso in $4.2 billion deal', { outlet: FIRST.outlet });
    expect(groupsOf([FIRST, again], [], PAST)).toEqual([[1], [2]]);
    expect(groupsOf([FIRST, { ...again, outlet: 'Another' }], [], PAST)).toEqual([[1, 2]]);
  });

  it('takes reports of other outlets with the same canonical link for copies, whatever their titles', () => {
    const copy = { ...STRIKE, canonicalUrl: FIRST.canonicalUrl };
    expect(groupsOf([FIRST, copy], [], PAST)).toEqual([[1, 4]]);
  });

  it('ignores a link that one outlet gives to several reports, such as its home page', () => {
    const canonicalUrl = 'https://outlet.example/';
    const items = [
      { ...FIRST, canonicalUrl, outlet: 'A' },
      { ...STRIKE, canonicalUrl, outlet: 'A' },
      groupingItem(5, 'Bakers in Orlen win prize for rye bread', { canonicalUrl, outlet: 'B' }),
    ];
    expect(groupsOf(items, [], PAST)).toEqual([[1], [4], [5]]);
  });

  it('keeps languages apart, even if they share all words', () => {
    const french = groupingItem(7, FIRST.title, { language: 'fr-FR' });
    expect(groupsOf([FIRST, french], [], PAST)).toEqual([[1], [7]]);
    expect(groupsOf([FIRST, { ...french, language: 'en-GB' }], [], PAST)).toEqual([[1, 7]]);
  });

  it('joins nothing to a digest, even with the same title or link', () => {
    const title = '10 things to know about Northwind and Contoso';
    const items = [groupingItem(1, title), groupingItem(2, title)];
    expect(groupsOf(items, [], PAST)).toEqual([[1], [2]]);
    const copy = groupingItem(3, title, { canonicalUrl: FIRST.canonicalUrl });
    expect(groupsOf([FIRST, copy], [], PAST)).toEqual([[1], [3]]);
  });

  it('suggests groups that are less similar, and says nothing of those that are not', () => {
    const later = groupingItem(5, 'Regulator asks whether Contoso hid long delays from lenders, savers and Northwind');
    const { groups, suggestions } = group([FIRST, later, STRIKE], [], PAST);
    expect(groups.map(({ items }) => items)).toEqual([[1], [4], [5]]);
    expect(suggestions).toEqual([{ groupId: 1, otherId: 5, similarity: expect.any(Number) }]);
    // One name alone is not enough, nor are two in long texts.
    expect(group([FIRST, groupingItem(6, 'Contoso opens canteen')], [], PAST).suggestions).toEqual([]);
    const words = (from: number) => Array.from({ length: 20 }, (_, index) => `thing${from + index}`).join(' ');
    const long = [0, 50].map((from) =>
      groupingItem(from + 1, `Orlen docks ${words(from)}`, { summary: words(from + 25) }),
    );
    expect(group(long, [], PAST).suggestions).toEqual([]);
  });

  it('joins nothing by two names alone, however rare, and works without a past', () => {
    const both = [
      groupingItem(1, 'Northwind sues Contoso', { summary: 'A judge in Halvern hears the quarrel over tyres.' }),
      groupingItem(2, 'Contoso courts Northwind buyers', { summary: 'Discounts until Friday, shops say.' }),
    ];
    expect(groupsOf(both, [], PAST)).toEqual([[1], [2]]);
    expect(groupsOf([FIRST, SECOND], [], new Map())).toEqual([[1, 2]]);
  });

  it('joins equal short titles without summaries, unless their words are common on past days', () => {
    const equal = [groupingItem(1, 'Northwind sinks'), groupingItem(2, 'Northwind sinks')];
    expect(group(equal, [], PAST).groups).toEqual([{ id: 1, items: [1, 2], certain: [1, 2] }]);
    const terms = new Map(['northwind', 'sink'].map((term) => [term, 400]));
    expect(groupsOf(equal, [], new Map([['en', { groups: 900, terms }]]))).toEqual([[1], [2]]);
  });

  it('compares no call to the reader', () => {
    const reports = (call: string) =>
      ['Dock workers strike', 'Bakers win prize'].map((title, index) =>
        groupingItem(index + 1, title, {
          summary: `${call} the Northwind Press channel for Contoso and Orlen stories.`,
        }),
      );
    expect(group(reports('A judge closes'), [], PAST).suggestions).toHaveLength(1);
    expect(group(reports('Subscribe to'), [], PAST).suggestions).toEqual([]);
  });

  it('joins nothing by the words of a theme that fills the day', () => {
    const theme = Array.from({ length: 30 }, (_, index) =>
      groupingItem(50 + index, `Storms in Halvern and word${index} other${index} thing${index}`),
    );
    const flood = groupingItem(1, 'Heavy summer storms in Halvern flood Orlen station');
    const again = groupingItem(2, 'Storms flood station in Orlen, trains stop in Halvern');
    const groups = groupsOf([...theme, flood, again], [], PAST);
    expect(groups.filter(({ length }) => length > 1)).toEqual([[1, 2]]);
  });

  it('finds by a summary what a title does not tell', () => {
    const vague = groupingItem(8, 'A long courtship ends in Halvern', { summary: null });
    const summary = 'Northwind buys Contoso: owners of Contoso get $4.2 billion from Northwind, the companies said.';
    expect(groupsOf([FIRST, vague], [], PAST)).toEqual([[1], [8]]);
    const { groups, suggestions } = group([FIRST, { ...vague, summary }], [], PAST);
    expect(groups.length === 1 || suggestions.length === 1).toBe(true);
  });
});

describe('the certain items of a group', () => {
  const unlike = groupingItem(
    21,
    'Contoso chief says Northwind terms and $4.2 billion price are fair, and leaves Halvern office to run a vineyard by the sea',
  );

  it('are those that also hold together at a stricter limit', () => {
    expect(group([FIRST, unlike], [], PAST).groups).toEqual([{ id: 1, items: [1, 21], certain: [1] }]);
    expect(group([FIRST, SECOND], [], PAST).groups).toEqual([{ id: 1, items: [1, 2], certain: [1, 2] }]);
  });

  it('are the larger part, even if it is later', () => {
    const early = groupingItem(
      21,
      'Rival Contoso agrees to buy Northwind vineyard by Halvern sea with friends, a painter, two dentists, one sailor, ' +
        'several goats, nine ducks',
      { at: NOW },
    );
    expect(group([early, FIRST, SECOND], [], PAST).groups).toEqual([{ id: 21, items: [21, 1, 2], certain: [1, 2] }]);
  });

  it('are those with the frozen part', () => {
    const frozen = [{ id: 21, items: [21] }];
    expect(group([FIRST, unlike], frozen, PAST).groups).toEqual([{ id: 21, items: [1, 21], certain: [21] }]);
  });

  it('are none in languages without labelled news days', () => {
    const items = [1, 2].map((id) => groupingItem(id, '星河科技将以42亿元收购北风', { language: 'zh' }));
    const past = new Map([['zh', { groups: 900, terms: new Map() }]]);
    expect(group(items, [], past).groups).toEqual([{ id: 1, items: [1, 2], certain: [] }]);
  });
});

describe('suggestions', () => {
  it('are at most ten, new stories first, and never of reports of one outlet', () => {
    const pairs = Array.from({ length: 12 }, (_, index) => [
      groupingItem(100 + index, `Orlen${index} Bridge${index} a${index}a b${index}b c${index}c`),
      groupingItem(200 + index, `Bridge${index} Orlen${index} d${index}d e${index}e f${index}f g${index}g h${index}h`),
    ]).flat();
    const { suggestions } = group(pairs, [], PAST);
    expect(suggestions).toHaveLength(10);
    expect(suggestions.filter(({ groupId, otherId }) => otherId !== groupId + 100)).toEqual([]);
    const ofOne = pairs.map((item) => ({ ...item, outlet: 'One Post' }));
    expect(group(ofOne, [], PAST).suggestions).toEqual([]);
  });

  it('have two single reports first, then the most similar ones, and add an outlet to both groups', () => {
    const single = groupingItem(5, 'A regulator asks whether Contoso hid long delays from lenders and Northwind');
    const words = (from: number, count: number) => Array.from({ length: count }, (_, index) => `thing${from + index}`);
    const docks = [5, 9, 6].map((count, index) =>
      groupingItem(30 + index, ['Halvern docks', ...words(100 * index, count)].join(' ')),
    );
    const { suggestions } = group([FIRST, SECOND, single, ...docks], [], PAST);
    expect(suggestions.map(({ groupId, otherId }) => [groupId, otherId])).toEqual([
      ...[
        [30, 32],
        [30, 31],
        [31, 32],
      ],
      [1, 5],
    ]);
    expect(suggestions[3]?.similarity).toBeGreaterThan(suggestions[0]?.similarity ?? 1);
    for (const title of [single.title, `Zebra: ${single.title}`]) {
      expect(group([FIRST, SECOND, { ...single, title, outlet: FIRST.outlet }], [], PAST).suggestions).toEqual([]);
    }
  });
});

describe('frozen groups', () => {
  it('keep their items, and their id, while newcomers attach', () => {
    const frozen = [{ id: 3, items: [1, 3] }];
    const { groups } = group([...MERGER, STRIKE], frozen, PAST);
    expect(groups.map(({ id, items }) => ({ id, items }))).toEqual([
      { id: 3, items: [1, 2, 3] },
      { id: 4, items: [4] },
    ]);
  });

  it('are never joined with each other, nor suggested', () => {
    const frozen = [
      { id: 1, items: [1] },
      { id: 2, items: [2] },
    ];
    const { groups, suggestions } = group([FIRST, SECOND], frozen, PAST);
    expect(groups.map(({ items }) => items)).toEqual([[1], [2]]);
    expect(suggestions).toEqual([]);
  });

  it('may have an outlet twice if an editor merged them so, but newcomers of it stay out', () => {
    const items = [FIRST, { ...SECOND, outlet: FIRST.outlet }, groupingItem(3, SECOND.title, { outlet: FIRST.outlet })];
    expect(groupsOf(items, [{ id: 1, items: [1, 2] }], PAST)).toEqual([[1, 2], [3]]);
  });

  it('are left out once all of their items are too old to be grouped', () => {
    expect(groupsOf([STRIKE], [{ id: 90, items: [90, 91] }], PAST)).toEqual([[4]]);
  });
});
