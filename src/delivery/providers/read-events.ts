/**
 * Reads the reports of a request one by one.
 */
import type { z } from 'zod';
import { decodeUtf8 } from '../../lib/text/clean-text.ts';
import type { ProviderEvent } from './provider-event.ts';

/** A body as JSON; undefined if it is none. */
export function parseJsonBody(body: Uint8Array): unknown {
  const text = decodeUtf8(body);
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Of one request: ten times what any mail provider sends. 2 MiB of empty objects would take 10 s. */
const MAX_REPORTS = 10_000;

/**
 * Converts reports to events. A malformed report does not stop the others.
 * @param toEvent returns null for a report that changes nothing, such as an opened message
 * @returns the events, or null if no report has the schema's form, or there are more than 10,000
 */
export function readProviderEvents<Schema extends z.ZodType>(
  reports: readonly unknown[],
  schema: Schema,
  toEvent: (report: z.output<Schema>) => ProviderEvent | null,
): ProviderEvent[] | null {
  if (reports.length > MAX_REPORTS) return null;
  const events: ProviderEvent[] = [];
  let wellFormed = 0;
  for (const one of reports) {
    const checked = schema.safeParse(one);
    if (!checked.success) continue;
    wellFormed += 1;
    const event = toEvent(checked.data);
    if (event !== null) events.push(event);
  }
  return wellFormed === 0 && reports.length > 0 ? null : events;
}
