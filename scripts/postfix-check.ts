/**
 * npm run -s postfix-check (as root)
 *
 * Delivers through a real Postfix and processes its bounces: another DKIM implementation verifies the delivered
 * message, and Postfix's delivery reports go through `daywire bounce`. Prints each step, and exits with 1 if a check
 * fails. Nothing leaves this machine.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { subscriberHistory } from '../src/audience/history.ts';
import { type Config, loadConfig } from '../src/core/config/config.ts';
import type { Signer } from '../src/core/keys.ts';
import { openSigningSecrets } from '../src/core/signing-secret.ts';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import { deliver } from '../src/delivery/deliver.ts';
import { loadSigners } from '../src/delivery/message/dkim.ts';
import { openTransport } from '../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../src/lib/templates.ts';
import { ed25519Signer, rsaSigner, verify } from './dkim-verifier.ts';
import { missingForPostfix, type Postfix, startPostfix } from './postfix.ts';
import { NOW, queueEdition } from './test-edition.ts';

const DOMAIN = 'news.example';
const BOUNCES = `bounces@${DOMAIN}`;
const SUBSCRIBER = 'subscriber@example.com';
const GONE = 'gone@example.com';
const FULL = 'full@example.com';
const REFUSING = { [GONE]: '5.1.1 there is no such user', [FULL]: '5.2.2 the mailbox is full' };
const ENV = { PATH: process.env.PATH ?? '', DAYWIRE_SECRET: 'the-secret-of-the-postfix-check-and-of-nothing-else' };

/** Of about 10 s. Each wait in it times out after 30 s. */
const LIMIT = 120_000;

const faults: string[] = [];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Prints a check and records it if it failed. */
function expectThat(description: string, isTrue: boolean, found?: unknown): void {
  const instead = isTrue || found === undefined ? '' : `; found: ${JSON.stringify(found)}`;
  print(`  ${isTrue ? 'ok   ' : 'WRONG'} ${description}${instead}`);
  if (!isTrue) faults.push(description);
}

const missing = missingForPostfix();
if (missing !== null) {
  process.stderr.write(`postfix-check: ${missing}\n`);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'daywire-postfix-'));
chmodSync(folder, 0o755);
const interruption = rejectOnInterrupt();
let postfix: Postfix | null = null;
try {
  postfix = await startPostfix(folder, { mailboxes: [SUBSCRIBER, BOUNCES], refusing: REFUSING });
  print(`Postfix listens on ${postfix.url}, with its configuration and queue in ${folder}`);
  await Promise.race([check(postfix), interruption]);
} catch (error) {
  faults.push((error as Error).message);
  print((error as Error).stack ?? String(error));
} finally {
  await postfix?.stop();
  rmSync(folder, { recursive: true, force: true });
}
print(faults.length === 0 ? 'all checks passed' : `${faults.length} checks failed`);
// An interrupted check may still wait for something.
process.exit(faults.length === 0 ? 0 : 1);

/** Rejects on Ctrl-C, SIGTERM and timeout, so that Postfix is stopped and its folder deleted in any case. */
function rejectOnInterrupt(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => reject(new Error(`ended by ${signal}`)));
  setTimeout(() => reject(new Error(`it took longer than ${LIMIT / 1_000} s`)), LIMIT).unref();
  // Not awaited yet while Postfix starts.
  promise.catch(() => {});
  return promise;
}

async function check(server: Postfix): Promise<void> {
  const config = configure(server.url);
  const store = await openStore({ path: config.paths.store });
  try {
    await migrate(store);
    const subscribers = await deliverFirstEdition(store, config);
    await checkReceived(server);
    await processReports(server);
    for (const [email, id] of subscribers) await showHistory(store, email, id);
    await deliverSecondEdition(store, config, server);
  } finally {
    await store.close();
  }
}

/** The sample configuration, delivering through this Postfix as news.example, with new keys. */
function configure(smtpUrl: string): Config {
  const yaml = parseDocument(readFileSync('config/daywire.yaml', 'utf8'));
  yaml.set('sample', false);
  yaml.setIn(['publication', 'url'], `https://${DOMAIN}`);
  yaml.setIn(['newsletters', 0, 'from', 'email'], `roundup@${DOMAIN}`);
  yaml.setIn(['delivery', 'transport'], 'smtp');
  yaml.setIn(['delivery', 'smtpUrl'], smtpUrl);
  yaml.setIn(['delivery', 'dkim'], [rsaSigner(DOMAIN), ed25519Signer(DOMAIN)].map(writeKey));
  yaml.setIn(['bounces', 'address'], BOUNCES);
  const file = join(folder, 'daywire.yaml');
  writeFileSync(file, String(yaml));
  return loadConfig(file, ENV, folder);
}

