import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalHash } from '../../../src/editions/draft/approval.ts';
import { parseBlock } from '../../../src/editions/draft/commands.ts';
import { DRAFT_BLOCKS, type DraftCommand, NO_DECISIONS } from '../../../src/editions/draft/decisions.ts';
import { anyText } from '../../support/any-text.ts';
import { AT, Desk, drop, LISTED, moveTo, subject } from './editors.ts';

const pin = (story: string): DraftCommand => ({ kind: 'pin', story });
const restore = (story: string): DraftCommand => ({ kind: 'restore', story });
const hold = (reason: string | null = null): DraftCommand => ({ kind: 'hold', reason });
const UNHOLD: DraftCommand = { kind: 'unhold' };

/** The decisions after the commands. */
function decide(...commands: DraftCommand[]) {
  const desk = new Desk();
  for (const command of commands) expect(desk.give('ada', command).kind).toBe('changed');
  return desk.draft.decisions;
}

describe('texts', () => {
  it('are the editor’s, or the automatic ones again', () => {
    const texts: DraftCommand[] = [
      subject('Chips'),
      { kind: 'preheader', text: 'Makers ship more' },
      { kind: 'note', text: 'Good morning.\n\n- One\n- Two' },
    ];
    expect(decide(...texts)).toEqual({
      ...NO_DECISIONS,
      ...{ subject: 'Chips', preheader: 'Makers ship more', note: 'Good morning.\n\n- One\n- Two' },
    });
    const removed = (['subject', 'preheader', 'note'] as const).map((kind): DraftCommand => ({ kind, text: null }));
    expect(decide(...texts, ...removed)).toEqual(NO_DECISIONS);
  });

  it('are one line without control characters, lone surrogates and changes of direction', () => {
    expect(decide(subject(' Chips\r\nBcc: x@example.com\0\u202e \ud800\u2066!\u2028')).subject).toBe(
      'Chips Bcc: x@example.com \ufffd!',
    );
  });

  it('of a note keep their lines, without other control characters and lone surrogates', () => {
    const { note } = decide({ kind: 'note', text: '\n One\0\x1b[31m\ttwo\r\nthree \udfff ' });
    expect(note).toBe('One[31m\ttwo\nthree \ufffd');
  });

  it('are bounded, and not empty', () => {
    const give = (command: DraftCommand) => () => new Desk().give('ada', command);
    const long = 'x'.repeat(10_000);
    expect(give(subject(long))).toThrow('the subject has 10000 characters: at most 200 are allowed');
    expect(give({ kind: 'preheader', text: long })).toThrow('the preheader has 10000 characters: at most 300');
    expect(give({ kind: 'note', text: long })).toThrow('the note has 10000 characters: at most 2000 are allowed');
    expect(give(hold(long))).toThrow('the reason has 10000 characters: at most 200 are allowed');
    expect(give(subject(' \u202e\n'))).toThrow(
      'the subject is empty: to restore the automatic one, use "daywire editions subject daily/2026-11-24 --auto"',
    );
    expect(give(hold(' '))).toThrow('the reason is empty: leave it out');
    expect(new Desk().give('ada', { kind: 'note', text: ' \n' })).toEqual({ kind: 'unchanged' });
  });

  it('of any characters can be stored, and are the same when read', () => {
    fc.assert(
      fc.property(anyText(60), fc.constantFrom('subject', 'preheader', 'note'), (text, kind) => {
        const desk = new Desk();
        try {
          desk.give('ada', { kind, text });
        } catch (error) {
          expect((error as Error).name).toBe('DraftCommandError');
          return;
        }
        const value = desk.draft.decisions[kind];
        expect(JSON.parse(JSON.stringify(desk.draft))).toEqual(desk.draft);
        expect(value === null || value.isWellFormed()).toBe(true);
        if (kind !== 'note') expect(value).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });
});

describe('drop, pin and restore', () => {
  it('decide about a story, whether it is shown or not', () => {
    expect(decide(drop('n1'), pin('old'), drop('r1')).stories).toEqual({
      n1: { kind: 'dropped' },
      old: { kind: 'pinned' },
      r1: { kind: 'dropped' },
    });
    expect(decide(drop('n1'), pin('n1')).stories).toEqual({ n1: { kind: 'pinned' } });
    expect(decide(drop('n1'), restore('n1'))).toEqual(NO_DECISIONS);
  });

  it('keep the place of a story that is dropped and restored', () => {
    const { blocks, stories } = decide(moveTo('n3', 'news', { kind: 'first' }), drop('n1'), restore('n1'));
    expect(blocks).toEqual({ news: ['n3', 'n1', 'n2'] });
    expect(stories).toEqual({ n3: { kind: 'placed', block: 'news' } });
  });

  it('take a moved story out of the order of its block', () => {
    expect(decide(moveTo('a1', 'news'), moveTo('n3', 'news', { kind: 'first' }), restore('a1')).blocks).toEqual({
      news: ['n3', 'n1', 'n2'],
    });
  });

  it('leave a block in automatic order without its last moved story', () => {
    expect(decide(moveTo('n3', 'news', { kind: 'first' }), restore('n3'))).toEqual(NO_DECISIONS);
    expect(decide(moveTo('n3', 'lead'), restore('n3'))).toEqual(NO_DECISIONS);
  });

  it('accept a thousand stories', () => {
    const desk = new Desk();
    const give = (command: DraftCommand) => () => desk.give('ada', command);
    const stories = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, n) => [`s${n}`, { kind: 'dropped' as const }]),
    );
    desk.draft = { ...desk.draft, decisions: { ...NO_DECISIONS, stories } };
    expect(give(drop('n1'))).toThrow('1000 stories are dropped, pinned or moved, which is the most: restore one first');
    expect(desk.give('ada', pin('s1')).kind).toBe('changed');
    expect(desk.give('ada', restore('s1')).kind).toBe('changed');
    expect(desk.give('ada', drop('n1')).kind).toBe('changed');
  });
});

