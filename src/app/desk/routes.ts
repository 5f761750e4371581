/**
 * All routes of the desk.
 */
import { accountRoutes } from '../../accounts/desk/account-page.ts';
import { accountsRoutes } from '../../accounts/desk/accounts-page.ts';
import { auditRoutes } from '../../accounts/desk/audit-page.ts';
import { invitationRoutes } from '../../accounts/desk/invitation-page.ts';
import { ownAccountRoutes } from '../../accounts/desk/own-account.ts';
import { signInRoutes } from '../../accounts/desk/sign-in-page.ts';
import { articleRoutes } from '../../articles/desk/routes.ts';
import { audienceRoutes } from '../../audience/desk/routes.ts';
import { deliveryRoutes } from '../../delivery/desk/deliveries/routes.ts';
import { closedEditionRoutes } from '../../delivery/desk/editions/routes.ts';
import { editionRoutes } from '../../editions/desk/draft/edition-routes.ts';
import { previewRoutes } from '../../editions/desk/preview/preview-response.ts';
import { sendingRoutes } from '../../editions/desk/sending/sending-routes.ts';
import { feedRoutes } from '../../feeds/desk/feeds-page.ts';
import { roundupRoutes } from '../../outlets/desk/roundup-routes.ts';
import { sourceRoutes } from '../../sources/desk/source-routes.ts';
import type { DeskRoute } from '../../web/desk/desk-route.ts';
import { liveRoutes } from '../../web/desk/live/routes.ts';
import { runRoutes } from './runs/runs-page.ts';
import { todayRoutes } from './today/today-page.ts';

export const DESK_ROUTES: readonly DeskRoute[] = [
  ...liveRoutes,
  ...todayRoutes,
  ...sourceRoutes,
  ...feedRoutes,
  ...runRoutes,
  ...signInRoutes,
  ...invitationRoutes,
  ...ownAccountRoutes,
  ...accountsRoutes,
  ...accountRoutes,
  ...auditRoutes,
  ...editionRoutes,
  ...previewRoutes,
  ...sendingRoutes,
  ...closedEditionRoutes,
  ...deliveryRoutes,
  ...audienceRoutes,
  ...articleRoutes,
  ...roundupRoutes,
];
