/** Routes about deliveries. */
import type { DeskSection } from '../../../web/desk/desk-route.ts';
import {
  handleCancel,
  handleHold,
  handlePauseEdition,
  handleRelease,
  handleResumeEdition,
  handleRetry,
  handleSettle,
  handleSettleAll,
  serveCancelPage,
} from './acts.ts';
import { serveDeliveryPage } from './delivery-page.ts';
import { serveQueuePage } from './queue-page.ts';

const DELIVERY = '/deliveries/:id';

export const deliveriesSection: DeskSection = {
  navigation: { id: 'deliveries', label: 'Deliveries', path: '/deliveries', needs: 'deliveries.read' },
  routes: [
    { method: 'GET', path: '/deliveries', needs: 'deliveries.read', handle: serveQueuePage },
    { method: 'POST', path: '/deliveries/release', needs: 'deliveries.control', handle: handleRelease },
    { method: 'POST', path: '/deliveries/providers', needs: 'deliveries.control', handle: handleHold },
    { method: 'GET', path: DELIVERY, needs: 'deliveries.read', handle: serveDeliveryPage },
    { method: 'POST', path: `${DELIVERY}/pause`, needs: 'deliveries.control', handle: handlePauseEdition },
    { method: 'POST', path: `${DELIVERY}/resume`, needs: 'deliveries.control', handle: handleResumeEdition },
    { method: 'POST', path: `${DELIVERY}/retry`, needs: 'deliveries.control', handle: handleRetry },
    { method: 'POST', path: `${DELIVERY}/settle`, needs: 'deliveries.control', handle: handleSettle },
    { method: 'POST', path: `${DELIVERY}/settle-all`, needs: 'deliveries.control', handle: handleSettleAll },
    { method: 'GET', path: `${DELIVERY}/cancel`, needs: 'deliveries.control', handle: serveCancelPage },
    {
      ...{ method: 'POST', path: `${DELIVERY}/cancel`, needs: 'deliveries.control', handle: handleCancel },
      confirms: { act: 'Cancel the edition' },
    },
  ],
};
