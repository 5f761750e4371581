import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideGroups, type GroupCommand, GroupCommandError } from '../../../src/outlets/story-groups/commands.ts';
import { firstItemOf, newItems, type StoryGroup } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { automaticGroup, groupedItem } from '../../support/outlet-items.ts';
import { runs } from '../../support/run-scope.ts';

const GROUP = automaticGroup(groupedItem(1), groupedItem(2), groupedItem(3));

function decide(groups: StoryGroup[], command: GroupCommand, editor = 'Ada', seen?: number[]) {
  return decideGroups(groups, command, { editor, now: NOW, seen, newArticleId: `roundup-${groups[0]?.id}` });
}

function given(group: StoryGroup, ...commands: GroupCommand[]): StoryGroup {
  return commands.reduce((current, command) => decide([current], command).changed[0] as StoryGroup, group);
}

const PICK: GroupCommand = { kind: 'pick', text: 'A sentence of our own.' };

describe('decideGroups', () => {
  it('freezes a group with the sentence of the editor when it is picked', () => {
    expect(given(GROUP, PICK).decision).toMatchObject({
      ...{ state: 'picked', pickedBy: 'editor', text: 'A sentence of our own.', headline: null, firstItem: 1 },
      ...{ pickedAt: NOW, articleId: 'roundup-1', creditedItems: [1, 2, 3], editor: 'Ada', revision: 1 },
    });
  });

  it('credits only the reports that the editor saw, and counts the others as new', () => {
    const [picked] = decide([GROUP], PICK, 'Ada', [1, 3]).changed as [StoryGroup];
    expect(picked.decision?.creditedItems).toEqual([1, 3]);
    expect(newItems(picked).map(({ id }) => id)).toEqual([2]);
    expect(newItems(given(picked, { kind: 'edit' }))).toEqual([]);
  });

  it('lets no report take the first place of a picked one, however early it is dated', () => {
    const late = automaticGroup(groupedItem(2), groupedItem(3));
    const antedated = groupedItem(1, { title: 'Never seen' });
    const [picked] = decide([{ ...late, items: [antedated, ...late.items] }], PICK, 'Ada', [2, 3]).changed;
    for (const commands of [[], [{ kind: 'edit', text: 'Again.' }], [{ kind: 'edit' }, PICK]] as GroupCommand[][]) {
      expect(firstItemOf(given(picked as StoryGroup, ...commands)).id).toBe(2);
    }
    const merged = decide([given(late, PICK), automaticGroup(antedated)], { kind: 'merge' }).changed[0];
    expect(firstItemOf(merged as StoryGroup).id).toBe(2);
    const rest = decide([picked as StoryGroup], { kind: 'split', items: [2] }).changed[0];
    expect(firstItemOf(rest as StoryGroup).id).toBe(3);
  });

  it('names the earliest that is no video, opinion piece or digest first, if there is one', () => {
    const forms = ['Video: Quay', 'Opinion: The Quay', 'Morning briefing: The Quay'].map((title, index) =>
      groupedItem(index + 1, { title }),
    );
    const plain = automaticGroup(...forms, groupedItem(4), groupedItem(5));
    expect(firstItemOf(plain).id).toBe(4);
    for (const command of [PICK, { kind: 'rule' }] satisfies GroupCommand[]) {
      expect(given(plain, command).decision?.firstItem).toBe(4);
    }
    expect(given(plain, { ...PICK, first: 2 }, { kind: 'edit' }).decision?.firstItem).toBe(2);
    expect(firstItemOf(automaticGroup(...forms)).id).toBe(1);
  });

  it('takes back a drop and a pick, and picks again as the same article', () => {
    expect(given(GROUP, { kind: 'drop' }, { kind: 'restore' }).decision?.state).toBe('open');
    const restored = given(GROUP, PICK, { kind: 'restore' });
    expect(restored.decision).toMatchObject({ state: 'open', articleId: 'roundup-1', revision: 2 });
    const again = decideGroups([restored], PICK, { editor: 'Ada', now: NOW + 9, newArticleId: 'another' });
    expect(again.changed[0]?.decision).toMatchObject({ state: 'picked', articleId: 'roundup-1', pickedAt: NOW });
  });

  it('names another outlet first, and credits it in a picked group', () => {
    expect(given(GROUP, { kind: 'first', item: 3 }).decision).toMatchObject({ state: 'open', firstItem: 3 });
    const [picked] = decide([GROUP], PICK, 'Ada', [1, 2]).changed as [StoryGroup];
    expect(given(picked, { kind: 'first', item: 3 }).decision).toMatchObject({
      firstItem: 3,
      creditedItems: [1, 2, 3],
    });
    expect(() => decide([GROUP], { kind: 'first', item: 9 })).toThrow('report 9 is not in this group: it has 1, 2, 3');
  });

  it('keeps the decision and its article with the reports that stay, when others leave', () => {
    const picked = given(GROUP, PICK, { kind: 'first', item: 1 });
    const { changed, removed } = decide([picked], { kind: 'split', items: [1] });
    expect(changed.map(({ id, items, decision }) => [id, items.map((one) => one.id), decision?.state])).toEqual([
      [2, [2, 3], 'picked'],
      [1, [1], 'open'],
    ]);
    expect(changed[0]?.decision).toMatchObject({ articleId: 'roundup-1', firstItem: 2, creditedItems: [2, 3] });
    expect(changed[1]?.decision).toMatchObject({ articleId: null });
    expect(removed).toEqual([]);
  });

  it('merges groups into the one that is picked, and refuses to merge two of these', () => {
    const other = automaticGroup(groupedItem(7), groupedItem(8));
    const picked = given(GROUP, PICK);
    const { changed, removed } = decide([other, picked], { kind: 'merge' });
    expect(removed).toEqual([7]);
    expect(changed).toMatchObject([{ id: 1, decision: { state: 'picked', creditedItems: [1, 2, 3, 7, 8] } }]);
    expect(decide([picked, other], { kind: 'merge' }, 'Ada', [1, 2, 3, 8]).changed[0]?.decision).toMatchObject({
      creditedItems: [1, 2, 3, 8],
    });
    expect(changed[0]?.items.map(({ id }) => id)).toEqual([1, 2, 3, 7, 8]);
    const byRule = given(other, { kind: 'rule' });
    for (const second of [given(other, PICK), byRule]) {
      expect(() => decide([second, picked], { kind: 'merge' })).toThrow(
        '2 of these groups are picked, and one article remains of a group: drop the others first',
      );
      expect(decide([given(second, { kind: 'drop' }), picked], { kind: 'merge' }).changed).toMatchObject([{ id: 1 }]);
    }
    expect(() => decide([picked], { kind: 'merge' })).toThrow('merge takes two groups or more');
    expect(() => decide([picked, picked], { kind: 'merge' })).toThrow('these reports are in one group already');
  });

  it('lets a rule in, credits newcomers of its picks, and never overrules an editor', () => {
    const byRule = given(GROUP, { kind: 'rule' });
    expect(byRule.decision).toMatchObject({ pickedBy: 'rule', text: null, creditedItems: [1, 2, 3] });
    const grown = { ...byRule, items: [...byRule.items, groupedItem(4)] };
    expect(given(grown, { kind: 'rule' }).decision?.creditedItems).toEqual([1, 2, 3, 4]);
    // A report that comes later with an earlier date takes no headline and no link.
    const backdated = { ...byRule, items: [groupedItem(4), ...byRule.items] };
    expect(firstItemOf(given(backdated, { kind: 'rule' })).id).toBe(1);
    for (const decided of [
      byRule,
      given(GROUP, PICK),
      given(GROUP, { kind: 'drop' }),
      given(byRule, { kind: 'drop' }),
    ]) {
      expect(decide([decided], { kind: 'rule' }).changed).toEqual([]);
    }
    expect(decide([given(GROUP, PICK, { kind: 'restore' })], { kind: 'rule' }).changed).toEqual([]);
    expect(given(GROUP, { kind: 'drop' }, { kind: 'restore' }, { kind: 'rule' }).decision?.state).toBe('picked');
    expect(() => given(byRule, { kind: 'restore' })).toThrow('a rule picked it, and would pick it again: drop it');
    expect(given(byRule, { kind: 'drop' }, { kind: 'restore' }, { kind: 'rule' }).decision?.state).toBe('picked');
    expect(given(byRule, PICK).decision).toMatchObject({ pickedBy: 'editor', articleId: 'roundup-1' });
  });

  it('lets a rule credit certain reports, what was credited before, and what an editor saw in an open group', () => {
    const [sure, unsure] = [groupedItem(2), groupedItem(1, { isCertain: false })];
    const byRule = given(automaticGroup(unsure, sure, groupedItem(3)), { kind: 'rule' });
    expect(byRule.decision).toMatchObject({ firstItem: 2, creditedItems: [2, 3] });
    expect(newItems(byRule).map(({ id }) => id)).toEqual([1]);
    const items = [...byRule.items.map((item) => ({ ...item, isCertain: false })), groupedItem(4)];
    const grown = given({ ...byRule, items: [...items, groupedItem(5, { isCertain: false })] }, { kind: 'rule' });
    expect(grown.decision).toMatchObject({ firstItem: 2, creditedItems: [2, 3, 4] });
    expect(decide([automaticGroup(unsure)], { kind: 'rule' }).changed).toEqual([]);
    const [merged] = decide([automaticGroup(unsure), automaticGroup(sure)], { kind: 'merge' }).changed;
    const late = groupedItem(3, { isCertain: false });
    const joined = { ...(merged as StoryGroup), items: [...(merged as StoryGroup).items, late] };
    expect(given(joined, { kind: 'rule' }).decision?.creditedItems).toEqual([1, 2]);
    const [unseen] = decide([automaticGroup(unsure), automaticGroup(sure)], { kind: 'merge' }, 'Ada', [2]).changed;
    expect(given(unseen as StoryGroup, { kind: 'rule' }).decision?.creditedItems).toEqual([2]);
  });

  it.each([
    ['the sentence is empty', { kind: 'pick', text: ' \u200b ' }],
    ['the sentence has 2001 characters: at most 2000 are allowed', { kind: 'pick', text: 'x'.repeat(2_001) }],
    ['the headline is empty', { kind: 'pick', text: 'x', headline: '\u0007' }],
    ['no report of it has a picture', { kind: 'pick', text: 'x', hasPicture: true }],
    ['it is not picked: use pick', { kind: 'edit', text: 'x' }],
    ['there is nothing to take back', { kind: 'restore' }],
    ['all its reports would leave', { kind: 'split', items: [1, 2, 3] }],
    ['name the reports that leave', { kind: 'split', items: [] }],
  ] satisfies [string, GroupCommand][])('refuses a command that does not suit the group: %s', (reason, command) => {
    expect(() => decide([GROUP], command)).toThrow(reason);
  });

  it('stores what the editor typed without control characters', () => {
    const { decision } = given(GROUP, { kind: 'pick', text: '\u001b[31mred\u202e\r\nline', headline: 'a\u0000b\nc' });
    expect(decision).toMatchObject({ text: '[31mred\nline', headline: 'ab c' });
  });

  it('keeps each report in one group, and frozen groups together, after any commands of two editors', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const world = new World();
        for (const one of steps) world.take(one);
      }),
      { numRuns: runs(60) },
    );
  });
});

