/** A desk with subscribers, for the tests of its audience pages. */
import type { Store } from '../../../src/store/store.ts';
import { addConfirmed } from '../../subscribers/fixtures.ts';
import { openTestApp } from '../../support/test-app.ts';
import { openTestLog, type TestLog } from '../../support/test-log.ts';
import { openTestDesk, type TestDesk } from '../test-desk.ts';

export const JUN = 'jun.li@example.com';

export interface AudienceDesk extends TestDesk {
  log: TestLog;
  /** The subscriber of JUN. */
  id: number;
}

/** With one subscriber of the daily roundup. */
export async function openAudience(store: Store): Promise<AudienceDesk> {
  const log = openTestLog();
  const app = Object.assign(openTestApp(store), { log });
  const desk = await openTestDesk(store, { app });
  return { ...desk, log, id: await addConfirmed(store, JUN, ['daily-roundup'], app.now) };
}
