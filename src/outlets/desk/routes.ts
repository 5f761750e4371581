/**
 * The roundup: what other outlets report, and what enters it.
 */
import type { DeskSection } from '../../web/desk/desk-route.ts';
import { addPosted, readPosted, showAdd } from './add-page.ts';
import { drop, edit, mergeMarked, mergeWith, nameFirst, pick, restore, split } from './group-acts.ts';
import { showGroup } from './group-page.ts';
import { showList } from './list-page.ts';

const GROUP = '/roundup/:group{g[0-9]{1,15}}';

export const roundupSection: DeskSection = {
  navigation: { id: 'roundup', label: 'Roundup', path: '/roundup', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/roundup', needs: 'editions.read', handle: showList },
    { method: 'GET', path: '/roundup/add', needs: 'drafts.edit', handle: showAdd },
    { method: 'POST', path: '/roundup/add', needs: 'drafts.edit', handle: addPosted },
    { method: 'POST', path: '/roundup/add/read', needs: 'drafts.edit', handle: readPosted },
    { method: 'POST', path: '/roundup/merge', needs: 'drafts.edit', handle: mergeMarked },
    { method: 'GET', path: GROUP, needs: 'editions.read', handle: showGroup },
    { method: 'POST', path: `${GROUP}/pick`, needs: 'drafts.edit', handle: pick },
    { method: 'POST', path: `${GROUP}/edit`, needs: 'drafts.edit', handle: edit },
    { method: 'POST', path: `${GROUP}/first`, needs: 'drafts.edit', handle: nameFirst },
    { method: 'POST', path: `${GROUP}/drop`, needs: 'drafts.edit', handle: drop },
    { method: 'POST', path: `${GROUP}/restore`, needs: 'drafts.edit', handle: restore },
    { method: 'POST', path: `${GROUP}/merge`, needs: 'drafts.edit', handle: mergeWith },
    { method: 'POST', path: `${GROUP}/split`, needs: 'drafts.edit', handle: split },
  ],
};
