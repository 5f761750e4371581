import type { DeskSection } from '../../web/desk/desk-route.ts';
import { draftRoutes } from './draft/draft-routes.ts';
import { previewRoutes } from './preview/preview-response.ts';
import { sendingRoutes } from './sending/sending-routes.ts';

export const draftSection: DeskSection = {
  navigation: { id: 'edition', label: 'Edition', path: '/edition', needs: 'editions.read' },
  routes: [...draftRoutes, ...previewRoutes, ...sendingRoutes],
};
