import type { Action } from '../core/actions.ts';

/** Where the desk has the commands of the group `sources`. */
const AT_DESK = {
  accept: '“Accept” on the page Sources',
  resume: '“Resume” on the page Sources',
  withdraw: '“Retract the articles” on the page Sources',
  'withdraw --keep': '“Keep the articles” on the page Sources',
} as const;

/** What an operator can do about a source. @param to see `Action` */
export function sourceAction(verb: keyof typeof AT_DESK, to: string, id: string): Action {
  const [command, option] = verb.split(' ');
  return { to, command: ['sources', command, id, option].filter(Boolean).join(' '), desk: AT_DESK[verb] };
}

/** The page of the desk that has a source. */
export function sourcePage({ source }: Readonly<Record<string, string | number>>) {
  const path = source === undefined ? '/sources' : `/sources#source-${encodeURIComponent(source)}`;
  return { label: 'The source', path, needs: 'editions.read' as const };
}
