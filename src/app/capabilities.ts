/** The capabilities of daywire, each after those that it builds on. */
import { accounts } from '../accounts/capability.ts';
import { articles } from '../articles/capability.ts';
import { audience } from '../audience/capability.ts';
import type { Capability } from '../core/capability.ts';
import { core } from '../core/own-capability.ts';
import { delivery } from '../delivery/capability.ts';
import { editions } from '../editions/capability.ts';
import { feeds } from '../feeds/capability.ts';
import { outlets } from '../outlets/capability.ts';
import { ownSites } from '../own-sites/capability.ts';
import { sources } from '../sources/capability.ts';

export const CAPABILITIES: readonly Capability[] = [
  ...[core, accounts, sources, articles, ownSites, outlets, feeds, editions, audience, delivery],
];
