/**
 * Smaller versions of pictures, kept in a folder under the hash of the original's content: a picture that is replaced
 * under its name gets new ones. The folder is bounded in size, and may be deleted at any time.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Log } from '../log.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../private-files.ts';
import { errorLine } from '../text/clean-text.ts';
import { MINUTE } from '../time.ts';
import type { PictureDecoder, RenderingResult, RenditionForm } from './picture-decoder.ts';

export interface OriginalFile {
  path: string;
  /** Bytes. */
  size: number;
  /** Epoch milliseconds. */
  modifiedAt: number;
}

export interface RenditionCacheOptions {
  folder: string;
  decoder: Pick<PictureDecoder, 'render'>;
  log?: Log | undefined;
  /** Size of all files together. If it is exceeded, the oldest files are deleted. */
  maxBytes?: number;
}

const MAX_BYTES = 500 * 1024 * 1024;
/** Share of the size that remains after a deletion. */
const KEPT_SHARE = 0.8;
const MAX_ORIGINAL_BYTES = 64 * 1024 * 1024;
/** Changes when the same original and form give another file. */
const VERSION = 1;

export class RenditionCache {
  readonly #options: RenditionCacheOptions;
  /** SHA-256 of originals, by path, size and time: hashing 9 MB takes 5 ms. */
  readonly #hashes = new LRUCache<string, Promise<string>>({ max: 5_000 });
  /** Pictures that cannot be used: each attempt may take ten seconds. */
  readonly #rejections = new LRUCache<string, string>({ max: 1_000, ttl: 10 * MINUTE });
  readonly #inProgress = new Map<string, Promise<RenderingResult>>();
  /** Bytes in the folder; null before they are counted. */
  #total: number | null = null;
  #deletion: Promise<void> | null = null;
  /** Whether the decoder was not available for the last version. */
  #isUnavailable = false;

  constructor(options: RenditionCacheOptions) {
    this.#options = options;
  }

  /**
   * Identifies a version by the content of its original.
   * @returns null where the original cannot be read, or is longer than 64 MiB
   */
  async keyOf(original: OriginalFile, form: string): Promise<string | null> {
    const { path, size, modifiedAt } = original;
    if (size > MAX_ORIGINAL_BYTES) return null;
    const name = `${size} ${modifiedAt} ${path}`;
    let hash = this.#hashes.get(name);
    if (hash === undefined) {
      hash = hashOf(path);
      this.#hashes.set(name, hash);
    }
    try {
      return `${await hash}-${form}-${VERSION}`;
    } catch {
      this.#hashes.delete(name);
      return null;
    }
  }

  /** Reads a version, or makes it. Simultaneous calls for one version make it once. @param key see `keyOf` */
  async get(original: OriginalFile, key: string, form: RenditionForm): Promise<RenderingResult> {
    const reason = this.#rejections.get(key);
    if (reason !== undefined) return { kind: 'rejected', reason };
    const file = join(this.#options.folder, key.slice(0, 2), `${key}.${form.format}`);
    const bytes = await readVersion(file);
    if (bytes !== null) return { kind: 'rendered', bytes };
    let making = this.#inProgress.get(key);
    if (making === undefined) {
      making = this.#make(original, form, file, key).finally(() => this.#inProgress.delete(key));
      this.#inProgress.set(key, making);
    }
    return making;
  }

  async #make(original: OriginalFile, form: RenditionForm, file: string, key: string): Promise<RenderingResult> {
    const { decoder, log } = this.#options;
    const result = await decoder.render(original.path, form);
    if (result.kind === 'rejected') {
      this.#rejections.set(key, result.reason);
      log?.warn({ file: original.path, reason: result.reason }, 'picture not usable');
    }
    if (result.kind === 'unavailable' && !this.#isUnavailable) {
      log?.warn({ reason: result.reason }, 'originals are shown instead of smaller versions of pictures');
    }
    this.#isUnavailable = result.kind === 'unavailable';
    if (result.kind === 'rendered') {
      await this.#write(file, result.bytes).catch((error: unknown) => {
        log?.warn({ file, error: errorLine(error) }, 'a smaller version of a picture cannot be kept');
      });
    }
    return result;
  }

  async #write(file: string, bytes: Buffer): Promise<void> {
    await mkdir(dirname(file), { recursive: true, mode: PRIVATE_FOLDER });
    // Another process may read the folder, or write the same file: in containers, with the same process id.
    const temporary = `${file}.${randomUUID()}.tmp`;
    await writeFile(temporary, bytes, { mode: PRIVATE_FILE });
    await rename(temporary, file);
    if (this.#total !== null) this.#total += bytes.length;
    this.#deletion ??= this.#deleteOldest().finally(() => {
      this.#deletion = null;
    });
    await this.#deletion;
  }

  /** Deletes the oldest files if there are too many. */
  async #deleteOldest(): Promise<void> {
    const { folder, maxBytes = MAX_BYTES } = this.#options;
    if (this.#total !== null && this.#total <= maxBytes) return;
    const files = await filesIn(folder);
    files.sort((a, b) => a.modifiedAt - b.modifiedAt);
    let total = files.reduce((sum, { size }) => sum + size, 0);
    if (total > maxBytes) {
      for (const { path, size } of files) {
        if (total <= maxBytes * KEPT_SHARE) break;
        await rm(path, { force: true });
        total -= size;
      }
    }
    this.#total = total;
  }
}

/** @returns null where it is not made yet, deleted, or empty since the machine crashed */
async function readVersion(file: string): Promise<Buffer | null> {
  const bytes = await readFile(file).catch(() => null);
  return bytes === null || bytes.length === 0 ? null : bytes;
}

async function filesIn(folder: string): Promise<OriginalFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: OriginalFile[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // Another process may have deleted it.
    const found = await stat(path).catch(() => null);
    if (found !== null) files.push({ path, size: found.size, modifiedAt: found.mtimeMs });
  }
  return files;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex').slice(0, 32);
}
