import { describe, expect, it } from 'vitest';
import { type Action, ActionableError, withCommands, withDeskWords } from '../../src/core/actions.ts';

const RESUME: Action = { to: 'resume it', command: 'editions resume a/b', desk: '“Resume” under Deliveries' };
const CANCEL: Action = { to: 'cancel it', command: 'editions cancel a/b', desk: '“Cancel” under Deliveries' };
const CANCEL_OTHER: Action = { ...CANCEL, command: 'editions cancel a/c' };
const COMPOSE: Action = { to: 'close it', command: 'compose a --slot b', desk: null };

describe('a problem', () => {
  it('is the text itself where nothing can be done', () => {
    for (const problem of ['It is so.', 'it is so', '']) {
      expect(withCommands(problem, [])).toBe(problem);
      expect(withDeskWords(problem, [])).toBe(problem);
    }
  });

  it('is followed by a sentence where it is one', () => {
    expect(withCommands('a/b is paused.', [RESUME])).toBe(
      'a/b is paused. To resume it, use "daywire editions resume a/b".',
    );
    expect(withDeskWords('a/b is paused.', [RESUME])).toBe(
      'a/b is paused. To resume it, use “Resume” under Deliveries.',
    );
    for (const end of ['!', '?', '…']) expect(withCommands(`So${end}`, [RESUME])).toMatch(/^So. To resume it, .*\.$/);
  });

  it('is followed by a colon where it is a phrase', () => {
    expect(withCommands('a/b is paused', [RESUME])).toBe(
      'a/b is paused: to resume it, use "daywire editions resume a/b"',
    );
    expect(withDeskWords('a/b is paused', [RESUME])).toBe('a/b is paused: to resume it, use “Resume” under Deliveries');
  });

  it('names each purpose once, and at the desk each button once', () => {
    const actions = [RESUME, CANCEL, CANCEL_OTHER];
    expect(withCommands('It waits.', actions)).toBe(
      'It waits. To resume it, use "daywire editions resume a/b"; ' +
        'to cancel it, use "daywire editions cancel a/b" and "daywire editions cancel a/c".',
    );
    expect(withDeskWords('It waits.', actions)).toBe(
      'It waits. To resume it, use “Resume” under Deliveries; to cancel it, use “Cancel” under Deliveries.',
    );
  });

  it('sends to the command line for what the desk does not have', () => {
    expect(withDeskWords('it is open', [COMPOSE])).toBe('it is open: to close it, use the command line of the server');
    expect(withCommands('it is open', [COMPOSE])).toBe('it is open: to close it, use "daywire compose a --slot b"');
  });
});

it('an error has the commands in its message, and the problem and the actions apart', () => {
  class TestError extends ActionableError {}
  const error = new TestError('a/b is paused', [RESUME]);
  expect(error.message).toBe('a/b is paused: to resume it, use "daywire editions resume a/b"');
  expect(error).toMatchObject({ problem: 'a/b is paused', actions: [RESUME] });
  expect(new TestError('it is so')).toMatchObject({ message: 'it is so', problem: 'it is so', actions: [] });
});
