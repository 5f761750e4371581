/**
 * Drafts of coming slots that are no longer configured, because a schedule was changed or a newsletter removed. The
 * editors' decisions in them, such as a hold, have no effect.
 */
import { alertText, type RaisedAlert, syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import type { Config } from '../../core/config/config.ts';
import { type Finding, warning } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';
import { editionAction } from '../edition-action.ts';
import { findSlot } from '../slots.ts';
import { type Draft, NO_DECISIONS } from './decisions.ts';
import { listOpenDrafts } from './draft-store.ts';

/** Finds stranded drafts, and describes each in an alert. */
export async function findStrandedDrafts(
  app: Pick<AppContext, 'store' | 'config'>,
  now: number,
): Promise<RaisedAlert[]> {
  const alerts: RaisedAlert[] = [];
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
    alerts.push({
      ...{ kind: 'stranded-draft', subject: { newsletter: draft.newsletter, slot: draft.slot } },
      message:
        `The draft ${name}${what} has no effect: ${why}. ` +
        'Give its commands for another slot, or bring this one back.',
      actions: [editionAction('log', 'see what editors decided', name)],
    });
  }
  return alerts;
}

/** Raises the alerts about them, and resolves those of drafts whose slot is back or over. */
export async function updateStrandedAlerts(app: AppContext): Promise<void> {
  const { store, clock } = app;
  await syncAlerts(store.db, 'stranded-draft', await findStrandedDrafts(app, clock()), clock());
}

/** Everything was undone. */
function isUndecided({ state, decisions }: Draft): boolean {
  return state.kind === 'automatic' && JSON.stringify(decisions) === JSON.stringify(NO_DECISIONS);
}

/** The pre-flight check of drafts. */
export async function checkDrafts(store: Store, config: Config, now: number): Promise<Finding[]> {
  return (await findStrandedDrafts({ store, config }, now)).map((one) => warning(`drafts: ${alertText(one)}`));
}