interface Step {
  kind: GroupCommand['kind'] | 'regroup';
  /** Which group, which others, and which of its items. */
  which: number;
  other: number;
  items: number[];
  editor: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('pick', 'edit', 'first', 'drop', 'restore', 'merge', 'split', 'rule', 'regroup'),
  which: fc.nat(20),
  other: fc.nat(20),
  items: fc.array(fc.nat(12), { maxLength: 3 }),
  editor: fc.constantFrom('Ada', 'Bo'),
});

/** A store of 12 items in memory. */
class World {
  readonly groups = new Map<number, StoryGroup>();
  #articles = 0;

  constructor() {
    for (let id = 1; id <= 12; id++) this.#set(automaticGroup(groupedItem(id)));
  }

  #set(group: StoryGroup): void {
    this.groups.set(group.id, group);
  }

  take({ kind, which, other, items, editor }: Step): void {
    if (kind === 'regroup') this.#regroup(which + 2);
    else this.#command(kind, which, other, items, editor);
    this.#check();
  }

  /** Puts automatic items into as many groups; some attach to a frozen group. */
  #regroup(count: number): void {
    const automatic = [...this.groups.values()].filter(({ decision }) => decision === null);
    const frozen = [...this.groups.values()].filter(({ decision }) => decision !== null);
    for (const { id } of automatic) this.groups.delete(id);
    const free = automatic.flatMap((group) => group.items);
    const [attached] = count % 2 === 0 && frozen.length > 0 ? free.splice(0, 1) : [];
    const [target] = frozen;
    if (attached !== undefined && target !== undefined) this.#set({ ...target, items: [...target.items, attached] });
    for (const members of Map.groupBy(free, ({ id }) => id % count).values()) this.#set(automaticGroup(...members));
  }

  #command(kind: GroupCommand['kind'], which: number, other: number, chosen: number[], editor: string): void {
    const all = [...this.groups.values()];
    const group = all[which % all.length] as StoryGroup;
    const members = chosen.map((index) => group.items[index % group.items.length]?.id as number);
    const groups = kind === 'merge' ? [group, all[other % all.length] as StoryGroup] : [group];
    const frozenBefore = all.filter((one) => one.decision !== null && !groups.includes(one));
    try {
      const command = { kind, text: 'ours', item: members[0] ?? 99, items: members } as GroupCommand;
      const newArticleId = `article-${++this.#articles}`;
      const { changed, removed } = decideGroups(groups, command, { editor, now: NOW, newArticleId });
      for (const id of removed) this.groups.delete(id);
      for (const one of changed) this.#set(one);
    } catch (error) {
      if (!(error instanceof GroupCommandError)) throw error;
    }
    for (const one of frozenBefore) expect(this.groups.get(one.id)).toBe(one);
  }

  #check(): void {
    const all = [...this.groups.values()];
    const items = all.flatMap((group) => group.items.map(({ id }) => id));
    expect(items.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    for (const { id, items: members } of all) expect(members.map((one) => one.id)).toContain(id);
    const articles = all.flatMap(({ decision }) => decision?.articleId ?? []);
    expect(new Set(articles).size).toBe(articles.length);
    for (const { decision, items: members } of all) {
      if (decision?.state !== 'picked') continue;
      expect(decision.articleId).not.toBeNull();
      expect(decision.creditedItems.length).toBeGreaterThan(0);
      expect(members.map(({ id }) => id)).toEqual(expect.arrayContaining(decision.creditedItems));
    }
  }
}
