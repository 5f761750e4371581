/** Watches over a process's deliveries: alerts about what waits or has failed, and the heartbeat. */
import type { AppContext } from '../../core/app-context.ts';
import { QuietPeriod } from '../../lib/quiet-period.ts';
import { errorLine } from '../../lib/text/clean-text.ts';
import { MINUTE, SECOND } from '../../lib/time.ts';
import type { PrepareFinish } from '../queue/outbox.ts';
import { finishingWithAlert } from './finish.ts';
import { callDueHeartbeats } from './heartbeat.ts';
import { StallWatch } from './stall-watch.ts';
import { updateWaitingAlerts } from './waiting-alerts.ts';

/** During a run, which may take hours. */
const HEARTBEAT_EVERY = 10 * SECOND;
const ALERTS_EVERY = MINUTE;

export class DeliveryMonitor {
  readonly #app: AppContext;
  /** Whether something was submitted or finished since the last check, or a call must be repeated. */
  #isDue = true;
  readonly #noCheckDuringRun = new QuietPeriod();
  readonly #noCheckAfterRun = new QuietPeriod();
  readonly #noAlerts = new QuietPeriod();
  #checking: Promise<void> | null = null;
  readonly stalls: StallWatch;
  readonly prepareFinish: PrepareFinish;

  constructor(app: AppContext) {
    this.#app = app;
    this.stalls = new StallWatch(app);
    const prepare = finishingWithAlert(app);
    this.prepareFinish = async (editionId) => {
      this.#isDue = true;
      return prepare(editionId);
    };
  }

  /** Never waits and never throws: the check runs beside the deliveries. */
  onProgress(): void {
    this.#isDue = true;
    if (this.#checking !== null || this.#noCheckDuringRun.lasts(this.#app.clock())) return;
    this.#checking = this.#checkHeartbeat()
      .catch((error: unknown) => {
        this.#isDue = true;
        this.#app.log.error({ error: errorLine(error) }, 'the heartbeat could not be checked');
      })
      .finally(() => {
        this.#checking = null;
      });
  }

  /** @throws if the store fails */
  async afterRun(): Promise<void> {
    const { clock } = this.#app;
    await this.#checking;
    // After the first run in any case: there may be no other.
    if (this.#isDue && !this.#noCheckAfterRun.lasts(clock())) {
      this.#noCheckAfterRun.begin(clock(), HEARTBEAT_EVERY);
      await this.#checkHeartbeat();
    }
    if (this.#noAlerts.lasts(clock())) return;
    this.#noAlerts.begin(clock(), ALERTS_EVERY);
    await updateWaitingAlerts(this.#app);
  }

  async #checkHeartbeat(): Promise<void> {
    const { clock } = this.#app;
    this.#isDue = false;
    this.#noCheckDuringRun.begin(clock(), HEARTBEAT_EVERY);
    if (await callDueHeartbeats(this.#app)) return;
    this.#isDue = true;
    this.#noCheckDuringRun.begin(clock(), MINUTE);
    this.#noCheckAfterRun.begin(clock(), MINUTE);
  }
}
