/**
 * Drafts of slots to come that the configuration has no more, because a schedule was changed or a newsletter removed:
 * what editors decided there has no effect, be it a hold.
 */

import { syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { type Finding, warning } from '../../core/finding.ts';
import { findSlot } from '../slots.ts';
import type { Draft } from './decisions.ts';
import { listOpenDrafts } from './draft-store.ts';

/** Prefix of the keys of their alerts. */
const STRANDED = 'stranded-draft:';

/** What an operator should know of each, by `newsletter/slot`. */
export async function findStrandedDrafts(
  app: Pick<AppContext, 'store' | 'config'>,
  now: number,
): Promise<Map<string, string>> {
  const messages = new Map<string, string>();
  for (const draft of await listOpenDrafts(app.store.db, now)) {
    if (isUndecided(draft)) continue;
    const newsletter = app.config.newsletters.find(({ id }) => id === draft.newsletter);
    if (newsletter !== undefined && (await findSlot(app, newsletter, draft.slot)) !== null) continue;
    const name = `${draft.newsletter}/${draft.slot}`;
    const why =
      newsletter === undefined
        ? `the configuration has no newsletter ${draft.newsletter}`
        : `the schedule of ${newsletter.id} has no such slot`;
    const { state } = draft;
    const what = 'by' in state ? `, which is ${state.kind} by ${state.by},` : '';
    messages.set(
      name,
      `The draft ${name}${what} has no effect: ${why}. "daywire editions log ${name}" lists what editors decided: ` +
        'give these commands for another slot, or bring this one back.',
    );
  }
  return messages;
}

/** Raises the alerts about them, and resolves those of drafts whose slot is back or over. */
export async function updateStrandedAlerts(app: AppContext): Promise<void> {
  const { store, clock } = app;
  const messages = [...(await findStrandedDrafts(app, clock()))];
  await syncAlerts(store.db, STRANDED, new Map(messages.map(([name, message]) => [STRANDED + name, message])), clock());
}

/** Everything was undone. */
function isUndecided({ state, decisions }: Draft): boolean {
  const { subject, preheader, note, blocks, stories } = decisions;
  const isEmpty = (record: object): boolean => Object.keys(record).length === 0;
  return (
    state.kind === 'automatic' &&
    [subject, preheader, note].every((text) => text === null) &&
    isEmpty(blocks) &&
    isEmpty(stories)
  );
}

/** The pre-flight check of drafts. */
export async function checkDrafts(
  store: AppContext['store'],
  config: AppContext['config'],
  now: number,
): Promise<Finding[]> {
  return [...(await findStrandedDrafts({ store, config }, now)).values()].map((one) => warning(`drafts: ${one}`));
}
