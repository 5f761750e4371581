/**
 * All routes of the desk.
 */
import { accountRoutes } from './accounts/account-page.ts';
import { accountsRoutes } from './accounts/accounts-page.ts';
import { auditRoutes } from './accounts/audit-page.ts';
import { ownAccountRoutes } from './accounts/own-account.ts';
import { articleRoutes } from './articles/routes.ts';
import { audienceRoutes } from './audience/routes.ts';
import { deliveryRoutes } from './deliveries/routes.ts';
import type { DeskRoute } from './desk-route.ts';
import { editionRoutes } from './edition/edition-routes.ts';
import { closedEditionRoutes } from './editions/routes.ts';
import { feedRoutes } from './feeds/feeds-page.ts';
import { liveRoutes } from './live/routes.ts';
import { previewRoutes } from './preview/preview-response.ts';
import { roundupRoutes } from './roundup/roundup-routes.ts';
import { runRoutes } from './runs/runs-page.ts';
import { sendingRoutes } from './sending/sending-routes.ts';
import { invitationRoutes } from './sign-in/invitation-page.ts';
import { signInRoutes } from './sign-in/sign-in-page.ts';
import { sourceRoutes } from './sources/source-routes.ts';
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
