/** The states of runs: their marks, and what they mean. */
import type { Config } from '../../../core/config/config.ts';
import type { Run } from '../../../core/schedule/run-ledger.ts';
import type { RunState } from '../../../core/store/tables.ts';
import type { Html } from '../../../web/desk/desk-request.ts';
import { type StatusKind, statusMark } from '../../../web/desk/parts/status-mark.ts';

export const RUN_STATE_MEANINGS: Record<RunState, { kind: StatusKind; meaning: string }> = {
  done: { kind: 'good', meaning: 'It ran at its slot and did its work.' },
  late: { kind: 'good', meaning: 'It did its work, but began more than a minute after its slot.' },
  running: { kind: 'busy', meaning: 'A process is doing the work now.' },
  waiting: {
    kind: 'waiting',
    meaning: 'Its slot has come, and it waits for an editor. It is skipped when its grace period is over.',
  },
  skipped: { kind: 'off', meaning: 'It did no work, for the reason given. It is not tried again.' },
  failed: { kind: 'bad', meaning: 'An error stopped it. It is tried again while its grace period lasts.' },
};

export function runMark({ state, leaseUntil }: Pick<Run, 'state' | 'leaseUntil'>): Html {
  if (state === 'failed' && leaseUntil !== null) return statusMark('waiting', 'failed, tried again');
  return statusMark(RUN_STATE_MEANINGS[state].kind, state);
}

export function isRunState(name: string | undefined): name is RunState {
  return name !== undefined && Object.hasOwn(RUN_STATE_MEANINGS, name);
}

/** `Daily roundup` for `newsletter:daily-roundup`, `Feeds` for `publish`; an unknown id stays as it is. */
export function scheduleName({ newsletters, feeds }: Pick<Config, 'newsletters' | 'feeds'>, id: string): string {
  const [kind, name = ''] = splitAt(id);
  switch (kind) {
    case 'publish':
      return name === '' ? 'Feeds' : `Feed ${feeds.find((feed) => feed.id === name)?.title ?? name}`;
    case 'newsletter':
      return newsletters.find((newsletter) => newsletter.id === name)?.title ?? name;
    case 'source':
      return `Source ${name}`;
    default:
      return id;
  }
}

function splitAt(id: string): [kind: string, name: string] {
  const at = id.indexOf(':');
  return at === -1 ? [id, ''] : [id.slice(0, at), id.slice(at + 1)];
}
