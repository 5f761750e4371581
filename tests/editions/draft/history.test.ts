import { describe, expect, it } from 'vitest';
import { approvalHash } from '../../../src/editions/draft/approval.ts';
import { NO_DECISIONS } from '../../../src/editions/draft/decisions.ts';
import { changeDraft, closeWith, withdrewApproval } from '../../../src/editions/draft/history.ts';
import { AT, Desk, drop, LISTED, moveTo, subject } from './editors.ts';

const STALE = () => 0;
const note = (text: string) => ({ kind: 'note', text }) as const;

describe('two editors', () => {
  it('change different fields, whatever the other did meanwhile', () => {
    const desk = new Desk();
    expect(desk.give('ada', subject('Chips'), STALE).kind).toBe('changed');
    expect(desk.give('ben', drop('n1'), STALE).kind).toBe('changed');
    expect(desk.give('ada', drop('n2'), STALE).kind).toBe('changed');
    expect(desk.draft.decisions).toMatchObject({ subject: 'Chips', stories: { n1: { kind: 'dropped' } } });
    expect(Object.keys(desk.draft.decisions.stories)).toEqual(['n1', 'n2']);
  });

  it('cannot overwrite each other: the second change of a field is refused with both values', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    expect(desk.give('ben', subject('Solar'), STALE)).toEqual({
      kind: 'refused',
      conflicts: [{ field: 'subject', wanted: 'Solar', current: 'Chips' }],
    });
    expect(desk.draft.decisions.subject).toBe('Chips');
    expect(desk.log).toHaveLength(1);
  });

  it('change nothing if one of several fields is refused', () => {
    const desk = new Desk();
    desk.give('ada', moveTo('n3', 'news', { kind: 'first' }));
    const before = desk.draft;
    expect(desk.give('ben', moveTo('a1', 'news'), STALE)).toEqual({
      kind: 'refused',
      conflicts: [{ field: 'block:news', wanted: ['n1', 'n2', 'n3', 'a1'], current: ['n3', 'n1', 'n2'] }],
    });
    expect(desk.draft).toBe(before);
  });

  it('do not contradict each other where both want the same', () => {
    const desk = new Desk();
    desk.give('ada', drop('n1'));
    expect(desk.give('ben', drop('n1'), STALE)).toEqual({ kind: 'unchanged' });
    expect(desk.log).toHaveLength(1);
  });
});

describe('a change', () => {
  it('is logged with its number, its author, its time, and both values', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ben', subject('Solar'));
    expect(desk.log[1]).toEqual({
      number: 2,
      at: AT,
      editor: 'ben',
      command: { kind: 'subject', text: 'Solar' },
      changes: [{ field: 'subject', before: 'Chips', after: 'Solar', from: 1, to: 2 }],
      undoes: null,
    });
    expect(desk.draft.revision).toBe(2);
  });

  it('leaves the draft as it is where the field has that value already', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    expect(desk.give('ada', subject('Chips'))).toEqual({ kind: 'unchanged' });
    expect(new Desk().give('ada', subject(null))).toEqual({ kind: 'unchanged' });
    expect(changeDraft(desk.draft, [], { at: AT, editor: 'ada', command: subject(null) })).toEqual({
      kind: 'unchanged',
    });
  });
});

describe('undo', () => {
  it('gives back the former value, command by command, and redo the later one', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ada', subject('Solar'));
    const subjects = (['undo', 'undo', 'redo', 'redo', 'undo'] as const).map((kind) => {
      expect(desk[kind]('ada')?.kind).toBe('changed');
      return desk.draft.decisions.subject;
    });
    expect(subjects).toEqual(['Chips', null, 'Chips', 'Solar', 'Chips']);
    expect(desk.log.map(({ undoes }) => undoes)).toEqual([null, null, 2, 1, 4, 3, 6]);
  });

  it("concerns the editor's own commands alone", () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ben', drop('n1'));
    desk.undo('ada');
    expect(desk.draft.decisions).toEqual({ ...NO_DECISIONS, stories: { n1: { kind: 'dropped' } } });
    expect(desk.undo('ada')).toBeNull();
    expect(desk.redo('ben')).toBeNull();
  });

  it('is refused with both values after a later change of the same field', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ben', subject('Solar'));
    expect(desk.undo('ada')).toEqual({
      kind: 'refused',
      conflicts: [{ field: 'subject', wanted: null, current: 'Solar' }],
    });
    desk.undo('ben');
    expect(desk.undo('ada')?.kind).toBe('changed');
    expect(desk.draft.decisions.subject).toBeNull();
  });

  it('of a move undoes all of it, or nothing', () => {
    const desk = new Desk();
    desk.give('ada', moveTo('a1', 'news'));
    desk.give('ben', moveTo('n3', 'news', { kind: 'first' }));
    const { decisions } = desk.draft;
    expect(desk.undo('ada')).toMatchObject({ kind: 'refused', conflicts: [{ field: 'block:news' }] });
    expect(desk.draft.decisions).toEqual(decisions);
  });

  it('leaves nothing to redo once the editor has given another command', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.undo('ada');
    desk.give('ada', drop('n1'));
    expect(desk.redo('ada')).toBeNull();
  });

  it('lets a command be given on the former value, as if it had never changed', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.undo('ada');
    expect(desk.give('ben', subject('Solar'), STALE).kind).toBe('changed');
    expect(desk.redo('ada')).toMatchObject({ kind: 'refused', conflicts: [{ wanted: 'Chips', current: 'Solar' }] });
  });
});

