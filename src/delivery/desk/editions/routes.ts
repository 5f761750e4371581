/** Routes about closed editions. */
import type { DeskSection } from '../../../web/desk/desk-route.ts';
import { serveEditionPage, serveFrozenPage } from './edition-page.ts';
import { serveEditionList } from './list-page.ts';
import { handleReissue, handleReissueCheck, handleReissueNote, serveReissuePage } from './reissue-page.ts';

const EDITION = '/editions/:newsletter/:slot';

export const closedEditionsSection: DeskSection = {
  navigation: { id: 'editions', label: 'Past editions', path: '/editions', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/editions', needs: 'editions.read', handle: serveEditionList },
    { method: 'GET', path: EDITION, needs: 'editions.read', handle: serveEditionPage },
    { method: 'GET', path: `${EDITION}/frozen`, needs: 'editions.read', handle: serveFrozenPage },
    { method: 'GET', path: `${EDITION}/reissue`, needs: 'drafts.edit', handle: serveReissuePage },
    { method: 'POST', path: `${EDITION}/reissue/note`, needs: 'drafts.edit', handle: handleReissueNote },
    { method: 'POST', path: `${EDITION}/reissue/check`, needs: 'drafts.edit', handle: handleReissueCheck },
    { method: 'POST', path: `${EDITION}/reissue`, needs: 'drafts.edit', handle: handleReissue },
  ],
};