describe('move', () => {
  it('puts a story into a block, at the place that was named', () => {
    const order = (place: Parameters<typeof moveTo>[2]) => decide(moveTo('a1', 'news', place)).blocks.news;
    expect(order({ kind: 'first' })).toEqual(['a1', 'n1', 'n2', 'n3']);
    expect(order({ kind: 'last' })).toEqual(['n1', 'n2', 'n3', 'a1']);
    expect(order({ kind: 'before', story: 'n2' })).toEqual(['n1', 'a1', 'n2', 'n3']);
    expect(order({ kind: 'after', story: 'n3' })).toEqual(['n1', 'n2', 'n3', 'a1']);
    expect(decide(moveTo('n1', 'news', { kind: 'after', story: 'n2' }))).toMatchObject({
      blocks: { news: ['n2', 'n1', 'n3'] },
      stories: { n1: { kind: 'placed', block: 'news' } },
    });
  });

  it('next to a story that has left lands at the end of the block, and says so', () => {
    for (const kind of ['before', 'after'] as const) {
      const { changes, notices } = new Desk().plan('ada', moveTo('a1', 'news', { kind, story: 'gone' }));
      expect(notices).toEqual(['gone is no longer in the block news: a1 is at its end']);
      expect(changes).toContainEqual({ field: 'block:news', value: ['n1', 'n2', 'n3', 'a1'], base: 0 });
    }
    expect(new Desk().plan('ada', moveTo('a1', 'news', { kind: 'after', story: 'n3' })).notices).toEqual([]);
  });

  it('to the lead names one story, whatever the place', () => {
    const decisions = decide(moveTo('n1', 'lead'), moveTo('n2', 'lead', { kind: 'after', story: 'n1' }));
    expect(decisions.blocks).toEqual({ lead: ['n2'] });
  });

  it('into an empty block is the first of its order', () => {
    expect(decide(moveTo('n1', 'latest', { kind: 'first' })).blocks).toEqual({ latest: ['n1'] });
  });

  it('of a roundup item is possible within the roundup alone, which credits its outlet', () => {
    for (const block of DRAFT_BLOCKS.filter((one) => one !== 'roundup')) {
      expect(() => new Desk().give('ada', moveTo('r1', block))).toThrow(
        'r1 is a roundup item: it can only be in the block roundup, which credits its outlet',
      );
    }
    expect(decide(moveTo('r1', 'roundup', { kind: 'first' })).blocks).toEqual({ roundup: ['r1'] });
    expect(decide(moveTo('n1', 'roundup', { kind: 'before', story: 'r1' })).blocks).toEqual({ roundup: ['n1', 'r1'] });
  });
});

describe('hold, unhold and approve', () => {
  it('change the state, and leave the decisions alone', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ada', hold(' waiting for\na call '));
    expect(desk.draft.state).toEqual({ kind: 'held', by: 'ada', at: AT, reason: 'waiting for a call' });
    desk.give('ben', UNHOLD);
    expect(desk.draft.state).toEqual({ kind: 'automatic' });
    desk.approve('ben');
    expect(desk.draft.state).toMatchObject({ kind: 'approved', by: 'ben', at: AT, stories: LISTED });
    desk.give('ada', hold());
    expect(desk.draft.state).toMatchObject({ kind: 'held', by: 'ada', reason: null });
    expect(desk.draft.decisions).toEqual({ ...NO_DECISIONS, subject: 'Chips' });
  });

  it('are refused where they do not suit the state', () => {
    const desk = new Desk();
    expect(() => desk.give('ada', UNHOLD)).toThrow('it is not held, but automatic');
    desk.give('ada', hold());
    expect(() => desk.give('ben', hold())).toThrow('it is held by ada already');
    expect(() => desk.approve('ben')).toThrow(
      'it is held by ada: to let it go first, use "daywire editions unhold daily/2026-11-24"',
    );
    desk.draft = { ...desk.draft, state: { kind: 'closed', at: AT, stories: LISTED } };
    for (const command of [hold(), UNHOLD]) expect(() => desk.give('ada', command)).toThrow('the edition is closed');
    expect(() => desk.approve('ada')).toThrow('the edition is closed: pause or reissue it instead');
  });

  it('approve only what the editor has seen', () => {
    const desk = new Desk();
    const hash = approvalHash(desk.draft.decisions, LISTED);
    desk.give('ben', drop('n1'));
    expect(() => desk.give('ada', { kind: 'approve', hash, stories: LISTED })).toThrow(
      'it has changed since you saw it',
    );
    const other = LISTED.slice(1);
    const seen = approvalHash(desk.draft.decisions, LISTED);
    expect(() => desk.give('ada', { kind: 'approve', hash: seen, stories: other })).toThrow('it has changed');
    expect(desk.give('ada', { kind: 'approve', hash: seen, stories: LISTED }).kind).toBe('changed');
  });
});

describe('parseBlock', () => {
  it('lists the blocks where a name is none', () => {
    expect(parseBlock('news')).toBe('news');
    for (const name of ['also', '__proto__', '']) {
      expect(() => parseBlock(name)).toThrow('the blocks are lead, news, analysis, roundup, latest');
    }
  });
});
