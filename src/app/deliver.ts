/**
 * Delivers what is due, for the operator and for the background task alike.
 */
import type { OnPause } from '../delivery/control/auto-pause.ts';
import { deliver } from '../delivery/deliver.ts';
import type { DeliveryReport } from '../delivery/run.ts';
import { openTransport } from '../delivery/transport/open-transport.ts';
import { raiseAlert, resolveAlerts } from '../schedule/alerts.ts';
import type { AppContext } from './app-context.ts';
import { DeliveryMonitor } from './delivery/monitor.ts';
import { DELIVERY_STOPPED, editionName, pauseAlert } from './editions.ts';

/**
 * Delivers what is due. Raises an alert when the server refuses everything, and resolves it after the next success; the
 * monitor does the same for deliveries that wait or have failed, and calls the heartbeat.
 * @throws SecretError, TransportError, or what the store throws
 */
export async function deliverDue(
  app: AppContext,
  {
    signal,
    onProgress,
    monitor = new DeliveryMonitor(app),
  }: {
    signal?: AbortSignal;
    onProgress?: (report: Readonly<DeliveryReport>) => void;
    /** Kept from run to run by a process that delivers repeatedly. */
    monitor?: DeliveryMonitor;
  } = {},
): Promise<DeliveryReport> {
  const { store, config, keys, templates, clock } = app;
  const secrets = await keys.signingSecrets();
  const signers = keys.signers();
  const transport = openTransport(config);
  const onPause: OnPause = async (tx, { editionId, reason }) => {
    const name = await editionName(tx, editionId);
    const message = `Delivery of ${name} is paused: ${reason}. Resume it with "daywire editions resume ${name}".`;
    await raiseAlert(tx, { key: pauseAlert(editionId), message }, clock());
  };
  const report = await deliver(store, config, transport, {
    ...{ clock, secrets, signers, templates, onPause, signal },
    prepareFinish: monitor.prepareFinish,
    onProgress: (progress) => {
      monitor.onProgress();
      onProgress?.(progress);
    },
  });
  if (report.stopped !== null && !signal?.aborted) {
    const message = `Delivery stopped: ${report.stopped}. All other deliveries are still pending.`;
    await raiseAlert(store.db, { key: DELIVERY_STOPPED, message }, clock());
  } else if (report.submitted + report.service.submitted > 0) {
    await resolveAlerts(store.db, [DELIVERY_STOPPED], clock());
  }
  await monitor.afterRun();
  return report;
}
