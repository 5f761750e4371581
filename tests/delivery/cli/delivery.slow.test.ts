import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../../scripts/smtp-servers.ts';
import { mailboxToken } from '../../../src/audience/tokens.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { rfc3339 } from '../../../src/lib/time.ts';
import {
  editConfig,
  type Folder,
  newFolder,
  scheduledFolder,
  startedFolder,
  storedRows,
} from '../../support/command.ts';

const SUPPRESSED = 'hard bounce (5.1.1) of subscriber 1; the address is suppressed: hard-bounce\n';
const OTHER_RECIPIENT = 'desk@example.com';

afterAll(closeServers);

describe.concurrent('daywire deliver over SMTP', () => {
  it('says what another process has leased, exits with 1 where it pauses or many fail', async () => {
    let refused = { recipients: /./, reply: '550 5.7.1 relay denied' };
    const server = await startScripted((command) => {
      const address = /^RCPT TO:<(.*)>/.exec(command)?.[1];
      return address !== undefined && refused.recipients.test(address) ? refused.reply : undefined;
    });
    const folder = await scheduledFolder();
    editConfig(folder, 'transport: file', `transport: smtp\n  smtpUrl: ${server.url}`);
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    const deliveries = store.db.updateTable('deliveries');
    const leaseUntil = Date.now() + 600_000;
    await deliveries.set({ state: 'submitting', lease_until: leaseUntil }).execute();
    expect(await folder.run(['deliver'])).toMatchObject({
      code: 0,
      stdout: `0 submitted\n7 deliveries are leased to another process until ${rfc3339(leaseUntil)}\n`,
    });
    await deliveries.set({ state: 'pending', lease_until: null }).execute();

    const paused = await folder.run(['deliver']);
    expect(paused.code).toBe(1);
    const { slot } = await store.db.selectFrom('editions').select('slot').executeTakeFirstOrThrow();
    const name = `daily-roundup/${slot}`;
    const waiting = `7 deliveries of ${name} wait: continue with "daywire editions resume ${name}"\n`;
    expect(paused.stdout).toMatch(/^0 submitted; \S+ is paused: .*550 5\.7\.1 relay denied\n/);
    expect(paused.stdout.endsWith(`\n${waiting}`)).toBe(true);
    // What an earlier run has paused is no failure of this one.
    expect(await folder.run(['deliver'])).toMatchObject({ code: 0, stdout: `0 submitted\n${waiting}` });
    await store.close();
    await folder.run(['editions', 'resume', slot]);
    refused = { recipients: /^(ada|liu)/, reply: '550 5.1.1 no such user, see log 12345' };
    const { code, stdout } = await folder.run(['deliver', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ submitted: 5, failed: 2, paused: [], leased: null },
      failures: [{ kind: 'failed', words: '550 5.1.1 no such user, see log #', count: 2 }],
    });
  });
});

describe.concurrent('daywire queue', () => {
  it('shows what is due, what waits for the server, or that the queue is empty', async () => {
    const folder = await scheduledFolder();
    const { stdout } = await folder.run(['queue', 'show']);
    expect(stdout).toMatch(/^due since .*Z\ndaily-roundup\/.* \(7 pending\)\n$/);
    expect(JSON.parse((await folder.run(['queue', 'show', '--json'])).stdout)).toMatchObject({
      held: null,
      backOff: null,
      uncertainDeliveries: [],
      editions: [{ deliveryState: 'delivering', deliveries: { pending: 7 } }],
    });

    // A server that is down waits for its next probe; the operator's command tries at once.
    const smtp = 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1';
    editConfig(folder, 'transport: file', smtp);
    const { code, stdout: report } = await folder.run(['deliver', '--json']);
    expect(code).toBe(1);
    const retryAt = expect.stringMatching(/^2.*T.*Z$/);
    expect(JSON.parse(report)).toMatchObject({ stopped: '127.0.0.1:1 refuses connections', retryAt });
    expect((await folder.run(['queue', 'show'])).stdout).toMatch(
      /^delivery waits since \S+, the server is tried again at \S+: 127\.0\.0\.1:1 refuses connections\n/,
    );
    editConfig(folder, smtp, 'transport: file');
    expect((await folder.run(['deliver'])).stdout).toBe('7 submitted\n');
    expect((await folder.run(['queue', 'show'])).stdout).toBe('the queue is empty\n');
  });

  it('decides about a held mailbox provider, and shows before what it would do', async () => {
    const folder = await scheduledFolder();
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    const { id } = await store.db.selectFrom('editions').select('id').executeTakeFirstOrThrow();
    const hold = { provider: 'example.com', edition_id: id, reason: 'all bounced', opened_at: 1, try_at: Date.now() };
    await store.db.insertInto('provider_holds').values(hold).execute();
    const first = await store.db.selectFrom('deliveries').select('subscriber_id').executeTakeFirstOrThrow();
    await store.db
      .updateTable('subscribers')
      .set({ held_by: 'example.com' })
      .where('id', '=', first.subscriber_id)
      .execute();
    expect((await folder.run(['queue', 'show'])).stdout).toMatch(
      /deliver(y|ies) to example\.com wait, and 1 subscriber with a hard bounce: all bounced; decide by "daywire queue try/,
    );
    const { providers } = JSON.parse((await folder.run(['queue', 'show', '--json'])).stdout);
    const since = '1970-01-01T00:00:00Z';
    expect(providers).toMatchObject([{ provider: 'example.com', reason: 'all bounced', since, bounced: 1 }]);
    for (const args of [
      ['queue', 'try', 'example.com'],
      ['queue', 'suppress', 'EXAMPLE.com'],
      ['queue', 'release', 'example.com'],
    ]) {
      const { code, stdout, stderr } = await folder.run([...args, '--dry-run']);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('would be ');
    }
    expect((await folder.run(['queue', 'suppress', 'example.com'])).stdout).toContain('will be suppressed\n');
    const again = await folder.run(['queue', 'release', 'example.com']);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('those that do: none') });
    const filter = [
      'subscribers',
      'unsuppress',
      '--reason',
      'hard-bounce',
      '--domain',
      'example.com',
      '--since',
      '2026-01-01',
    ];
    const shown = await folder.run([...filter, '--dry-run']);
    expect(shown.stdout).toMatch(/@example\.com: would be lifted, no message accepted on record\n1 address\n$/);
    expect((await folder.run(filter)).stdout).toContain(': lifted, ');
    expect((await folder.run(filter)).stdout).toBe('0 addresses\n');
    await store.close();
  });

  it('release reports a queue that is not held', async () => {
    const folder = newFolder('sample');
    expect((await folder.run(['queue', 'release'])).stdout).toBe('the queue was not held\n');
    expect(JSON.parse((await folder.run(['queue', 'release', '--json'])).stdout)).toEqual({ released: false });
  });
});

