/** One line of "daywire check". */

export interface Finding {
  /** daywire works in spite of a warning. */
  kind: 'ok' | 'warning' | 'problem';
  message: string;
}

export const ok = (message: string): Finding => ({ kind: 'ok', message });
export const warning = (message: string): Finding => ({ kind: 'warning', message });
export const problem = (message: string): Finding => ({ kind: 'problem', message });

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
