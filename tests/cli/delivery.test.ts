import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { mailboxToken } from '../../src/subscribers/tokens.ts';
import { editConfig, type Folder, newFolder, startedFolder } from '../support/command.ts';

/** All that a folder's store holds, table by table. */
function everythingIn({ path }: Folder): Record<string, unknown[]> {
  const database = new DatabaseSync(join(path, 'var/daywire.db'), { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table' order by name").all();
    return Object.fromEntries(
      tables.map(({ name }) => [String(name), database.prepare(`select * from "${name}" order by rowid`).all()]),
    );
  } finally {
    database.close();
  }
}

/** Runs `daywire …` with that on its stdin, as the pipe of a mail server does. */
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

/** The return path of the first edition to the first of the sample's readers. */
function returnPath({ path }: Folder): string {
  const secret = readFileSync(join(path, 'var/secret'), 'utf8').trim();
  return `bounces+${mailboxToken([secret], { purpose: 'bounce', editionId: 1, subscriberId: 1 })}@example.com`;
}

function refusal(to: string): string {
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

const SUPPRESSED = 'hard bounce (5.1.1) of subscriber 1; the address is suppressed: hard-bounce\n';
const ANOTHER = 'desk@example.com';

describe.concurrent('daywire bounce', () => {
  it('takes in what stands on stdin, twice as well as once', async () => {
    const folder = await startedFolder();
    const message = refusal(returnPath(folder));
    expect(await pipe(folder, ['bounce'], message)).toEqual({ code: 0, stdout: SUPPRESSED, stderr: '' });
    const shown = await folder.run(['subscribers', 'show', 'ada.brandt@example.com']);
    expect(shown.stdout).toMatch(/suppressed.*hard-bounce/);
    const before = everythingIn(folder);
    const again = await pipe(folder, ['bounce'], message);
    expect(again).toEqual({ code: 0, stdout: 'ignored: this hard bounce was recorded before\n', stderr: '' });
    expect(everythingIn(folder)).toEqual(before);
  });

  it.each([
    ['--to', (to: string) => [['bounce', '--to', to], {}]],
    ['$ORIGINAL_RECIPIENT', (to: string) => [['bounce'], { ORIGINAL_RECIPIENT: to, RECIPIENT: ANOTHER }]],
    ['$RECIPIENT', (to: string) => [['bounce'], { RECIPIENT: to }]],
  ] as [string, (to: string) => [string[], NodeJS.ProcessEnv]][])(
    'is told by %s to whom the message came',
    async (_by, telling) => {
      const folder = await startedFolder();
      const [args, env] = telling(returnPath(folder));
      expect(await folder.run(args, env, refusal(ANOTHER))).toEqual({ code: 0, stdout: SUPPRESSED, stderr: '' });
    },
  );

  it.each([
    ['is forged', (to: string) => refusal(to.replace(/\+b./, '+bz')), /^forged: /],
    ['is empty', () => '', /^not recognised: /],
    ['is no mail', () => Buffer.from([0xff, 0x00, 0x0a, 0x80]), /^not recognised: /],
    [
      'goes on for megabytes',
      () => `To: ${ANOTHER}\n\n${'x'.repeat(70)}\n`.padEnd(5_000_000, ' '),
      /^not recognised: /,
    ],
  ] as [string, (to: string) => string | Buffer, RegExp][])(
    'changes nothing by one that %s, and keeps it from no mail server',
    async (_what, messageOf, words) => {
      const folder = await startedFolder();
      const before = everythingIn(folder);
      const { code, stdout, stderr } = await folder.run(['bounce'], {}, messageOf(returnPath(folder)));
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(words);
      expect(everythingIn(folder)).toEqual(before);
    },
  );

  it('exits 75 while the store is away, so that the mail server keeps the message and tries again', async () => {
    const folder = newFolder('sample');
    const away = {
      DAYWIRE_DATABASE_URL: 'postgres://desk:hunter2@127.0.0.1:1/daywire',
      DAYWIRE_SECRET: 's'.repeat(40),
    };
    const { code, stdout, stderr } = await pipe(
      folder,
      ['bounce'],
      refusal(`bounces+${'b'.repeat(40)}@example.com`),
      away,
    );
    expect([code, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(/^daywire: .*127\.0\.0\.1:1/);
    expect(stderr).not.toMatch(/hunter2|\n\s+at /);
  });
});

describe.concurrent('daywire compose --test', () => {
  it('mails a marked copy of what comes next, and records nothing at all', async () => {
    const folder = await startedFolder();
    const before = everythingIn(folder);
    const { code, stdout, stderr } = await folder.run(['compose', 'daily-roundup', '--test', 'me@example.com']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^submitted a test copy to me@example\.com: /);
    expect(everythingIn(folder)).toEqual(before);
    const [copy] = testCopies(folder) as [string];
    const mail = await simpleParser(readFileSync(join(folder.path, copy)));
    expect(mail.subject).toMatch(/^\[Test\] Tech Roundup: /);
    expect(mail.to).toMatchObject({ value: [{ address: 'me@example.com' }] });
    expect(`${mail.html}${mail.text}`).not.toMatch(/\/(unsubscribe|preferences|confirm)\//);
  });

  it('refuses an address that is none, a newsletter that is none, and an edition that is closed', async () => {
    const folder = await startedFolder();
    const [edition] = everythingIn(folder).editions as [{ slot: string }];
    const of = (...args: string[]) => folder.run(['compose', ...args]);
    const outcomes = await Promise.all([
      of('daily-roundup', '--test', 'me@example.com\r\nBcc: you@example.com'),
      of('weekly', '--test', 'me@example.com'),
      of('daily-roundup', '--test', 'me@example.com', '--slot', edition.slot),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(outcomes.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/: it contains control characters\n$/),
      expect.stringMatching(/^daywire: there is no newsletter weekly/),
      expect.stringMatching(/^daywire: daily-roundup: nothing to mail: the edition of \S+ is closed; without --slot/),
    ]);
    expect(testCopies(folder)).toEqual([]);
  });
});

function testCopies({ path }: Folder): string[] {
  return readdirSync(path, { recursive: true })
    .map(String)
    .filter((name) => /-test\b.*\.eml$/.test(name));
}

describe.concurrent('daywire check, where mail goes out', () => {
  /** What it finds of the keys and of what comes back; the SMTP server itself is not there. */
  async function findings(folder: Folder, lines: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    editConfig(folder, 'transport: file', `transport: smtp\n  smtpUrl: smtp://127.0.0.1:1${lines}`);
    const { stdout } = await folder.run(['check'], env);
    return stdout
      .split('\n')
      .filter((line) => /dkim|signed by|bounces/.test(line))
      .join('\n');
  }

  function keyFor(folder: Folder, domain: string, mode = 0o600): string {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder.path, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    chmodSync(join(folder.path, 'dkim.pem'), mode);
    return `\n  dkim: [{ domain: ${domain}, selector: daywire, keyFile: dkim.pem }]`;
  }

  it('warns that nothing is signed, and that nothing comes back', async () => {
    expect(await findings(newFolder('sample'), '')).toMatch(
      /^warning +newsletters daily-roundup: no key of delivery\.dkim signs mail from example\.com: .*\nwarning +bounces\.address is not set: /,
    );
  });

  it('names the keys that sign, and the record that must be in the DNS', async () => {
    const folder = newFolder('sample');
    expect(await findings(folder, keyFor(folder, 'example.com'))).toMatch(
      /^ok +newsletters daily-roundup: mail from example\.com is signed by daywire\._domainkey\.example\.com, which must/,
    );
  });

  it('warns of a key that is another domain’s', async () => {
    const folder = newFolder('sample');
    expect(await findings(folder, keyFor(folder, 'example.net'))).toMatch(
      /^warning +newsletters daily-roundup: no key/,
    );
  });

  it('finds a key that is open to others, even while mail goes to files', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'transport: file', `transport: file${keyFor(folder, 'example.com', 0o644)}`);
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +delivery\.dkim: .*dkim\.pem is open to other users \(mode 644\)/);
  });

  it('says how what comes back is taken in, and tries the mailbox without showing its password', async () => {
    const folder = newFolder('sample');
    editConfig(folder, '# address: bounces@example.com', 'address: bounces@example.com');
    expect(await findings(folder, '')).toMatch(/\nok +bounces: bounces@example\.com, if your mail server pipes /);
    const { code, stdout } = await folder.exec(['check'], {
      DAYWIRE_IMAP_URL: 'imap://desk:hunter2@127.0.0.1:1/INBOX',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +bounces: the mailbox at imap:\/\/127\.0\.0\.1:1 cannot be read: .*ECONNREFUSED/);
    expect(stdout).not.toMatch(/hunter2/);
  });
});
