/** A desk with subscribers, for the tests of its audience pages. */
import type { Store } from '../../../src/core/store/store.ts';
import { openTestDesk, type TestDesk } from '../../app/desk/test-desk.ts';
import { openTestApp } from '../../support/test-app.ts';
import { openTestLog, type TestLog } from '../../support/test-log.ts';
import { addConfirmed } from '../fixtures.ts';

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
