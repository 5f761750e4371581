/**
 * npm run -s hold-simulation [-- --people 1000]
 *
 * Sends ten daily editions through a local SMTP server to people at five mailbox providers, and feeds real reports of
 * failures: Gmail rejects all for a mistake of ours until the sixth day, Orange has an outage of three days, 3 % of the
 * addresses at GMX are dead. Prints what was expected and what happened; exits with 1 where they differ. Without
 * `--people`, for 1,000 people and for 60.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'kysely';
import { openParts } from '../src/app/context-parts.ts';
import { mailboxToken } from '../src/audience/tokens.ts';
import { alertKey } from '../src/core/alerts/alert-kind.ts';
import { listOpenAlerts } from '../src/core/alerts/alerts.ts';
import type { AppContext } from '../src/core/app-context.ts';
import { parseConfig } from '../src/core/config/config.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { handleIncomingMail } from '../src/delivery/bounces/mail.ts';
import { retry } from '../src/delivery/control/operator-control.ts';
import { deliverDue } from '../src/delivery/deliver-due.ts';
import { closeHold, readHolds, tryHold } from '../src/delivery/holds/control-holds.ts';
import { RateWatch } from '../src/delivery/rates/watch-rates.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { DAY, HOUR } from '../src/lib/time.ts';
import { storeDeliveries } from './complaints/deliver-rows.ts';
import { SIMULATED_CONFIG } from './complaints/simulation.ts';
import { startCountingSink } from './counting-sink.ts';
import { NOW } from './test-edition.ts';

const DOMAINS = ['gmail.com', 'orange.fr', 'gmx.de', 'icloud.com', 'news.example'];
const REPAIRED = 6;
const OUTAGE = [3, 4, 5];

/** Written before the first run. `each`: people at one mailbox provider; `dead`: dead addresses. */
function expected(each: number, dead: number): string[] {
  const all = 5 * each;
  return Array.from({ length: 10 }, (_, n) => n + 1).map((day) => {
    const submitted = day === 1 ? all : all - dead - (day < REPAIRED ? each : 0);
    const waits = day > 1 && day < REPAIRED ? each : 0;
    const alerts = day < REPAIRED ? 'provider-held:gmail:1' : '';
    return line(day, { submitted, waits, suppressed: dead, alerts });
  });
}

/** Of the repair on the sixth day: the trial gets the newest edition that expired, the retries all others. */
function expectedRepair(each: number): string {
  return `tried 1; released 0 deliveries, 0 people; again: edition 1 to ${each}, edition 5 to ${each - 1}; got edition 1 at Gmail: ${each}, edition 5: ${each}`;
}

function line(day: number, { submitted, waits, suppressed, alerts }: Record<string, number | string>): string {
  return `edition ${day}: ${submitted} submitted, ${waits} wait, ${suppressed} suppressed; alerts: ${alerts || 'none'}`;
}

