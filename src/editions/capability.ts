import { matchesSelection, PUBLIC_STATES } from '../articles/selection.ts';
import type { AlertKind, AlertSubject } from '../core/alerts/alert-kind.ts';
import type { Capability } from '../core/capability.ts';
import type { Config } from '../core/config/config.ts';
import { type Finding, warning } from '../core/finding.ts';
import type { Store } from '../core/store/store.ts';
import { repeat } from '../lib/repeat.ts';
import { DAY, localDate, MINUTE, SECOND } from '../lib/time.ts';
import { remindOfApprovals } from './draft/approval-reminders.ts';
import { closedPath, draftPath, nextPath } from './draft/draft-target.ts';
import { checkDrafts, updateStrandedAlerts } from './draft/stranded-drafts.ts';
import { deleteOldLinkStates } from './links/link-cache.ts';
import { foldVisits } from './visits/visit-rows.ts';

const needs = 'editions.read' as const;

const slotOf = ({ newsletter = '', slot = '' }: AlertSubject) => ({
  newsletter: { id: String(newsletter) },
  slot: { label: String(slot) },
});

/** The alerts about drafts and editions, before their delivery. */
const EDITION_ALERT_KINDS: Record<string, AlertKind> = {
  'approval-reminder': {
    title: 'An approval is needed',
    page: (subject) => ({ label: 'Its draft', path: draftPath(slotOf(subject)), needs }),
  },
  'approval-changed': {
    title: 'An edition differs from what was approved',
    page: (subject) => ({
      label: 'The edition',
      path: subject.slot === undefined ? '/editions' : closedPath(slotOf(subject)),
      needs,
    }),
  },
  send: {
    title: 'An edition was not sent',
    page: ({ newsletter = '' }) => ({ label: 'Its next edition', path: nextPath(String(newsletter)), needs }),
  },
  'stranded-draft': { title: 'A draft has no effect' },
};

/** More than a year: a season is compared with the one before. */
const COUNTS_KEPT_FOR = 400 * DAY;

export const editionsCapability: Capability = {
  startTasks: (app) => [
    repeat(15 * SECOND, 'reminding of approvals', app.log, () => remindOfApprovals(app)),
    repeat(MINUTE, 'looking for drafts without a slot', app.log, () => updateStrandedAlerts(app)),
  ],
  async runRetention({ store: { db }, config: { publication } }, now) {
    return {
      visits: await foldVisits(db, localDate(now - COUNTS_KEPT_FOR, publication.zone)),
      links: await deleteOldLinkStates(db, now),
    };
  },
  checks: {
    content: async (...given) => [...(await checkDrafts(...given)), ...(await checkLanguages(...given))],
  },
  alertKinds: EDITION_ALERT_KINDS,
};

/** The pre-flight check of newsletters that take articles in another language than their own. */
export async function checkLanguages({ reports }: Store, config: Config, now: number): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, select = {}, language = config.publication.language } of config.newsletters) {
    const [own = ''] = language.toLowerCase().split('-');
    const recent = reports.selectFrom('articles').select(['language', (e) => e.fn.countAll().as('count')]);
    const taken = recent.where('published_at', '>', now - 30 * DAY).where('state', 'in', PUBLIC_STATES);
    const rows = await taken.where(matchesSelection(select)).groupBy('language').orderBy('language').execute();
    const others = rows.filter((row) => select.languages === undefined && row.language?.split('-')[0] !== own);
    const counts = others.map((row) => `${row.count} in ${row.language}`).join(', ');
    const rule = `in 30 days ${counts}; set select: { languages: [${own}] } (docs/languages.md)`;
    if (counts !== '') findings.push(warning(`newsletter ${id} is in ${language}, and takes other articles: ${rule}`));
  }
  return findings;
}
