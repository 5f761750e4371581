/**
 * Mails through a real Postfix and takes in what comes back: what it accepted is verified by another DKIM implementation, and its own
 * delivery reports go through `daywire bounce`. Prints what it did, line by line, and exits 1 where anything is otherwise than it
 * should be. Nothing leaves this machine. As root: npm run -s postfix-check
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { type Config, loadConfig } from '../src/config/config.ts';
import { loadSigningSecrets } from '../src/config/signing-secrets.ts';
import { deliver } from '../src/delivery/deliver.ts';
import { loadSigners, type Signer } from '../src/delivery/message/dkim.ts';
import { openTransport } from '../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { migrate } from '../src/store/schema.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { subscriberHistory } from '../src/subscribers/history.ts';
import { NOW, queueEdition } from '../tests/delivery/fixture.ts';
import { ed25519Signer, rsaSigner, verify } from '../tests/delivery/message/dkim-keys.ts';
import { missingForPostfix, type Postfix, startPostfix } from './postfix.ts';

const DOMAIN = 'news.example';
const BOUNCES = `bounces@${DOMAIN}`;
const READER = 'reader@example.com';
const GONE = 'gone@example.com';
const FULL = 'full@example.com';
const REFUSING = { [GONE]: '5.1.1 there is no such user', [FULL]: '5.2.2 the mailbox is full' };
const ENV = { PATH: process.env.PATH ?? '', DAYWIRE_SECRET: 'the-secret-of-the-postfix-check-and-of-nothing-else' };

/** It takes about 10 s; each wait within it gives up after 30 s. */
const LIMIT = 120_000;

const faults: string[] = [];

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Says what was found, and notes it where it is not what it should be. */
function expectThat(what: string, isSo: boolean, found?: unknown): void {
  const instead = isSo || found === undefined ? '' : `; found: ${JSON.stringify(found)}`;
  say(`  ${isSo ? 'ok   ' : 'WRONG'} ${what}${instead}`);
  if (!isSo) faults.push(what);
}

const missing = missingForPostfix();
if (missing !== null) {
  process.stderr.write(`postfix-check: ${missing}\n`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'daywire-postfix-'));
chmodSync(folder, 0o755);
const interrupted = whenInterrupted();
let postfix: Postfix | null = null;
try {
  postfix = await startPostfix(folder, { mailboxes: [READER, BOUNCES], refusing: REFUSING });
  say(`Postfix listens on ${postfix.url}, with its configuration and queue in ${folder}`);
  await Promise.race([check(postfix), interrupted]);
} catch (error) {
  faults.push((error as Error).message);
  say((error as Error).stack ?? String(error));
} finally {
  await postfix?.stop();
  rmSync(folder, { recursive: true, force: true });
}
say(faults.length === 0 ? 'all as it should be' : `${faults.length} things are wrong`);
// What was interrupted may still wait for an answer.
process.exit(faults.length === 0 ? 0 : 1);

/** Rejects on Ctrl-C, on SIGTERM, and where the check takes too long: Postfix and its folder are cleared away in any case. */
function whenInterrupted(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => reject(new Error(`ended by ${signal}`)));
  setTimeout(() => reject(new Error(`it took longer than ${LIMIT / 1_000} s`)), LIMIT).unref();
  // While Postfix starts, nobody listens to it yet.
  promise.catch(() => {});
  return promise;
}

async function check(server: Postfix): Promise<void> {
  const config = configure(server.url);
  const store = await openStore({ path: config.paths.store });
  try {
    await migrate(store);
    const subscribers = await mailFirstEdition(store, config);
    await checkReceived(server);
    await takeInReports(server);
    for (const [email, id] of subscribers) await showHistory(store, email, id);
    await mailSecondEdition(store, config, server);
  } finally {
    await store.close();
  }
}

/** The sample's configuration, mailing through this Postfix as news.example, with keys made now. */
function configure(smtpUrl: string): Config {
  const yaml = parseDocument(readFileSync('config/daywire.yaml', 'utf8'));
  yaml.set('sample', false);
  yaml.setIn(['publication', 'url'], `https://${DOMAIN}`);
  yaml.setIn(['newsletters', 0, 'from', 'email'], `roundup@${DOMAIN}`);
  yaml.setIn(['delivery', 'transport'], 'smtp');
  yaml.setIn(['delivery', 'smtpUrl'], smtpUrl);
  yaml.setIn(['delivery', 'dkim'], [rsaSigner(DOMAIN), ed25519Signer(DOMAIN)].map(keepKey));
  yaml.setIn(['bounces', 'address'], BOUNCES);
  const file = join(folder, 'daywire.yaml');
  writeFileSync(file, String(yaml));
  return loadConfig(file, ENV, folder);
}

function keepKey({ domain, selector, key }: Signer): { domain: string; selector: string; keyFile: string } {
  const keyFile = join(folder, `${selector}.pem`);
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return { domain, selector, keyFile };
}

async function mailFirstEdition(store: Store, config: Config): Promise<Map<string, number>> {
  const emails = [READER, GONE, FULL];
  const { subscriberIds } = await queueEdition(store, emails);
  say(`an edition is delivered to ${emails.join(', ')}`);
  const report = await deliverThrough(store, config);
  expectThat('the server took all three', report.submitted === 3, report);
  return new Map(emails.map((email, index) => [email, subscriberIds[index] as number]));
}

