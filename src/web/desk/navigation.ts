/**
 * The navigation of the desk.
 */
import type { Permission } from '../../accounts/permissions.ts';

export interface NavigationItem {
  id: string;
  label: string;
  /** Below the desk's path. */
  path: string;
  needs: Permission;
}

export const NAVIGATION = [
  { id: 'today', label: 'Today', path: '', needs: 'desk' },
  { id: 'edition', label: 'Edition', path: '/edition', needs: 'editions.read' },
  { id: 'roundup', label: 'Roundup', path: '/roundup', needs: 'editions.read' },
  { id: 'articles', label: 'Articles', path: '/articles', needs: 'editions.read' },
  { id: 'editions', label: 'Editions', path: '/editions', needs: 'editions.read' },
  { id: 'deliveries', label: 'Deliveries', path: '/deliveries', needs: 'deliveries.read' },
  { id: 'sources', label: 'Sources', path: '/sources', needs: 'editions.read' },
  { id: 'feeds', label: 'Feeds', path: '/feeds', needs: 'editions.read' },
  { id: 'runs', label: 'Runs', path: '/runs', needs: 'editions.read' },
  { id: 'audience', label: 'Audience', path: '/audience', needs: 'audience.read' },
  { id: 'accounts', label: 'Accounts', path: '/accounts', needs: 'accounts' },
  { id: 'audit', label: 'Audit log', path: '/audit', needs: 'audit' },
] as const satisfies NavigationItem[];

export type NavigationId = (typeof NAVIGATION)[number]['id'];
