/** The states of sources: their marks and what they mean. Pure. */

import type { StatusKind } from '../../web/desk/parts/status-mark.ts';
import type { OutletHealth, SiteHealth } from './source-health.ts';

export interface SourceState {
  kind: StatusKind;
  word: string;
  /** What that means, in a sentence; null where the word says it. */
  meaning: string | null;
  /** Whether somebody must act. */
  needsSomebody: boolean;
}

const OUTLET_STATES: Record<NonNullable<OutletHealth['state']>, SourceState> = {
  active: { kind: 'good', word: 'read', meaning: null, needsSomebody: false },
  moved: { kind: 'good', word: 'moved', meaning: 'It is read at its new address.', needsSomebody: false },
  dormant: {
    ...{ kind: 'off', word: 'dormant', needsSomebody: false },
    meaning: 'It has had no news for 30 days, and is polled once a day.',
  },
  waiting: {
    ...{ kind: 'waiting', word: 'asked to wait', needsSomebody: false },
    meaning: 'Its server asked not to be called so often.',
  },
  held: {
    ...{ kind: 'waiting', word: 'held', needsSomebody: true },
    meaning: 'So many items are new that somebody must look at them first.',
  },
  blocked: {
    ...{ kind: 'bad', word: 'blocked', needsSomebody: true },
    meaning: 'Its server does not let daywire in: ask the outlet to. It is tried once a day.',
  },
  failing: {
    ...{ kind: 'bad', word: 'failing', needsSomebody: true },
    meaning: 'It is tried again after longer and longer pauses.',
  },
  gone: {
    ...{ kind: 'bad', word: 'gone', needsSomebody: true },
    meaning: 'It is not polled any more. Resume it if the feed is back.',
  },
};

const PAUSED: SourceState = { kind: 'off', word: 'paused', meaning: 'It is not polled.', needsSomebody: false };
const NEW: SourceState = { kind: 'off', word: 'not polled yet', meaning: null, needsSomebody: false };

export function outletState({ pausedAt, state, held }: Pick<OutletHealth, 'pausedAt' | 'state' | 'held'>): SourceState {
  if (pausedAt !== null) return { ...PAUSED, needsSomebody: held > 0 };
  if (state === null) return NEW;
  // Items stay held while a later poll fails.
  return { ...OUTLET_STATES[state], needsSomebody: OUTLET_STATES[state].needsSomebody || held > 0 };
}

export function siteState({
  pausedAt,
  failingSince,
  polledAt,
  withdrawn,
}: Pick<SiteHealth, 'pausedAt' | 'failingSince' | 'polledAt' | 'withdrawn'>): SourceState {
  const needsSomebody = withdrawn > 0;
  if (pausedAt !== null) return { ...PAUSED, needsSomebody };
  if (failingSince !== null) {
    return { kind: 'bad', word: 'failing', meaning: 'Its articles stay as they are.', needsSomebody: true };
  }
  if (polledAt === null) return NEW;
  return { kind: 'good', word: 'read', meaning: null, needsSomebody };
}
