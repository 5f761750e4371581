/**
 * Starts Debian's Postfix with its configuration, queue and log in a temporary folder, on a free port of this machine.
 * It delivers to the given mailboxes and refuses everything else, so nothing leaves the machine.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';

const POSTFIX = '/usr/sbin/postfix';
const DAEMONS = '/usr/lib/postfix/sbin';
/** Postfix does not deliver to mailboxes as root. */
const NOBODY = 65_534;
const TIMEOUT = 30_000;

/** Why Postfix cannot be started here; null if it can. */
export function missingForPostfix(): string | null {
  if (!existsSync(POSTFIX) || !existsSync(DAEMONS)) {
    return 'Postfix is not installed: on Debian, "apt-get install --no-install-recommends postfix"';
  }
  return process.getuid?.() === 0 ? null : 'Postfix must be started by root';
}

export interface PostfixOptions {
  /** Addresses with a mailbox. Each also accepts addresses with a plus sign and a tag. */
  mailboxes: string[];
  /** Addresses that are accepted, then refused with this text, such as `5.1.1 user unknown`: Postfix sends a report. */
  refusing: Record<string, string>;
}

export interface Postfix {
  /** `smtp://127.0.0.1:port` */
  url: string;
  /** The delivered messages of a mailbox, oldest first, with CR LF line ends. */
  messages(mailbox: string): Buffer[];
  /** Waits for a number of messages in a mailbox. @throws with Postfix's log after the timeout */
  waitFor(mailbox: string, count: number): Promise<Buffer[]>;
  stop(): Promise<void>;
}

/** Starts Postfix in `folder`, which must exist, and waits until it is ready. @throws with its log after the timeout */
export async function startPostfix(folder: string, options: PostfixOptions): Promise<Postfix> {
  const port = await freePort();
  writeFiles(folder, options, port);
  // In a new process group: Ctrl-C interrupts the check, which then stops it.
  const launcher = spawn(POSTFIX, ['-c', join(folder, 'config'), 'start-fg'], { stdio: 'ignore', detached: true });
  const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '(no log)');
  const stop = (): Promise<void> => end(folder, launcher);
  try {
    await waitUntil(`Postfix is not ready on port ${port}`, log, () => isReady(port, launcher));
  } catch (error) {
    await stop();
    throw error;
  }
  const messages = (mailbox: string): Buffer[] => readMaildir(join(folder, 'mail', mailbox, 'new'));
  return {
    url: `smtp://127.0.0.1:${port}`,
    messages,
    async waitFor(mailbox, count) {
      const hasAll = async () => messages(mailbox).length >= count;
      await waitUntil(`${count} messages for ${mailbox} have not arrived`, log, hasAll);
      return messages(mailbox);
    },
    stop,
  };
}

function writeFiles(folder: string, options: PostfixOptions, port: number): void {
  for (const name of ['config', 'queue', 'data', 'mail']) mkdirSync(join(folder, name));
  chownSync(join(folder, 'data'), uidOf('postfix'), 0);
  chownSync(join(folder, 'mail'), NOBODY, NOBODY);
  writeFileSync(join(folder, 'config', 'main.cf'), mainConfiguration(folder, options));
  writeFileSync(join(folder, 'config', 'master.cf'), services(port));
}

function mainConfiguration(folder: string, { mailboxes, refusing }: PostfixOptions): string {
  const domains = new Set([...mailboxes, ...Object.keys(refusing)].map((address) => address.split('@')[1]));
  const inline = (pairs: string[][]): string =>
    `inline:{ ${pairs.map(([key, value]) => `{ ${key} = ${value} }`).join(' ')} }`;
  // An alias of an address that is refused: so the refusal follows after the message was accepted.
  const aliases = Object.entries(refusing).map(([address, text], index) => ({
    address,
    text,
    to: `r${index}.invalid`,
  }));
  return `compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/log
maillog_file_prefixes = ${folder}
daemon_directory = ${DAEMONS}
myhostname = mail.news.example
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
# Nothing leaves this machine: there is no service that could send it.
default_transport = error:5.4.4 nothing is sent elsewhere by this check
relay_transport = error:5.4.4 nothing is sent elsewhere by this check
local_transport = error:5.1.1 there is no local user
recipient_delimiter = +
virtual_mailbox_domains = ${[...domains].join(' ')}
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = ${inline([...mailboxes, ...Object.keys(refusing)].map((one) => [one, `${one}/`]))}
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
virtual_alias_maps = ${inline(aliases.map(({ address, to }) => [address, `nobody@${to}`]))}
transport_maps = ${inline(aliases.map(({ to, text }) => [to, `error:${text}`]))}
`;
}

// One line per service: name, type, private, unprivileged, chroot, wake-up, processes, command.
function services(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`;
}

function readMaildir(folder: string): Buffer[] {
  if (!existsSync(folder)) return [];
  // File names begin with the time of delivery (https://cr.yp.to/proto/maildir.html).
  const text = (name: string): string => readFileSync(join(folder, name), 'latin1');
  return readdirSync(folder)
    .sort()
    .map((name) => Buffer.from(text(name).replace(/\r?\n/g, '\r\n'), 'latin1'));
}

async function isReady(port: number, launcher: ChildProcess): Promise<boolean> {
  if (launcher.exitCode !== null) throw new Error(`Postfix ended with ${launcher.exitCode}`);
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = await once(socket, 'data');
    return String(greeting).startsWith('220 ');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function waitUntil(problem: string, log: () => string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${problem} after ${TIMEOUT / 1_000} s. The log:\n${log()}`);
    await sleep(100);
  }
}

/** Stops the master process, which stops all services; the launcher exits with it. The master's PID is in the queue. */
async function end(folder: string, launcher: ChildProcess): Promise<void> {
  const ended = launcher.exitCode === null && launcher.signalCode === null ? once(launcher, 'exit') : null;
  signal(folder, 'SIGTERM');
  const timeout = setTimeout(() => {
    signal(folder, 'SIGKILL');
    launcher.kill('SIGKILL');
  }, 5_000);
  await ended;
  clearTimeout(timeout);
}

function signal(folder: string, name: 'SIGTERM' | 'SIGKILL'): void {
  const file = join(folder, 'queue', 'pid', 'master.pid');
  if (!existsSync(file)) return;
  try {
    process.kill(Number(readFileSync(file, 'utf8')), name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function uidOf(user: string): number {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${user}:`));
  if (line === undefined) throw new Error(`the user ${user} does not exist`);
  return Number(line.split(':')[2]);
}