function deliverThrough(store: Store, config: Config) {
  return deliver(store, config, openTransport(config), {
    clock: () => NOW,
    secrets: loadSigningSecrets(config, store.dialect),
    signers: loadSigners(config),
    templates: openTemplates(config.paths.templates, config.publication.zone),
  });
}

async function checkReceived(server: Postfix): Promise<void> {
  const [message] = (await server.waitFor(READER, 1)) as [Buffer];
  say(`${READER} received ${message.length} octets; mailauth verifies what came`);
  const returnPath = /^Return-Path: <bounces\+([a-z2-7]+)@news\.example>\r$/m.exec(message.toString('latin1'))?.[1];
  expectThat('its return path holds a token', returnPath?.length === 40, returnPath);
  const verdicts = await verify(message);
  for (const { algorithm, domain, result, aligned, covers } of verdicts) {
    expectThat(`DKIM by ${algorithm} of ${domain}: ${result}`, result === 'pass' && aligned, result);
    const wanted = ['from', 'to', 'subject', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post', 'feedback-id'];
    expectThat(
      `  it covers ${wanted.join(', ')}`,
      wanted.every((name) => covers.includes(name)),
      covers,
    );
  }
  expectThat('there are two signatures', verdicts.length === 2, verdicts.length);
  const changed = Buffer.from(message.toString('latin1').replace('Battery makers', 'Battery fakers'), 'latin1');
  expectThat(
    'a changed body verifies for none',
    (await verify(changed)).every(({ result }) => result !== 'pass'),
  );
}

async function takeInReports(server: Postfix): Promise<void> {
  const reports = await server.waitFor(BOUNCES, 2);
  expectThat('Postfix sent two reports to the return paths', reports.length === 2, reports.length);
  for (const report of reports) {
    const text = report.toString('latin1');
    const [status, refused] = [/^Status: (.*)\r$/m, /^Original-Recipient: rfc822;(.*)\r$/m].map(
      (one) => one.exec(text)?.[1],
    );
    say(`a report of ${status} for ${refused} goes through "daywire bounce"`);
    const hard = refused === GONE;
    const first = await bounce(report);
    const wanted = hard
      ? /^hard bounce \(5\.1\.1\) .*suppressed: hard-bounce$/
      : /^soft bounce \(5\.2\.2\) of subscriber \d+$/;
    expectThat(first, wanted.test(first));
    const second = await bounce(report);
    expectThat(`once more: ${second}`, second.startsWith('ignored: '));
    const forged = await bounce(forge(text));
    expectThat(`with its token changed: ${forged}`, forged.startsWith('forged'));
  }
}

/** Changes every token in a message, each by one letter. */
function forge(text: string): Buffer {
  const other = (letter: string): string => (letter === 'a' ? 'b' : 'a');
  const changed = text
    .replace(/\+([bu])([a-z2-7])/g, (_, kind: string, letter: string) => `+${kind}${other(letter)}`)
    .replace(/\/unsubscribe\/v1\.(.)/g, (_, letter: string) => `/unsubscribe/v1.${other(letter)}`);
  return Buffer.from(changed, 'latin1');
}

/** The command that a mail server's pipe calls, with the message on stdin. @returns what it says */
async function bounce(message: Buffer): Promise<string> {
  const command = ['bin/daywire.js', '--config', join(folder, 'daywire.yaml'), 'bounce'];
  const [program, ...rest] = command as [string, ...string[]];
  const child = spawn(process.execPath, [resolve(program), ...rest], { cwd: folder, env: ENV, timeout: 30_000 });
  const output = collect(child);
  child.stdin.end(message);
  const [code] = await once(child, 'close');
  const words = output().trim();
  return code === 0 ? words : `exit code ${code}: ${words}`;
}

function collect(child: ChildProcess): () => string {
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

async function showHistory(store: Store, email: string, subscriberId: number): Promise<void> {
  const subscriber = await store.db
    .selectFrom('subscribers')
    .select('suppressed_reason')
    .where('id', '=', subscriberId)
    .executeTakeFirstOrThrow();
  const { deliveries, bounces, consent } = await subscriberHistory(store.db, subscriberId);
  say(`the history of ${email}:`);
  for (const one of deliveries) say(`  ${one.newsletter}/${one.slot} ${one.state}: ${one.reply}`);
  for (const one of bounces) say(`  ${one.kind} bounce ${one.status}: ${one.detail}`);
  for (const one of consent) say(`  ${one.change} by ${one.channel}: ${one.detail}`);
  const wanted = { [READER]: [null, 0], [GONE]: ['hard-bounce', 1], [FULL]: [null, 1] }[email];
  const found = [subscriber.suppressed_reason, bounces.length];
  expectThat(`suppressed: ${found[0] ?? 'no'}, bounces: ${found[1]}`, JSON.stringify(found) === JSON.stringify(wanted));
}

async function mailSecondEdition(store: Store, config: Config, server: Postfix): Promise<void> {
  await queueEdition(store, [READER, GONE, FULL], { slot: '2026-11-25', number: 2, articleId: 'roundup-2026-11-25' });
  say('the next edition is queued for the same three');
  const report = await deliverThrough(store, config);
  expectThat(
    `${report.submitted} are submitted, ${report.suppressed} is suppressed`,
    report.submitted === 2 && report.suppressed === 1,
    report,
  );
  await server.waitFor(READER, 2);
  expectThat(`${READER} has one copy of each`, server.messages(READER).length === 2);
}