function writeKey({ domain, selector, key }: Signer): { domain: string; selector: string; keyFile: string } {
  const keyFile = join(folder, `${selector}.pem`);
  writeFileSync(keyFile, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return { domain, selector, keyFile };
}

async function deliverFirstEdition(store: Store, config: Config): Promise<Map<string, number>> {
  const emails = [SUBSCRIBER, GONE, FULL];
  const { subscriberIds } = await queueEdition(store, emails);
  print(`an edition is delivered to ${emails.join(', ')}`);
  const report = await runDelivery(store, config);
  expectThat('the server accepted all three', report.submitted === 3, report);
  return new Map(emails.map((email, index) => [email, subscriberIds[index] as number]));
}

async function runDelivery(store: Store, config: Config) {
  return deliver(store, config, openTransport(config), {
    clock: () => NOW,
    secrets: await openSigningSecrets(config, store),
    signers: loadSigners(config),
    templates: openTemplates(config.paths.templates, config.publication.zone),
  });
}

async function checkReceived(server: Postfix): Promise<void> {
  const [message] = (await server.waitFor(SUBSCRIBER, 1)) as [Buffer];
  print(`${SUBSCRIBER} received ${message.length} octets, verified by mailauth`);
  const returnPath = /^Return-Path: <bounces\+([a-z2-7]+)@news\.example>\r$/m.exec(message.toString('latin1'))?.[1];
  expectThat('its return path contains a token', returnPath?.length === 40, returnPath);
  const signatures = await verify(message);
  for (const { algorithm, domain, result, aligned, covers } of signatures) {
    expectThat(`DKIM by ${algorithm} of ${domain}: ${result}`, result === 'pass' && aligned, result);
    const fields = ['from', 'to', 'subject', 'message-id', 'list-unsubscribe', 'list-unsubscribe-post', 'feedback-id'];
    expectThat(
      `  it covers ${fields.join(', ')}`,
      fields.every((name) => covers.includes(name)),
      covers,
    );
  }
  expectThat('there are two signatures', signatures.length === 2, signatures.length);
  const changed = Buffer.from(message.toString('latin1').replace('Battery makers', 'Battery fakers'), 'latin1');
  expectThat(
    'no signature is valid for a changed body',
    (await verify(changed)).every(({ result }) => result !== 'pass'),
  );
}

async function processReports(server: Postfix): Promise<void> {
  const reports = await server.waitFor(BOUNCES, 2);
  expectThat('Postfix sent two reports to the return paths', reports.length === 2, reports.length);
  for (const report of reports) {
    const text = report.toString('latin1');
    const [status, refused] = [/^Status: (.*)\r$/m, /^Original-Recipient: rfc822;(.*)\r$/m].map(
      (one) => one.exec(text)?.[1],
    );
    print(`a report of ${status} for ${refused} goes through "daywire bounce"`);
    const first = await bounce(report);
    const expected =
      refused === GONE
        ? /^hard bounce \(5\.1\.1\) .*suppressed: hard-bounce$/
        : /^soft bounce \(5\.2\.2\) of subscriber \d+$/;
    expectThat(first, expected.test(first));
    const second = await bounce(report);
    expectThat(`again: ${second}`, second.startsWith('ignored: '));
    const forged = await bounce(forge(text));
    expectThat(`with a changed token: ${forged}`, forged.startsWith('forged'));
  }
}

/** Changes one letter of each token in a message. */
function forge(text: string): Buffer {
  const other = (letter: string): string => (letter === 'a' ? 'b' : 'a');
  const changed = text
    .replace(/\+([bsuv])([a-z2-7])/g, (_, kind: string, letter: string) => `+${kind}${other(letter)}`)
    .replace(/\/unsubscribe\/v2\.(.)/g, (_, letter: string) => `/unsubscribe/v2.${other(letter)}`);
  return Buffer.from(changed, 'latin1');
}

/** Runs `daywire bounce` with the message on stdin, as a mail server's pipe does. @returns its output */
async function bounce(message: Buffer): Promise<string> {
  const command = ['bin/daywire.js', '--config', join(folder, 'daywire.yaml'), 'bounce'];
  const [program, ...rest] = command as [string, ...string[]];
  const child = spawn(process.execPath, [resolve(program), ...rest], { cwd: folder, env: ENV, timeout: 30_000 });
  const output = collect(child);
  child.stdin.end(message);
  const [code] = await once(child, 'close');
  const text = output().trim();
  return code === 0 ? text : `exit code ${code}: ${text}`;
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
  print(`the history of ${email}:`);
  for (const one of deliveries) print(`  ${one.newsletter}/${one.slot} ${one.state}: ${one.reply}`);
  for (const one of bounces) print(`  ${one.kind} bounce ${one.status}: ${one.detail}`);
  for (const one of consent) print(`  ${one.change} by ${one.channel}: ${one.detail}`);
  const expected = { [SUBSCRIBER]: [null, 0], [GONE]: ['hard-bounce', 1], [FULL]: [null, 1] }[email];
  const found = [subscriber.suppressed_reason, bounces.length];
  const isExpected = JSON.stringify(found) === JSON.stringify(expected);
  expectThat(`suppressed: ${found[0] ?? 'no'}, bounces: ${found[1]}`, isExpected);
}

async function deliverSecondEdition(store: Store, config: Config, server: Postfix): Promise<void> {
  await queueEdition(store, [SUBSCRIBER, GONE, FULL], {
    slot: '2026-11-25',
    number: 2,
    articleId: 'roundup-2026-11-25',
  });
  print('the next edition is queued for the same three');
  const report = await runDelivery(store, config);
  expectThat(
    `${report.submitted} are submitted, ${report.suppressed} is suppressed`,
    report.submitted === 2 && report.suppressed === 1,
    report,
  );
  await server.waitFor(SUBSCRIBER, 2);
  expectThat(`${SUBSCRIBER} has one copy of each`, server.messages(SUBSCRIBER).length === 2);
}
