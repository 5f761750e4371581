import type { Capability } from '../core/capability.ts';
import { runAudienceRetention } from './retention.ts';

export const audience: Capability = {
  runRetention: runAudienceRetention,
};
