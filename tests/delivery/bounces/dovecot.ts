/**
 * A real IMAP server for tests: Debian's Dovecot 2.4, in a temporary folder, on a free port of this machine. Dovecot
 * must be started by root; tests that need it are skipped, with a message, if it cannot run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../scripts/free-port.ts';

const DOVECOT = '/usr/sbin/dovecot';
/** Dovecot refuses to open mailboxes as root. */
const NOBODY = 65_534;
const PASSWORD = 'p@ss word';

/** Whether Dovecot with IMAP is installed and this user can start it. */
export function hasDovecot(): boolean {
  return existsSync(DOVECOT) && existsSync('/usr/lib/dovecot/imap') && process.getuid?.() === 0;
}

export interface MailServer {
  /** URL of a user's mailbox, with password. */
  urlOf(user: string): string;
  /** Puts a message into a user's INBOX. */
  deliver(user: string, name: string, message: Buffer): void;
  /** Number of read and unread messages in a user's folder; null if it does not exist. */
  count(user: string, folder: string): { read: number; unread: number } | null;
  close(): Promise<void>;
}

export async function startDovecot(): Promise<MailServer> {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-dovecot-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  writeFileSync(join(folder, 'dovecot.conf'), configuration(folder, port));
  const server = spawn(DOVECOT, ['-F', '-c', join(folder, 'dovecot.conf')], { stdio: 'ignore' });
  await waitUntilReady(port, server, folder);
  // Maildir (https://cr.yp.to/proto/maildir.html): one file per message, in `new` and `cur` of each folder.
  const box = (user: string, name: string): string => join(folder, 'mail', user, name === 'INBOX' ? '' : `.${name}`);
  return {
    urlOf: (user) => `imap://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/INBOX`,
    deliver(user, name, message) {
      const inbox = box(user, 'INBOX');
      const file = join(inbox, 'new', name);
      for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(inbox, part), { recursive: true });
      writeFileSync(file, message);
      for (const one of [inbox, ...['new', 'cur', 'tmp'].map((part) => join(inbox, part)), file]) {
        chownSync(one, NOBODY, NOBODY);
      }
    },
    count(user, name) {
      if (!existsSync(box(user, name))) return null;
      const old = readdirSync(join(box(user, name), 'cur'));
      const read = old.filter((file) => /:2,[A-Z]*S/.test(file)).length;
      return { read, unread: old.length - read + readdirSync(join(box(user, name), 'new')).length };
    },
    close: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(folder: string, port: number): string {
  return `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
protocols {
  imap = yes
}
ssl = no
mail_driver = maildir
mail_path = ${folder}/mail/%{user}
first_valid_uid = 1
mail_uid = ${NOBODY}
mail_gid = ${NOBODY}
passdb static {
  password = ${PASSWORD}
}
userdb static {
  fields {
    home = ${folder}/mail/%{user}
  }
}
service imap-login {
  chroot =
  inet_listener imap {
    listen = 127.0.0.1
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}

async function waitUntilReady(port: number, server: ChildProcess, folder: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (server.exitCode !== null) break;
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  server.kill('SIGTERM');
  const log = join(folder, 'log');
  throw new Error(`Dovecot does not answer: ${existsSync(log) ? readFileSync(log, 'utf8') : 'it has no log'}`);
}
