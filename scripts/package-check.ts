/**
 * npm run -s package-check [-- --debian] (as root, on Linux)
 *
 * Installs the package on a bare machine, as an unprivileged user: a clean root that has Node 24 and npm, and no
 * compiler, no git and no Python. There it runs the commands of docs/installing.md, from the installation to the first
 * feed and the first mail, signs up through the pages, and stops the server. Prints the seconds of each step, and
 * exits with 1 where one fails. The dependencies come from the registry that npm's settings name. With `--debian`, the
 * root is a minimal Debian from debootstrap, which takes a minute more.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseRssFeed } from 'feedsmith';
import { makeBareRoot } from './clean-root/bare-root.ts';
import { type CleanRoot, missingForCleanRoot, USER } from './clean-root/clean-root.ts';
import { makeDebianRoot, missingForDebianRoot } from './clean-root/debian-root.ts';
import { npmEnvironment, npmFolder } from './clean-root/npm-settings.ts';
import { print, secondsSince, step } from './clean-root/steps.ts';
import { freePort } from './free-port.ts';
import { commandsOf } from './page-commands.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const NEWSROOM = `${USER.home}/times`;
const STARTS_WITHIN = 60_000;
const STORIES = 3;

const isDebian = process.argv.includes('--debian');
const missing = missingForCleanRoot() ?? (isDebian ? missingForDebianRoot() : null);
if (missing !== null) {
  process.stderr.write(`package-check: ${missing}\n`);
  process.exit(1);
}

const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'daywire-package-check-'));
let server: ChildProcess | undefined;
try {
  await check();
} catch (error) {
  process.stderr.write(`package-check: ${(error as Error).message}\n`);
  process.exitCode = 1;
} finally {
  // Its mounts end with its processes.
  if (server?.exitCode === null && server.signalCode === null) {
    server.kill('SIGKILL');
    await once(server, 'close');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function check(): Promise<void> {
  const clean = await step('make the package (npm pack), and a clean root', async () => {
    const path = join(folder, 'root');
    const made = isDebian ? makeDebianRoot(path) : makeBareRoot(path);
    made.addNode(process.execPath, npmFolder());
    const destination = join(made.path, USER.home);
    execFileSync('npm', ['pack', '--silent', '--pack-destination', destination], { cwd: PROJECT, stdio: 'pipe' });
    return made;
  });
  const env = npmEnvironment(clean);

  const commands = commandsOf(readFileSync(join(PROJECT, 'docs/installing.md'), 'utf8'));
  const start = commands.pop();
  if (start !== 'npx daywire start') throw new Error(`the last command of docs/installing.md is ${start}`);
  const commandsBegan = performance.now();
  let cwd = USER.home;
  const port = await freePort();
  for (const command of commands) {
    await step(command, () => clean.run(['sh', '-c', command], { cwd, env }));
    if (command.startsWith('mkdir')) cwd = NEWSROOM;
    if (command.includes(' init ')) useAnotherPort(clean, port);
  }
  const mail = join(clean.path, NEWSROOM, 'var/mail');
  await expectEdition(mail);

  const origin = `http://127.0.0.1:${port}`;
  await step(`${start}, until it answers`, async () => {
    // As a service does: without npx, which would not pass a signal on.
    server = clean.start(['node_modules/.bin/daywire', 'start'], { cwd });
    await untilItAnswers(server, `${origin}/readyz`);
  });
  print(`from the first command of docs/installing.md to pages that answer: ${secondsSince(commandsBegan)}`);

  await step('fetch the feed', () => expectFeed(`${origin}/feeds/latest.rss`));
  await step('sign up through the form, and confirm', () => signUp(origin, mail));
  await step('stop it (SIGTERM)', () => stop(server as ChildProcess));
  await step('daywire start --once', () => clean.run(['node_modules/.bin/daywire', 'start', '--once'], { cwd }));
  print(`all steps: ${secondsSince(began)}`);
}

/** The root shares this machine's ports, of which 8080 may be taken. */
function useAnotherPort({ path }: CleanRoot, port: number): void {
  const file = join(path, NEWSROOM, 'config/daywire.yaml');
  const text = readFileSync(file, 'utf8');
  if (!text.includes('port: 8080')) throw new Error('the configuration that init wrote has no "port: 8080"');
  writeFileSync(file, text.replace('port: 8080', `port: ${port}\n  metrics: off`));
}

/** The edition that these commands mailed. */
async function expectEdition(mail: string): Promise<void> {
  const [file, ...others] = messagesIn(mail);
  if (file === undefined || others.length > 0) throw new Error(`var/mail has ${others.length + 1} messages, not one`);
  const message = readFileSync(file, 'utf8');
  if (!/^Subject: .+/m.test(message) || !message.includes('text/html')) throw new Error(`${file} is no edition`);
}

function messagesIn(mail: string): string[] {
  const entries = readdirSync(mail, { recursive: true, encoding: 'utf8' });
  return entries.filter((entry) => entry.endsWith('.eml')).map((entry) => join(mail, entry));
}

async function untilItAnswers(child: ChildProcess, url: string): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk));
  for (const end = Date.now() + STARTS_WITHIN; Date.now() < end; await sleep(50)) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}:\n${output}`);
    const response = await fetch(url).catch(() => null);
    if (response?.status === 200) return;
  }
  throw new Error(`it does not answer at ${url}:\n${output}`);
}

async function expectFeed(url: string): Promise<void> {
  const response = await fetch(url);
  const { items = [] } = parseRssFeed(await response.text());
  // The stories, and the edition itself.
  if (items.length !== STORIES + 1) throw new Error(`${url} has ${items.length} items, not ${STORIES + 1}`);
}

/** Signs up as a visitor does, with the link of the message that the server writes. */
async function signUp(origin: string, mail: string): Promise<void> {
  const before = new Set(messagesIn(mail));
  const body = new URLSearchParams({ email: 'visitor@example.com', newsletter: 'daily-roundup', website: '' });
  const response = await fetch(`${origin}/subscribe`, { method: 'POST', body });
  if (!response.ok) throw new Error(`the form answers ${response.status}`);
  for (const end = Date.now() + STARTS_WITHIN; Date.now() < end; await sleep(100)) {
    const file = messagesIn(mail).find((path) => !before.has(path));
    const text = file === undefined ? '' : readFileSync(file, 'utf8').replaceAll('=\r\n', '');
    const [, link] = /(\/confirm\/[\w~.-]+)/.exec(text) ?? [];
    if (link === undefined) continue;
    const confirmed = await fetch(`${origin}${link}`, { method: 'POST' });
    if (!confirmed.ok) throw new Error(`the confirmation answers ${confirmed.status}`);
    return;
  }
  throw new Error('no message with a link to confirm was written');
}

async function stop(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const [code, signal] = await closed;
  if (code !== 0) throw new Error(`it ended with ${code ?? signal}`);
}
