/**
 * Writes each message to `<var>/mail/<newsletter>/<slot>/<address>.eml`, where any mail program opens it. For a newsroom that
 * tries daywire out, and for one whose own system picks files up.
 */
import { createHash, randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, rename, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Connection, type OutgoingMessage, type Transport, TransportError } from './connection.ts';

/** @param folder the config's `paths.data` */
export function openFileTransport(folder: string, connections: number): Transport {
  const mail = join(folder, 'mail');
  const connection: Connection = {
    usable: true,
    submit: async (message) => {
      const path = join(mail, message.newsletter, message.slot, emlName(message.to));
      await writeWhole(path, message).catch(refuse(path));
      return `written to ${relative(folder, path)}`;
    },
    close: () => {},
  };
  return {
    connections,
    connect: async () => connection,
    verify: async () => {
      await mkdir(mail, { recursive: true }).catch(refuse(mail));
      await access(mail, constants.W_OK).catch(refuse(mail));
    },
  };
}

const SAFE_NAME_LIMIT = 180;

/**
 * A file name for an address: readable, the same on every try, and never a path. Lower case, because some file systems do not
 * tell the cases apart; addresses are compared without case anyway.
 */
function emlName(address: string): string {
  const safe = address
    .toLowerCase()
    .replace(/[^a-z0-9@._+-]/g, (char) => `=${(char.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`)
    .replace(/^\./, '=2e');
  if (safe.length <= SAFE_NAME_LIMIT) return `${safe}.eml`;
  const hash = createHash('sha256').update(safe).digest('hex').slice(0, 16);
  return `${safe.slice(0, SAFE_NAME_LIMIT)}=${hash}.eml`;
}

/** Whole or not at all: a temporary file, flushed, then renamed over what an earlier try wrote. */
async function writeWhole(path: string, message: OutgoingMessage): Promise<void> {
  const folder = join(path, '..');
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      // `writev` may write a part and say how much; this goes on until all is written.
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

function refuse(path: string): (error: NodeJS.ErrnoException) => never {
  return (error) => {
    const code = error.code ?? 'unknown error';
    const words = `${path} cannot be written (${code})`;
    throw new TransportError({ code, replyCode: null, command: null, reply: null, message: words });
  };
}
