/** The desk of a process, with the sections of all capabilities. */
import { auditSection } from '../../accounts/desk/audit-page.ts';
import { accountsSection } from '../../accounts/desk/routes.ts';
import { articlesSection } from '../../articles/desk/routes.ts';
import { audienceSection, suppressionsSection } from '../../audience/desk/routes.ts';
import type { AppContext } from '../../core/app-context.ts';
import { deliveriesSection } from '../../delivery/desk/deliveries/routes.ts';
import { closedEditionsSection } from '../../delivery/desk/editions/routes.ts';
import { draftSection } from '../../editions/desk/draft/draft-routes.ts';
import { feedsSection } from '../../feeds/desk/feeds-page.ts';
import { roundupSection } from '../../outlets/desk/routes.ts';
import { sourcesSection } from '../../sources/desk/routes.ts';
import { createDesk } from '../../web/desk/desk-app.ts';
import type { DeskContext, NavigationGroup } from '../../web/desk/desk-request.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { LiveHub } from '../../web/desk/live/live-hub.ts';
import { liveRoutes } from '../../web/desk/live/routes.ts';
import type { WebContext } from '../../web/server/web-context.ts';
import type { MountedPages } from '../start.ts';
import { runsSection } from './runs/runs-page.ts';
import { todaySection } from './today/today-page.ts';

/** Sections by group of the navigation, in its order. */
const GROUPS = [
  ['newsroom', 'Newsroom', [todaySection, draftSection, roundupSection, articlesSection, sourcesSection]],
  ['sending', 'Sending', [closedEditionsSection, deliveriesSection, feedsSection]],
  ['system', 'People and system', [audienceSection, suppressionsSection, accountsSection, auditSection, runsSection]],
] as const;

export const NAVIGATION: readonly NavigationGroup[] = GROUPS.map(([id, label, sections]) => ({
  ...{ id, label, items: sections.map(({ navigation }) => navigation) },
}));

export const DESK_ROUTES: readonly DeskRoute[] = [
  ...liveRoutes,
  ...GROUPS.flatMap(([, , sections]) => sections.flatMap(({ routes }) => routes)),
];

/** Opens the desk of a process. @returns its app, and what ends its streams */
export function openDesk(app: AppContext, web: WebContext): MountedPages {
  const live = new LiveHub(app);
  const desk: DeskContext = { app, web, base: `${web.base}/desk`, live, navigation: NAVIGATION };
  return { path: '/desk', pages: createDesk(desk, DESK_ROUTES), stop: () => live.stop() };
}
