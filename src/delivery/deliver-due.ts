/** Delivers what is due, for the operator and for the background task alike. */
import { raiseAlert, resolveAlerts, syncAlerts } from '../core/alerts/alerts.ts';
import type { AppContext } from '../core/app-context.ts';
import { DELIVERY_HELD, readMeta } from '../core/store/meta.ts';
import { editionAction } from '../editions/edition-action.ts';
import { repeat } from '../lib/repeat.ts';
import { rfc3339, SECOND } from '../lib/time.ts';
import { DELIVERY_STOPPED, pauseAlert, RELEASE_QUEUE, unbuildableAlert } from './alerts.ts';
import { type OnRecovery, type OnTrouble, readBackOff } from './control/back-off.ts';
import type { DeliveryPause, OnPause } from './control/circuit-breaker.ts';
import { deliver } from './deliver.ts';
import { DeliveryMonitor } from './monitor/monitor.ts';
import type { DeliverOptions, DeliveryRunResult } from './run.ts';
import { editionName } from './status/edition-status.ts';
import type { Transport } from './transport/connection.ts';
import { openTransport } from './transport/open-transport.ts';

/** The result of a run, with the names of the editions that it paused. */
export type NamedRunResult = Omit<DeliveryRunResult, 'paused'> & { paused: (DeliveryPause & { edition: string })[] };

/**
 * Delivers what is due. Raises alerts when the server accepts nothing, and resolves them after the next success; the
 * monitor does the same for deliveries that wait or have failed, and calls the heartbeat.
 * @param options.probeNow tries the server now, although it is to be left alone for a while
 * @throws SecretError, TransportError, or what the store throws
 */
export async function deliverDue(
  app: AppContext,
  {
    signal,
    onProgress,
    probeNow,
    monitor = new DeliveryMonitor(app),
    transport = openTransport(app.config),
  }: {
    signal?: AbortSignal;
    onProgress?: (result: Readonly<DeliveryRunResult>) => void;
    probeNow?: boolean;
    /** Kept from run to run by a process that delivers repeatedly. */
    monitor?: DeliveryMonitor;
    /** Default: the configured one. */
    transport?: Transport;
  } = {},
): Promise<NamedRunResult> {
  const { store, config, keys, templates, clock, log } = app;
  const secrets = await keys.signingSecrets();
  const signers = keys.signers();
  const names = new Map<number, string>();
  const onPause: OnPause = async (tx, { editionId, reason }) => {
    const name = await editionName(tx, editionId);
    names.set(editionId, name);
    const message = `Delivery of ${name} is paused: ${reason}.`;
    const actions = [editionAction('resume', 'resume it when the cause is removed', name)];
    await raiseAlert(tx, { ...pauseAlert(editionId), message, actions }, clock());
  };
  const onTrouble: OnTrouble = async (tx, { reason, since }) => {
    const message =
      `Delivery has waited since ${rfc3339(since)}: ${reason}. Everything is still pending, and is tried again by ` +
      'itself.';
    await raiseAlert(tx, { ...DELIVERY_STOPPED, message }, clock());
  };
  // At once: the rest of the run may take hours.
  const onRecovery: OnRecovery = (tx) => resolveAlerts(tx, [DELIVERY_STOPPED], clock());
  const onServiceMessagesBuilt: DeliverOptions['onServiceMessagesBuilt'] = async (kind, problem) => {
    const alert = unbuildableAlert(kind);
    const message =
      `Service messages from the templates mail/${kind} wait: ${problem}. ` +
      'They are tried again every five minutes.';
    const wanted = problem === null ? [] : [{ ...alert, message }];
    await syncAlerts(store.db, alert.kind, wanted, clock(), ({ template }) => template === kind);
  };
  const onWaiting: DeliverOptions['onWaiting'] = (waits) => {
    if (waits.length === 0) return;
    const what = waits.length === 1 ? '1 complete message has' : `${waits.length} complete messages have`;
    const end = 'after ten minutes each is uncertain, and daywire ends';
    log.error({ waits: waits.map(({ words }) => words) }, `stopping: ${what} no reply yet; ${end}`);
  };
  const lookForStall = (): Promise<void> => monitor.stalls.look(transport.waits());
  await lookForStall();
  const watching = repeat(SECOND, 'watching for deliveries that stall', log, lookForStall);
  const events = { onPause, onTrouble, onRecovery, onServiceMessagesBuilt, onWaiting };
  const result = await deliver(store, config, transport, {
    ...{ clock, secrets, signers, templates, ...events, probeNow, signal },
    prepareFinish: monitor.prepareFinish,
    onProgress: (progress) => {
      monitor.onProgress();
      onProgress?.(progress);
    },
  }).finally(() => watching.stop());
  const { submitted, service, stopped, retryAt } = result;
  // Not if the server has stopped answering since: the alert of its back-off is raised once.
  if (submitted + service.submitted > 0 && (await readBackOff(store.db)) === null) {
    await resolveAlerts(store.db, [DELIVERY_STOPPED], clock());
  }
  if (stopped !== null && retryAt === undefined && !signal?.aborted) {
    const held = await readMeta(store.db, DELIVERY_HELD);
    const why = held === undefined ? stopped : `the queue is held, ${held}`;
    const message = `Delivery stopped: ${why}. All other deliveries are still pending.`;
    const actions = held === undefined ? [] : [RELEASE_QUEUE];
    // Runs every second while the queue is on hold. An unchanged alert is not raised again.
    await syncAlerts(store.db, DELIVERY_STOPPED.kind, [{ ...DELIVERY_STOPPED, message, actions }], clock());
  }
  await monitor.afterRun();
  const paused = result.paused.map((pause) => ({ edition: names.get(pause.editionId) ?? '', ...pause }));
  return { ...result, paused };
}
