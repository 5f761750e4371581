import { describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import { describeState } from '../../../../src/editions/desk/draft/draft-state.ts';
import { untouchedDraft } from '../../../../src/editions/draft/decisions.ts';
import type { LostApproval } from '../../../../src/editions/draft/describe.ts';
import type { Edition } from '../../../../src/editions/queries.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { sampleConfig } from '../../../support/sample.ts';

type Stated = Parameters<typeof describeState>[0];

const SLOT_AT = Date.UTC(2026, 10, 24, 23, 30);
const BEFORE = SLOT_AT - 2 * HOUR;
const newsletter = sampleConfig().newsletters[0] as NewsletterConfig;

/** The state as one text, with instants as hours from the slot. */
function stateOf(changes: Partial<Stated>, now = BEFORE, lost: LostApproval | null = null): string {
  const draft: Stated = {
    newsletter,
    slot: { label: '2026-11-25', slotAt: SLOT_AT },
    draft: untouchedDraft(newsletter.id, '2026-11-25', SLOT_AT),
    ...{ approval: null, obstacle: null, ended: null, edition: null, storyCount: 9, skippedAt: null },
    ...changes,
  };
  const { status, word, parts } = describeState(draft, now, lost);
  const instant = (at: number): string => `${(at - SLOT_AT) / HOUR} h`;
  const text = parts.map((part) =>
    typeof part === 'string' ? part : 'at' in part ? `[${instant(part.at)}]` : `[until ${instant(part.countdown)}]`,
  );
  return `${status} ${word}: ${text.join('')}`;
}

function withState(state: Stated['draft']['state'], changes: Partial<Stated['draft']> = {}): Stated['draft'] {
  return { ...untouchedDraft(newsletter.id, '2026-11-25', SLOT_AT), state, ...changes };
}

describe('the line of an edition', () => {
  it('says when an automatic edition closes, and that a late one is late', () => {
    expect(stateOf({})).toBe('good Automatic: closes by itself [until 0 h]');
    expect(stateOf({}, SLOT_AT + MINUTE)).toBe(
      'good Automatic: late: its slot was [0 h], and it closes with the next check of the schedule',
    );
  });

  it('names who holds it, and why', () => {
    const held = { kind: 'held', by: 'Ada', at: BEFORE, reason: 'A call' } as const;
    expect(stateOf({ draft: withState(held) })).toBe('waiting Held: by Ada, [-2 h]: A call');
    expect(stateOf({ draft: withState({ ...held, reason: null }) })).toBe('waiting Held: by Ada, [-2 h]');
  });

  it('says that it waits for an approval, before and after its slot, and why one does not count', () => {
    const obstacle = { remedy: 'approve', reason: 'not approved' } as const;
    expect(stateOf({ obstacle })).toBe('waiting Waits for approval: its slot is [until 0 h]');
    expect(stateOf({ obstacle, skippedAt: SLOT_AT + 4 * HOUR }, SLOT_AT + HOUR)).toBe(
      'waiting Waits for approval: since its slot, [0 h]; it is given up [until 4 h]',
    );
    const approval = { by: 'Ada', changed: [], gone: ['a'], voided: 'its lead a is no longer available' };
    expect(stateOf({ obstacle, approval })).toBe(
      'waiting Waits for approval: the approval does not count: its lead a is no longer available; ' +
        'its slot is [until 0 h]',
    );
  });

  it('names who approved it', () => {
    const approved = { kind: 'approved', by: 'Ada', at: BEFORE, hash: '', stories: [] } as const;
    expect(stateOf({ draft: withState({ ...approved, stories: [] }) })).toBe(
      'good Approved: by Ada, [-2 h]; closes by itself [until 0 h]',
    );
    const approval = { by: 'Ada', changed: [], gone: ['a'], voided: null };
    expect(stateOf({ draft: withState({ ...approved, stories: [] }), approval })).toContain(
      '; 1 approved story is gone;',
    );
  });

  it('names the approval that it has lost, by whose command, and what happens without one', () => {
    const lost = { by: 'Ada', at: BEFORE - HOUR, cause: 'Ben dropped “Fuel”' };
    expect(stateOf({}, BEFORE, lost)).toBe(
      'waiting Ada’s approval was withdrawn: [-3 h]: Ben dropped “Fuel”. Without one it closes by itself [until 0 h]',
    );
    const obstacle = { remedy: 'approve', reason: 'not approved' } as const;
    expect(stateOf({ obstacle }, BEFORE, lost)).toContain('. It waits for another, its slot is [until 0 h]');
  });

  it('does not call an edition approved whose approval is void', () => {
    const approved = { kind: 'approved', by: 'Ada', at: BEFORE, hash: '', stories: [] } as const;
    const approval = { by: 'Ada', changed: [], gone: ['a'], voided: 'its lead a is no longer available' };
    expect(stateOf({ draft: withState({ ...approved, stories: [] }), approval })).toBe(
      'waiting Approval void: its lead a is no longer available; without an approval it closes by itself [until 0 h]',
    );
  });

  it('shows that it is being sent before everything else', () => {
    const draft = withState({ kind: 'automatic' }, { closeAt: BEFORE + HOUR });
    expect(stateOf({ draft, storyCount: 1 })).toBe('busy Sending: closes [until -1 h] unless that is cancelled');
    const obstacle = { remedy: 'unhold', reason: 'held by Ada' } as const;
    expect(stateOf({ draft, obstacle })).toBe(
      'bad Sending: would close [until -1 h], but nothing is sent then: held by Ada',
    );
  });

  it('says that too few stories send nothing', () => {
    expect(stateOf({ storyCount: 1 })).toBe(
      'waiting Too few stories: 1 story, and daily-roundup needs at least 3: nothing is sent at its slot, [until 0 h]',
    );
    expect(stateOf({ storyCount: 2 }, SLOT_AT + HOUR)).toContain('2 stories, and daily-roundup needs at least 3');
  });

  it('says that a slot is over, and that an edition is closed', () => {
    const remedy = { to: 'close its edition', command: 'compose daily-roundup --slot 2026-11-25', desk: null };
    expect(stateOf({ ended: { problem: 'the slot is over (skipped)', actions: [remedy] } })).toBe(
      'bad Over: the slot is over (skipped): to close its edition, use the command line of the server',
    );
    const edition = { closedAt: SLOT_AT } as Edition;
    expect(stateOf({ edition }, SLOT_AT + HOUR)).toBe(
      'off Closed: at [0 h]. What you change now takes effect when it is reissued.',
    );
  });

  it('says until when an alert may be sent, and what keeps it from being sent', () => {
    const alert = { ...newsletter, kind: 'alert', minimumStories: 1 } as NewsletterConfig;
    expect(stateOf({ newsletter: alert, storyCount: 1 })).toBe('waiting Not sent yet: lapses [until 1 h]');
    const unapproved = { remedy: 'approve', reason: 'not approved' } as const;
    expect(stateOf({ newsletter: alert, obstacle: unapproved, storyCount: 1 })).toBe(
      'waiting Waits for approval: or lapses [until 1 h]',
    );
    const obstacle = { remedy: null, reason: 'not sent within 1 h' } as const;
    expect(stateOf({ newsletter: alert, obstacle, storyCount: 1 })).toBe('bad Cannot be sent: not sent within 1 h');
  });
});