describe('an approval', () => {
  function approvedDesk(): Desk {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.approve('ada');
    return desk;
  }

  it('is withdrawn by a change of the decisions, which says so, and restored by its undo', () => {
    const desk = approvedDesk();
    const approved = desk.draft;
    desk.give('ben', drop('n1'));
    expect(desk.draft.state).toEqual({ kind: 'automatic' });
    expect(desk.log.map(withdrewApproval)).toEqual([false, false, true]);
    desk.undo('ben');
    expect(desk.draft).toEqual({ ...approved, revision: 4 });
    desk.redo('ben');
    expect(desk.draft.state).toEqual({ kind: 'automatic' });
    expect(withdrewApproval(desk.log.at(-1) as (typeof desk.log)[0])).toBe(true);
  });

  it('does not come back by the undo of a hold, after a change while it was held', () => {
    const desk = approvedDesk();
    desk.give('ben', { kind: 'hold', reason: null });
    desk.give('cleo', note('Good morning'));
    expect(desk.undo('ben')).toMatchObject({
      kind: 'refused',
      conflicts: [{ field: 'state', wanted: { kind: 'approved' }, current: { kind: 'held', by: 'ben' } }],
    });
    desk.undo('cleo');
    expect(desk.undo('ben')?.kind).toBe('changed');
    expect(desk.draft.state).toMatchObject({ kind: 'approved', by: 'ada' });
  });

  it('that was given again after a change does not prevent the undo of that change', () => {
    const desk = approvedDesk();
    desk.give('ben', drop('n1'));
    desk.approve('ada');
    expect(desk.undo('ben')?.kind).toBe('changed');
    expect(desk.draft).toMatchObject({ state: { kind: 'automatic' }, decisions: { stories: {} } });
  });

  it('is refused if it was planned before another change of the decisions', () => {
    const desk = new Desk();
    const hash = approvalHash(desk.draft.decisions, LISTED);
    const { changes } = desk.plan('ada', { kind: 'approve', hash, stories: LISTED });
    desk.give('ben', drop('n1'));
    expect(changeDraft(desk.draft, changes, { at: AT, editor: 'ada', command: subject(null) })).toMatchObject({
      kind: 'refused',
      conflicts: [{ field: 'state', wanted: { kind: 'approved' }, current: { kind: 'automatic' } }],
    });
  });

  it('does not prevent a hold by an editor who has not seen it', () => {
    const desk = approvedDesk();
    expect(desk.give('ben', { kind: 'hold', reason: null }, STALE).kind).toBe('changed');
    expect(desk.draft.state).toMatchObject({ kind: 'held', by: 'ben' });
    expect(withdrewApproval(desk.log.at(-1) as (typeof desk.log)[0])).toBe(true);
  });
});

describe('closing', () => {
  it('ends order, pins and moves, keeps drops and texts, and says so in the log', () => {
    const desk = new Desk();
    desk.give('ada', subject('Chips'));
    desk.give('ada', drop('n1'));
    desk.give('ada', moveTo('a1', 'news'));
    desk.approve('ada');
    const { draft, entry } = closeWith(desk.draft, { stories: LISTED, editionRevision: 1, now: AT + 1 });
    expect(draft.state).toEqual({ kind: 'closed', at: AT + 1, stories: LISTED });
    expect(draft.decisions).toEqual({ ...NO_DECISIONS, subject: 'Chips', stories: { n1: { kind: 'dropped' } } });
    expect(entry).toMatchObject({ number: 5, editor: 'daywire', command: { kind: 'close', revision: 1 } });
    expect(entry.changes.map(({ field, after }) => [field, after])).toEqual([
      ['state', draft.state],
      ['story:n1', { kind: 'dropped' }],
      ['story:a1', null],
      ['block:news', null],
    ]);
    expect(withdrewApproval(entry)).toBe(false);
  });

  it('ends the countdown, and any undo of commands about stories', () => {
    const desk = new Desk();
    desk.give('ada', drop('n1'));
    const counting = { ...desk.draft, closeAt: AT };
    const { draft, entry } = closeWith(counting, { stories: LISTED, editionRevision: 1, now: AT });
    expect(draft.closeAt).toBeNull();
    desk.draft = draft;
    desk.log.push(entry);
    expect(desk.undo('ada')).toMatchObject({ kind: 'refused', conflicts: [{ field: 'story:n1', wanted: null }] });
    expect(desk.undo('daywire')).toBeNull();
  });
});
