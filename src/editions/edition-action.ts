import type { Action } from '../core/actions.ts';

/** Where the desk has the commands of the group `editions`. */
const AT_DESK = {
  show: 'its page under Past editions',
  log: 'the log on its page',
  hold: '“Hold” on its page',
  unhold: '“Release” on its page',
  approve: '“Approve” on its page',
  send: '“Send now” on its page',
  pause: '“Pause” under Deliveries',
  resume: '“Resume” under Deliveries',
  cancel: '“Cancel” under Deliveries',
  retry: '“Retry failed” under Deliveries',
  settle: '“It was submitted” under Deliveries',
} as const;

/**
 * What an operator can do about an edition.
 * @param to see `Action`
 * @param edition its name in commands
 * @param more.options of the command
 * @param more.desk at the desk, where the options change that
 */
export function editionAction(
  verb: keyof typeof AT_DESK,
  to: string,
  edition: string,
  { options = verb === 'approve' ? HASH : '', desk = AT_DESK[verb] }: { options?: string; desk?: string } = {},
): Action {
  const source = verb === 'approve' ? { source: `which "daywire editions show ${edition}" prints with its hash` } : {};
  return { to, command: `editions ${verb} ${edition}${options === '' ? '' : ` ${options}`}`, ...source, desk };
}

/** "editions show" prints it with the edition: exactly that is approved. */
const HASH = '--hash HASH';

/** The two outcomes of uncertain deliveries. @param which `--all`, or the address of a subscriber */
export function settleActions(edition: string, which: string): Action[] {
  return [
    editionAction('settle', 'record that they arrived', edition, { options: `${which} --as submitted` }),
    editionAction('settle', 'deliver them again', edition, {
      options: `${which} --as retry`,
      desk: '“Submit it again” under Deliveries',
    }),
  ];
}
