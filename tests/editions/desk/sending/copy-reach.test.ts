import { describe, expect, it } from 'vitest';
import { copyReach } from '../../../../src/editions/desk/sending/copy-reach.ts';

const STORIES = Array.from({ length: 12 }, (_, n) => `story-${n}`);

/** Choices are written as the number of their first stories. */
const copyOf = (choice: string) => ({
  stories: Array.from({ length: Number(choice) }, (_, n) => n),
  suppressed: choice === '0' ? 'too few chosen stories: 0 of at least 1' : null,
});

const counted = (...choices: [choice: string, count: number][]) => ({
  choices: choices.map(([choice, count]) => ({ choice, count })),
  total: choices.reduce((sum, [, count]) => sum + count, 0),
});

describe('how many subscribers get how many stories', () => {
  it('groups those who chose, and says who gets none', () => {
    const choices = counted(['12', 1], ['11', 1_200], ['9', 30], ['5', 70], ['4', 1], ['0', 12]);
    expect(copyReach(1_414, STORIES, choices, copyOf)).toEqual({
      confirmed: 1_414,
      mailed: 1_402,
      words:
        '101 get all 12 stories; 1,200 get 10 or more; 100 get 5 to 9; 1 gets 1 to 4; ' +
        '12 get none: too few chosen stories.',
      unread: new Set(),
    });
  });

  it('names the stories that nobody gets, unless somebody chose nothing or a rarer choice', () => {
    const choices = counted(['10', 2], ['0', 1]);
    expect(copyReach(3, STORIES, choices, copyOf).unread).toEqual(new Set(['story-10', 'story-11']));
    expect(copyReach(4, STORIES, choices, copyOf).unread).toEqual(new Set());
    const { unread, mailed, words } = copyReach(5, STORIES, { ...choices, total: 5 }, copyOf);
    expect([unread, mailed, words]).toEqual([
      new Set(),
      4,
      '2 get 10 or more; 1 gets none: too few chosen stories; 2 get what rarer choices give.',
    ]);
  });
});
