/** The roundup: what other outlets report, and what enters it. */
import type { DeskSection } from '../../web/desk/desk-route.ts';
import { addPosted, readPosted, showAdd, showAddAgain } from './add-page.ts';
import {
  handleDrop,
  handleEdit,
  handleMergeMarked,
  handleMergeWith,
  handleNameFirst,
  handlePick,
  handleRestore,
  handleSplit,
  showPickAgain,
} from './group-acts.ts';
import { showGroup } from './group-page.ts';
import { showList } from './list-page.ts';

const GROUP = '/roundup/:group{g[0-9]{1,15}}';

export const roundupSection: DeskSection = {
  navigation: { id: 'roundup', label: 'Roundup', path: '/roundup', needs: 'editions.read' },
  routes: [
    { method: 'GET', path: '/roundup', needs: 'editions.read', handle: showList },
    { method: 'GET', path: '/roundup/add', needs: 'drafts.edit', handle: showAdd },
    { method: 'POST', path: '/roundup/add', needs: 'drafts.edit', handle: addPosted, again: showAddAgain },
    { method: 'POST', path: '/roundup/add/read', needs: 'drafts.edit', handle: readPosted, again: showAddAgain },
    { method: 'POST', path: '/roundup/merge', needs: 'drafts.edit', handle: handleMergeMarked },
    { method: 'GET', path: GROUP, needs: 'editions.read', handle: showGroup },
    { method: 'POST', path: `${GROUP}/pick`, needs: 'drafts.edit', handle: handlePick, again: showPickAgain },
    { method: 'POST', path: `${GROUP}/edit`, needs: 'drafts.edit', handle: handleEdit, again: showPickAgain },
    { method: 'POST', path: `${GROUP}/first`, needs: 'drafts.edit', handle: handleNameFirst },
    { method: 'POST', path: `${GROUP}/drop`, needs: 'drafts.edit', handle: handleDrop },
    { method: 'POST', path: `${GROUP}/restore`, needs: 'drafts.edit', handle: handleRestore },
    { method: 'POST', path: `${GROUP}/merge`, needs: 'drafts.edit', handle: handleMergeWith },
    { method: 'POST', path: `${GROUP}/split`, needs: 'drafts.edit', handle: handleSplit },
  ],
};
