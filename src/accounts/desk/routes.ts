import type { DeskSection } from '../../web/desk/desk-route.ts';
import { accountRoutes } from './account-page.ts';
import { accountsRoutes } from './accounts-page.ts';
import { invitationRoutes } from './invitation-page.ts';
import { ownAccountRoutes } from './own-account.ts';
import { signInRoutes } from './sign-in-page.ts';

export const accountsSection: DeskSection = {
  navigation: { id: 'accounts', label: 'Accounts', path: '/accounts', needs: 'accounts' },
  routes: [...signInRoutes, ...invitationRoutes, ...ownAccountRoutes, ...accountsRoutes, ...accountRoutes],
};
