import type { DeskSection } from '../../web/desk/desk-route.ts';
import { editionRoutes } from './draft/edition-routes.ts';
import { previewRoutes } from './preview/preview-response.ts';
import { sendingRoutes } from './sending/sending-routes.ts';

export const editionSection: DeskSection = {
  navigation: { id: 'edition', label: 'Edition', path: '/edition', needs: 'editions.read' },
  routes: [...editionRoutes, ...previewRoutes, ...sendingRoutes],
};
