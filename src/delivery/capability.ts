import type { Capability } from '../core/capability.ts';
import { repeat } from '../lib/repeat.ts';
import { MINUTE, SECOND } from '../lib/time.ts';
import { DELIVERY_ALERT_KINDS } from './alerts.ts';
import {
  checkBounces,
  checkExpiring,
  checkMailProvider,
  checkNewsletters,
  checkProviderReports,
  checkSendingLimits,
  checkSigning,
  checkTransport,
} from './checks.ts';
import { newsletterJobs } from './closing/newsletter-jobs.ts';
import { closeDueEditions } from './closing/send-now.ts';
import { addDeliveryMetrics } from './metrics.ts';
import { runDeliveryRetention } from './retention.ts';
import { watchSendingDomain } from './sending-domain/watch-domain.ts';

export const deliveryCapability: Capability = {
  jobs: newsletterJobs,
  startTasks: (app) => [
    repeat(SECOND, 'sending editions', app.log, () => closeDueEditions(app)),
    repeat(10 * MINUTE, 'watching the sending domain', app.log, () => watchSendingDomain(app)),
  ],
  runRetention: runDeliveryRetention,
  addMetrics: addDeliveryMetrics,
  checks: {
    config: (config) => [...checkSigning(config), ...checkMailProvider(config)],
    content: async (store, config, now) => [
      ...(await checkNewsletters(store, config)),
      ...(await checkProviderReports(store, config, now)),
      ...(await checkExpiring(store, config, now)),
    ],
    connections: async (config) => [
      ...checkSendingLimits(config),
      ...(await Promise.all([checkBounces(config), checkTransport(config)])).flat(),
    ],
  },
  personalData: {
    edition_copies: { exportedAs: 'deliveries', erasure: 'anonymised' },
    deliveries: { exportedAs: 'deliveries', erasure: 'anonymised' },
    service_messages: { exportedAs: 'serviceMessages', erasure: 'deleted' },
    bounces: { exportedAs: 'bounces', erasure: 'anonymised' },
    provider_holds: { exportedAs: null, erasure: 'anonymised' },
    // Only until a run decides what they mean; the replies are in the deliveries.
    edition_refusals: { exportedAs: null, erasure: 'deleted' },
  },
  alertKinds: DELIVERY_ALERT_KINDS,
};
