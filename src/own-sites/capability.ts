import type { Capability } from '../core/capability.ts';
import { articleSources } from '../core/config/sources.ts';
import { repeat } from '../lib/repeat.ts';
import { SECOND } from '../lib/time.ts';
import { SITE_ALERT_KINDS } from './alert-kinds.ts';
import { pollingSources } from './poll-sources.ts';

export const ownSitesCapability: Capability = {
  startTasks: (app) =>
    pollingSources(app).map((poll, index) =>
      repeat(SECOND, `polling ${articleSources(app.config)[index]?.id}`, app.log, poll),
    ),
  alertKinds: SITE_ALERT_KINDS,
};