async function simulate(people: number): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-holds-'));
  const copies: string[] = [];
  const sink = await startCountingSink(0, ({ recipient }) => copies.push(recipient));
  const config = parseConfig(SIMULATED_CONFIG.replace('SMTP_URL', sink.url), {
    ...{ file: 'daywire.yaml', cwd: folder, env: { DAYWIRE_SECRET: 'the-secret-of-the-simulation-0123456789' } },
  });
  const store = await openStore({ path: config.paths.store });
  await migrate(store);
  let now = NOW;
  const clock = (): number => now;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const templates = openTemplates(config.paths.templates, config.publication.zone);
  const app: AppContext = { config, store, ...openParts(config, store, { clock, log }), templates, clock, log };
  const secrets = await app.keys.signingSecrets();
  const watch = new RateWatch(app);
  const each = people / DOMAINS.length;
  const dead = Math.max(1, Math.round(each * 0.03));
  const slots = new Map<number, string>();

  const report = async (editionId: number, emails: string[], status: string, text: string): Promise<void> => {
    for (const email of emails) {
      const { id } = await store.db
        .selectFrom('subscribers')
        .select('id')
        .where('email_key', '=', email)
        .executeTakeFirstOrThrow();
      const to = `bounces+${mailboxToken(secrets, { purpose: 'bounce', editionId, subscriberId: id })}@example.com`;
      await handleIncomingMail(store, config, secrets, dsn(to, email, status, text), { envelopeTo: to }, now);
    }
  };
  /** Delivers, and reports what bounces of that day. @returns the number of accepted messages */
  const deliver = async (editionId: number, day: number): Promise<number> => {
    copies.length = 0;
    await deliverDue(app);
    const at = (domain: string): string[] => copies.filter((email) => email.endsWith(`@${domain}`));
    if (day < REPAIRED) {
      await report(editionId, at('gmail.com'), '5.7.26', '550-5.7.26 Your email has been blocked: SPF did not pass');
    }
    if (OUTAGE.includes(day)) await report(editionId, at('orange.fr'), '4.4.1', 'connection timed out');
    const isDead = (email: string): boolean => Number.parseInt(email, 10) <= 2 * each + dead;
    await report(editionId, at('gmx.de').filter(isDead), '5.1.1', '550 5.1.1 no such user');
    await watch.look();
    return copies.length;
  };
  const gotAtGmail = async (editionId: number): Promise<number> => {
    const { rows } = await sql<{ count: number }>`select count(*) as count from deliveries
      join subscribers on subscribers.id = subscriber_id where edition_id = ${editionId} and state = 'submitted'
        and email like '%@gmail.com' and not exists (select 1 from bounces where bounces.edition_id = ${editionId}
          and bounces.subscriber_id = deliveries.subscriber_id)`.execute(store.db);
    return Number(rows[0]?.count);
  };
  const actual: string[] = [];
  let repair = '';
  for (let day = 1; day <= 10; day++) {
    now = NOW + (day - 1) * DAY;
    await deliverDue(app);
    if (day === REPAIRED) {
      const dry = await tryHold(app, { provider: 'gmail', isDryRun: true });
      const tried = await tryHold(app, { provider: 'gmail' });
      if (dry?.subscriberId !== tried?.subscriberId) throw new Error('the dry run tries another one');
      await deliver(5, day);
      const [accepted] = [copies.length];
      const { waiting, bounced } = await closeHold(app, 'release', { provider: 'gmail' });
      const again: string[] = [];
      for (const id of [1, 5]) {
        const edition = { id, newsletter: 'daily-roundup', slot: slots.get(id) ?? '' };
        const request = { kinds: ['failed', 'expired', 'bounced'] as const, provider: 'gmail' };
        const counted = await retry(app, edition, { ...request, isDryRun: true });
        const { reopened } = await retry(app, edition, { ...request, isDryRun: false });
        if (counted.reopened !== reopened) throw new Error('the dry run counts others');
        await deliver(id, day);
        again.push(`edition ${id} to ${copies.length}`);
      }
      const got = `got edition 1 at Gmail: ${await gotAtGmail(1)}, edition 5: ${await gotAtGmail(5)}`;
      repair = `tried ${accepted}; released ${waiting} deliveries, ${bounced} people; again: ${again.join(', ')}; ${got}`;
    }
    const slot = `2026-11-${23 + day}`
      .replace('2026-11-31', '2026-12-01')
      .replace('2026-11-32', '2026-12-02')
      .replace('2026-11-33', '2026-12-03');
    const rows = DOMAINS.map((domain) => ({ domain, state: 'pending' as const, count: each }));
    const id = await storeDeliveries(store, rows, {
      slot,
      number: day,
      articleId: `roundup-${day}`,
      closedAt: now,
      slotAt: now,
    });
    slots.set(id, slot);
    await sql`update deliveries set due_at = ${now}, changed_at = ${now}, expires_at = ${now + 20 * HOUR} where edition_id = ${id}`.execute(
      store.db,
    );
    const submitted = await deliver(id, day);
    const [hold] = await readHolds(store);
    const suppressed = await store.db
      .selectFrom('subscribers')
      .select('id')
      .where('suppressed_reason', 'is not', null)
      .execute();
    const alerts = (await listOpenAlerts(store.db))
      .map(alertKey)
      .filter((key) => !key.startsWith('undelivered'))
      .join(' ');
    actual.push(line(day, { submitted, waits: hold?.waiting ?? 0, suppressed: suppressed.length, alerts }));
  }
  const wanted = expected(each, dead);
  wanted.splice(REPAIRED - 1, 0, expectedRepair(each));
  actual.splice(REPAIRED - 1, 0, repair);
  console.log(`${people} people, ${each} at each mailbox provider, ${dead} dead`);
  for (const [n, row] of wanted.entries()) {
    console.log(actual[n] === row ? `  as expected  ${row}` : `  EXPECTED     ${row}\n  HAPPENED     ${actual[n]}`);
  }
  await Promise.all([sink.close(), store.close()]);
  rmSync(folder, { recursive: true, force: true });
  return wanted.every((row, n) => row === actual[n]);
}

function dsn(to: string, email: string, status: string, text: string): Buffer {
  const fields = `Final-Recipient: rfc822; ${email}\nAction: failed\nStatus: ${status}\nDiagnostic-Code: smtp; ${text}\n`;
  return Buffer.from(
    `From: MAILER-DAEMON@mx.example.com\nTo: ${to}\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n` +
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: text/plain\n\n' +
      `It failed.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n${fields}\n--b--\n`,
  );
}

const { values } = parseArgs({ options: { people: { type: 'string' } } });
let isRight = true;
for (const people of values.people === undefined ? [1_000, 60] : [Number(values.people)])
  isRight = (await simulate(people)) && isRight;
process.exit(isRight ? 0 : 1);