describe.concurrent('daywire bounce', () => {
  it('processes the message on stdin, and a second time changes nothing', async () => {
    const folder = await startedFolder();
    const message = bounce(returnPath(folder));
    expect(await pipe(folder, ['bounce'], message)).toEqual({ code: 0, stdout: SUPPRESSED, stderr: '' });
    const shown = await folder.run(['subscribers', 'show', 'ada.brandt@example.com']);
    expect(shown.stdout).toMatch(/suppressed.*hard-bounce/);
    const before = storedRows(folder);
    const again = await pipe(folder, ['bounce'], message);
    expect(again).toEqual({ code: 0, stdout: 'ignored: this hard bounce was recorded before\n', stderr: '' });
    expect(storedRows(folder)).toEqual(before);
  });

  it.each([
    ['--to', (to: string) => [['bounce', '--to', to], {}]],
    ['$ORIGINAL_RECIPIENT', (to: string) => [['bounce'], { ORIGINAL_RECIPIENT: to, RECIPIENT: OTHER_RECIPIENT }]],
    ['$RECIPIENT', (to: string) => [['bounce'], { RECIPIENT: to }]],
  ] as [string, (to: string) => [string[], NodeJS.ProcessEnv]][])(
    'takes the recipient from %s',
    async (_source, commandFor) => {
      const folder = await startedFolder();
      const [args, env] = commandFor(returnPath(folder));
      expect(await folder.run(args, env, bounce(OTHER_RECIPIENT))).toEqual({ code: 0, stdout: SUPPRESSED, stderr: '' });
    },
  );

  it.each([
    [
      'is forged',
      (to: string) => bounce(to.replace(/\+b(.)/, (_, first) => `+b${first === 'a' ? 'b' : 'a'}`)),
      /^forged: /,
    ],
    ['is no mail', () => Buffer.from([0xff, 0x00, 0x0a, 0x80]), /^not recognised: /],
  ] as [string, (to: string) => string | Buffer, RegExp][])(
    'accepts a message that %s from the mail server, and changes nothing',
    async (_description, messageFor, outcome) => {
      const folder = await startedFolder();
      const before = storedRows(folder);
      const { code, stdout, stderr } = await folder.run(['bounce'], {}, messageFor(returnPath(folder)));
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(outcome);
      expect(storedRows(folder)).toEqual(before);
    },
  );

  it('exits 75 while the store is unavailable, so that the mail server keeps the message and tries again', async () => {
    const folder = newFolder('sample');
    const env = {
      DAYWIRE_DATABASE_URL: 'postgres://desk:hunter2@127.0.0.1:1/daywire',
      DAYWIRE_SECRET: 's'.repeat(40),
    };
    const message = bounce(`bounces+${'b'.repeat(40)}@example.com`);
    const { code, stdout, stderr } = await pipe(folder, ['bounce'], message, env);
    expect([code, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(/^daywire: .*127\.0\.0\.1:1/);
    expect(stderr).not.toMatch(/hunter2|\n\s+at /);
  });
});

/** Runs `daywire …` in its own process with `input` on stdin, as the pipe of a mail server does. */
async function pipe(folder: Folder, args: string[], input: string | Buffer, env: NodeJS.ProcessEnv = {}) {
  const child = folder.spawn(args, env);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout, stderr };
}

/** The return path of the first edition to the first subscriber of the sample. */
function returnPath({ path }: Folder): string {
  const secret = readFileSync(join(path, 'var/secret'), 'utf8').trim();
  return `bounces+${mailboxToken([secret], { purpose: 'bounce', editionId: 1, subscriberId: 1 })}@example.com`;
}

function bounce(to: string): string {
  const lines = [
    'Return-Path: <>',
    'From: MAILER-DAEMON@mx.example.net',
    `To: ${to}`,
    'Subject: Undelivered Mail Returned to Sender',
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example.net',
    '',
    'Final-Recipient: rfc822; ada.brandt@example.com',
    'Action: failed',
    'Status: 5.1.1',
    'Diagnostic-Code: smtp; 550 5.1.1 no such user',
    '',
    '--b--',
    '',
  ];
  return lines.join('\n');
}
