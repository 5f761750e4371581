/** A status by word, shape and colour: none of them alone carries it. */
import { html } from 'hono/html';
import type { Html } from '../desk-request.ts';

/**
 * - good: done as it should be
 * - busy: under way
 * - waiting: it needs somebody, or an instant that is yet to come
 * - bad: failed, or stopped
 * - off: over, or not in use
 */
export type StatusKind = 'good' | 'busy' | 'waiting' | 'bad' | 'off';

const SHAPES: Record<StatusKind, string> = { good: '●', busy: '◐', waiting: '○', bad: '▲', off: '–' };

/** @param word such as `delivering` */
export function statusMark(kind: StatusKind, word: string): Html {
  const shape = html`<span class="shape" aria-hidden="true">${SHAPES[kind]}</span>`;
  return html`<span class="status ${kind}">${shape} ${word}</span>`;
}

/** A short word that marks a row, such as `new` or `corrected`. */
export function badge(word: string, kind: 'plain' | 'new' | 'warn' = 'plain'): Html {
  return html`<span class="badge ${kind}">${word}</span>`;
}
