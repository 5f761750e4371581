/** The capabilities of daywire, each after those that it builds on. */
import { accountsCapability } from '../accounts/capability.ts';
import { articlesCapability } from '../articles/capability.ts';
import { audienceCapability } from '../audience/capability.ts';
import type { AlertKind } from '../core/alerts/alert-kind.ts';
import type { AppContext } from '../core/app-context.ts';
import type { Capability } from '../core/capability.ts';
import { coreCapability } from '../core/own-capability.ts';
import type { Job } from '../core/schedule/job.ts';
import { deliveryCapability } from '../delivery/capability.ts';
import { editionsCapability } from '../editions/capability.ts';
import { feedsCapability } from '../feeds/capability.ts';
import { outletsCapability } from '../outlets/capability.ts';
import { ownSitesCapability } from '../own-sites/capability.ts';
import { sourcesCapability } from '../sources/capability.ts';

export const CAPABILITIES: readonly Capability[] = [
  ...[coreCapability, accountsCapability, sourcesCapability, articlesCapability, ownSitesCapability, outletsCapability],
  ...[feedsCapability, editionsCapability, audienceCapability, deliveryCapability],
];

/** How the desk shows alerts, by their kind. */
export const ALERT_KINDS: ReadonlyMap<string, AlertKind> = new Map(
  CAPABILITIES.flatMap(({ alertKinds = {} }) => Object.entries(alertKinds)),
);

export function jobsOf(app: AppContext): Job[] {
  return CAPABILITIES.flatMap((capability) => capability.jobs?.(app) ?? []);
}
