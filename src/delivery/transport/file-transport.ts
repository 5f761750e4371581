/**
 * Writes each message to `<paths.data>/mail/<newsletter>/<slot>/<address>.eml`, which any mail program can open: for
 * trials, and for installations whose own system picks up the files.
 */
import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../../lib/private-files.ts';
import { sha256 } from '../../lib/sha256.ts';
import { type Connection, type OutgoingMessage, type Transport, TransportError } from './connection.ts';

/** @param folder the config's `paths.data` */
export function openFileTransport(folder: string, connections: number): Transport {
  const mail = join(folder, 'mail');
  const connection: Connection = {
    usable: true,
    submit: async (message) => {
      const path = join(mail, message.newsletter, message.slot, emlName(message.to));
      await writeAtomically(path, message).catch(toTransportError(path));
      return `written to ${relative(folder, path)}`;
    },
    close: () => {},
  };
  return {
    connections,
    waits: () => [],
    stop: () => {},
    connect: async () => connection,
    verify: async () => {
      await mkdir(mail, { recursive: true, mode: PRIVATE_FOLDER }).catch(toTransportError(mail));
      await access(mail, constants.W_OK).catch(toTransportError(mail));
    },
  };
}

const SAFE_NAME_LIMIT = 180;

/**
 * A file name for an address: readable, the same for each attempt, and never a path. In lower case, because some file
 * systems ignore case; addresses are compared without case anyway.
 */
function emlName(address: string): string {
  const safe = address
    .toLowerCase()
    .replace(/[^a-z0-9@._+-]/g, (char) => `=${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
    .replace(/^\./, '=2e');
  if (safe.length <= SAFE_NAME_LIMIT) return `${safe}.eml`;
  const hash = sha256(safe).slice(0, 16);
  return `${safe.slice(0, SAFE_NAME_LIMIT)}=${hash}.eml`;
}

/** Writes and flushes a temporary file, then renames it, possibly over the file of an earlier attempt. */
async function writeAtomically(path: string, message: OutgoingMessage): Promise<void> {
  const folder = join(path, '..');
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', PRIVATE_FILE);
    try {
      // `writev` may write only a part; `writeFile` writes everything.
      await file.writeFile(Buffer.concat(message.chunks));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function toTransportError(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const code = error.code ?? 'unknown error';
    const message = `${path} cannot be written (${code})`;
    throw new TransportError({ code, replyCode: null, command: null, reply: null, message });
  };
}
