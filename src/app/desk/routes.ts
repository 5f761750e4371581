/**
 * All routes of the desk.
 */
import { auditSection } from '../../accounts/desk/audit-page.ts';
import { accountsSection } from '../../accounts/desk/routes.ts';
import { articlesSection } from '../../articles/desk/routes.ts';
import { audienceSection } from '../../audience/desk/routes.ts';
import { deliveriesSection } from '../../delivery/desk/deliveries/routes.ts';
import { editionsSection } from '../../delivery/desk/editions/routes.ts';
import { editionSection } from '../../editions/desk/routes.ts';
import { feedsSection } from '../../feeds/desk/feeds-page.ts';
import { roundupSection } from '../../outlets/desk/routes.ts';
import { sourcesSection } from '../../sources/desk/routes.ts';
import type { DeskRoute, DeskSection } from '../../web/desk/desk-route.ts';
import { liveRoutes } from '../../web/desk/live/routes.ts';
import { runsSection } from './runs/runs-page.ts';
import { todaySection } from './today/today-page.ts';

/** In the order of the navigation. */
const SECTIONS: readonly DeskSection[] = [
  ...[todaySection, editionSection, roundupSection, articlesSection, editionsSection, deliveriesSection],
  ...[sourcesSection, feedsSection, runsSection, audienceSection, accountsSection, auditSection],
];

export const NAVIGATION = SECTIONS.map(({ navigation }) => navigation);

export const DESK_ROUTES: readonly DeskRoute[] = [...liveRoutes, ...SECTIONS.flatMap(({ routes }) => routes)];
