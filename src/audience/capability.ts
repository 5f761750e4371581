import type { Capability } from '../core/capability.ts';
import { warning } from '../core/finding.ts';
import { readCountsByState, readStateCounts } from '../core/store/counts.ts';
import { SUPPRESSION_REASONS } from '../core/store/tables/subscriber-tables.ts';
import { facetSlug } from '../lib/text/facet-slug.ts';
import { runAudienceRetention } from './retention.ts';
import { countSubscriptions } from './subscriptions.ts';

export const audienceCapability: Capability = {
  runRetention: runAudienceRetention,
  checks: {
    async content({ db }, { newsletters }) {
      const counts = await countSubscriptions(db);
      const isSubscribed = (id: string): boolean =>
        counts.some(({ newsletter, state, count }) => newsletter === id && state === 'confirmed' && count > 0);
      const used = await db.selectFrom('facet_names').select('slug').where('facet', '=', 'tag').execute();
      const slugs = new Set(used.map(({ slug }) => slug));
      return newsletters
        .flatMap(({ id, choices }) => [
          ...(isSubscribed(id) ? [] : [`newsletters ${id}: nobody is subscribed, so its editions reach nobody`]),
          ...(choices?.tags ?? []).flatMap((tag) =>
            slugs.has(facetSlug(tag) ?? '')
              ? []
              : `newsletters ${id}: no article has the tag ${tag}: who chooses it gets nothing`,
          ),
        ])
        .map(warning);
    },
  },
  async addMetrics({ db, gauge, counter }) {
    const labels = ['newsletter', 'state'] as const;
    const subscriptions = gauge('subscriptions', 'Subscribers of each newsletter by state.', labels);
    const changes = counter('subscription_changes_total', 'How often a subscription got this state.', labels);
    for (const { scope, state, count, entered } of await readStateCounts(db, 'subscriptions')) {
      subscriptions.set({ newsletter: scope, state }, count);
      changes.inc({ newsletter: scope, state }, entered);
    }
    const suppressed = gauge('suppressed_addresses', 'Addresses on the suppression list.', ['reason']);
    const reasons = await readCountsByState(db, 'suppressions');
    for (const reason of SUPPRESSION_REASONS) suppressed.set({ reason }, reasons.get(reason)?.count ?? 0);
  },
  personalData: {
    subscribers: { exportedAs: 'address', erasure: 'deleted' },
    subscriptions: { exportedAs: 'subscriptions', erasure: 'deleted' },
    consent_events: { exportedAs: 'consent', erasure: 'deleted' },
    suppressions: { exportedAs: null, erasure: 'remains' },
    subscriber_imports: { exportedAs: null, erasure: 'remains' },
  },
  alertKinds: { 'signup-limit': { title: 'Requests to subscribe are refused' } },
};
