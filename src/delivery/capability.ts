import type { Capability } from '../core/capability.ts';
import { newsletterJobs } from './closing/newsletter-jobs.ts';
import { runDeliveryRetention } from './retention.ts';

export const delivery: Capability = {
  jobs: newsletterJobs,
  runRetention: runDeliveryRetention,
};
