/**
 * Actions: what an operator can do about a problem. The command line and the alert webhook name the command, the desk
 * its button or page.
 */

export interface Action {
  /** Continues "To": `resume it`. */
  to: string;
  /** Without the word `daywire`, such as `editions resume daily-roundup/2026-11-24`. */
  command: string;
  /** Continues the command, where something must be filled in: `which "daywire editions show EDITION" prints`. */
  source?: string;
  /** At the desk, such as `“Resume” under Deliveries`. Null: only at the command line of the server. */
  desk: string | null;
}

/** The problem, and the commands that do something about it. Pure. */
export function withCommands(problem: string, actions: readonly Action[]): string {
  return withActions(problem, actions, ({ command, source }) => {
    return `"daywire ${command}"${source === undefined ? '' : `, ${source}`}`;
  });
}

/** The problem, and what to use at the desk. Pure. */
export function withDeskWords(problem: string, actions: readonly Action[]): string {
  return withActions(problem, actions, ({ desk }) => desk ?? 'the command line of the server');
}

/** A sentence after a sentence, else after a colon. */
function withActions(problem: string, actions: readonly Action[], nameOf: (action: Action) => string): string {
  if (actions.length === 0) return problem;
  const advice = [...Map.groupBy(actions, ({ to }) => to)]
    .map(([to, ofPurpose]) => `to ${to}, use ${[...new Set(ofPurpose.map(nameOf))].join(' and ')}`)
    .join('; ');
  return /[.!?…]$/.test(problem) ? `${problem} T${advice.slice(1)}.` : `${problem}: ${advice}`;
}

/** A refusal, with what can be done about it. Its message names the commands. */
export abstract class ActionableError extends Error {
  /** Without the actions. */
  readonly problem: string;
  readonly actions: readonly Action[];

  /** @param message for the command line, where that needs other words than the desk */
  constructor(problem: string, actions: readonly Action[] = [], message = withCommands(problem, actions)) {
    super(message);
    this.problem = problem;
    this.actions = actions;
  }
}
