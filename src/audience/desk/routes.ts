/**
 * The routes of the audience pages. Addresses are personal data: they travel in the bodies of forms, never in the
 * address of a page, its title or a redirect, where logs and the history of browsers would keep them.
 */
import type { DeskSection } from '../../web/desk/desk-route.ts';
import {
  respondErasure,
  respondErasurePage,
  respondExportForm,
  respondListExport,
  respondPersonExport,
} from './export-pages.ts';
import {
  handleDiscard,
  handleRun,
  handleUpload,
  respondImport,
  respondImportForm,
  respondRejects,
} from './import/import-pages.ts';
import {
  handleConfirmation,
  handleLift,
  handlePauseSubscriber,
  handlePreferencesLink,
  handleResumeSubscriber,
  handleSuppression,
  handleUnsubscribeByOperator,
} from './ledger-acts.ts';
import { respondLedger } from './ledger-page.ts';
import { respondOverview, respondSearch } from './overview-page.ts';
import { handleAddressAct, respondLookUp, respondSuppressions } from './suppression-pages.ts';

const [read, change] = ['audience.read', 'audience.change'] as const;
const IMPORT = '/audience/imports/:import{[0-9a-f]+}';
const PERSON = '/audience/:id{[0-9]+}';

export const audienceSection: DeskSection = {
  navigation: { id: 'audience', label: 'Subscribers', path: '/audience', needs: read },
  routes: [
    { method: 'GET', path: '/audience', needs: read, handle: respondOverview },
    // The result of a search is rendered at once: a redirect to it would have the address in its own.
    { method: 'POST', path: '/audience', needs: read, handle: respondSearch },
    { method: 'GET', path: '/audience/export', needs: change, handle: respondExportForm },
    {
      ...{ method: 'POST', path: '/audience/export', needs: change, handle: respondListExport },
      confirms: { act: 'Export subscribers', page: respondExportForm },
    },
    { method: 'GET', path: '/audience/import', needs: change, handle: (request) => respondImportForm(request) },
    { method: 'POST', path: '/audience/import', needs: change, upload: true, handle: handleUpload },
    { method: 'GET', path: IMPORT, needs: change, handle: respondImport },
    { method: 'POST', path: `${IMPORT}/run`, needs: change, handle: handleRun },
    { method: 'POST', path: `${IMPORT}/discard`, needs: change, handle: handleDiscard },
    { method: 'POST', path: `${IMPORT}/rejects`, needs: change, handle: respondRejects },
    { method: 'GET', path: PERSON, needs: read, handle: (request) => respondLedger(request) },
    { method: 'POST', path: `${PERSON}/unsubscribe`, needs: change, handle: handleUnsubscribeByOperator },
    { method: 'POST', path: `${PERSON}/pause`, needs: change, handle: handlePauseSubscriber },
    { method: 'POST', path: `${PERSON}/resume`, needs: change, handle: handleResumeSubscriber },
    { method: 'POST', path: `${PERSON}/suppress`, needs: change, handle: handleSuppression },
    { method: 'POST', path: `${PERSON}/lift`, needs: change, handle: handleLift },
    { method: 'POST', path: `${PERSON}/confirmation`, needs: change, handle: handleConfirmation },
    { method: 'POST', path: `${PERSON}/preferences-link`, needs: change, handle: handlePreferencesLink },
    {
      ...{ method: 'POST', path: `${PERSON}/export`, needs: change, handle: respondPersonExport },
      confirms: { act: 'Export all data of this person' },
    },
    { method: 'GET', path: `${PERSON}/erase`, needs: change, handle: respondErasurePage },
    {
      ...{ method: 'POST', path: `${PERSON}/erase`, needs: change, handle: respondErasure },
      confirms: { act: 'Delete all data' },
    },
  ],
};

export const suppressionsSection: DeskSection = {
  navigation: { id: 'suppressions', label: 'Suppressions', path: '/audience/suppressions', needs: read },
  routes: [
    { method: 'GET', path: '/audience/suppressions', needs: read, handle: (request) => respondSuppressions(request) },
    { method: 'POST', path: '/audience/suppressions', needs: read, handle: respondLookUp },
    { method: 'POST', path: '/audience/suppressions/suppress', needs: change, handle: handleAddressAct('suppress') },
    { method: 'POST', path: '/audience/suppressions/lift', needs: change, handle: handleAddressAct('lift') },
  ],
};
