/**
 * Decodes pictures in a process of its own, which starts when there is work and ends when there has been none for a
 * while. It has no secrets, and is killed when a picture takes too long.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { SECOND } from '../time.ts';
import type { InspectedPicture, PictureInput, PictureRequest, PictureResponse, RenditionForm } from './picture-job.ts';

/** `busy`: so many pictures wait that this one is not accepted. */
type NoPicture = { kind: 'rejected'; reason: string } | { kind: 'busy' };
export type InspectionResult = { kind: 'inspected'; picture: InspectedPicture } | NoPicture;
export type RenderingResult = { kind: 'rendered'; bytes: Buffer } | NoPicture;

interface DecoderLimits {
  /** For one picture, from the moment at which its job starts. Milliseconds. */
  timeLimitMs?: number;
  /** Pictures that wait for the one in progress. */
  maxWaiting?: number;
  /** How long the process stays without work. Milliseconds. */
  idleMs?: number;
}

/** The .ts file in a checkout, the .js file in the published package. */
const CODE = new URL(`./picture-process${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** Loading the decoder takes 0.2 s on an idle machine. */
const START_LIMIT = 30 * SECOND;
/** Of V8, in MiB. Pixels are outside of it. */
const HEAP = 128;

interface WaitingPicture {
  request: PictureRequest;
  settle(response: PictureResponse): void;
}

export class PictureDecoder {
  readonly #timeLimitMs: number;
  readonly #maxWaiting: number;
  readonly #idleMs: number;
  readonly #waiting: WaitingPicture[] = [];
  #process: ChildProcess | null = null;
  #current: WaitingPicture | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor({ timeLimitMs = 10 * SECOND, maxWaiting = 30, idleMs = 20 * SECOND }: DecoderLimits = {}) {
    this.#timeLimitMs = timeLimitMs;
    this.#maxWaiting = maxWaiting;
    this.#idleMs = idleMs;
  }

  /** The process id, or null while there is no process. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Decodes the whole picture, and returns its type and size. Never throws. */
  async inspect(input: PictureInput): Promise<InspectionResult> {
    const response = await this.#run({ input, task: { kind: 'inspect' } });
    return response.kind === 'inspected' || response.kind === 'busy' ? response : rejection(response);
  }

  /** Makes a smaller version. Never throws. */
  async render(input: PictureInput, form: RenditionForm): Promise<RenderingResult> {
    const response = await this.#run({ input, task: { kind: 'render', form } });
    if (response.kind !== 'rendered') return response.kind === 'busy' ? response : rejection(response);
    const { buffer, byteOffset, byteLength } = response.bytes;
    return { kind: 'rendered', bytes: Buffer.from(buffer, byteOffset, byteLength) };
  }

  /** Ends the process, and rejects the picture in progress. */
  close(): void {
    this.#end('cannot be decoded: the process for pictures was ended');
  }

  #run(request: PictureRequest): Promise<PictureResponse | { kind: 'busy' }> {
    if (this.#waiting.length >= this.#maxWaiting) return Promise.resolve({ kind: 'busy' });
    return new Promise((resolve) => {
      this.#waiting.push({ request, settle: resolve });
      this.#startNext();
    });
  }

  #startNext(): void {
    if (this.#current !== null) return;
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#rest();
      return;
    }
    this.#current = next;
    this.#process ??= this.#fork();
    const child = this.#process;
    child.ref();
    child.channel?.ref();
    this.#endAfter('the process for pictures does not start', START_LIMIT);
    // The end of the process is reported by its own event.
    child.send(next.request, () => {});
  }

  #fork(): ChildProcess {
    const child = fork(CODE, {
      // No secrets of the environment.
      env: {},
      // The flags of this process (-e, --input-type, --require) concern its own entry point.
      execArgv: [`--max-old-space-size=${HEAP}`],
      // Copies a Buffer as bytes.
      serialization: 'advanced',
      stdio: 'ignore',
    });
    // A process that was killed may have answered before, and ends later: neither is about the picture in progress.
    const ifCurrent = (act: () => void): void => {
      if (this.#process === child) act();
    };
    child.on('message', (response: PictureResponse) => ifCurrent(() => this.#receive(response)));
    child.on('error', () =>
      ifCurrent(() => this.#end('cannot be decoded: the process for pictures cannot be started')),
    );
    child.on('exit', () => ifCurrent(() => this.#end('cannot be decoded: it ended the process for pictures')));
    return child;
  }

  #receive(response: PictureResponse): void {
    if (this.#current === null) return;
    if (response.kind === 'started') {
      this.#endAfter(`takes longer than ${this.#timeLimitMs / SECOND} s to decode`, this.#timeLimitMs);
    } else this.#settle(response);
  }

  /** Ends the process after a time, unless its answer comes first. */
  #endAfter(reason: string, after: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(reason), after);
  }

  /** Ends the process at once. The next picture starts another. */
  #end(reason: string): void {
    this.#process?.kill('SIGKILL');
    this.#process = null;
    if (this.#current !== null) this.#settle({ kind: 'rejected', reason });
  }

  #settle(response: PictureResponse): void {
    clearTimeout(this.#timer);
    const settled = this.#current;
    this.#current = null;
    settled?.settle(response);
    this.#startNext();
  }

  /** An idle process does not keep this one alive, and holds 70 MB. */
  #rest(): void {
    const child = this.#process;
    child?.unref();
    child?.channel?.unref();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.close(), this.#idleMs).unref();
  }
}

function rejection(response: PictureResponse): { kind: 'rejected'; reason: string } {
  return response.kind === 'rejected' ? response : { kind: 'rejected', reason: 'cannot be decoded' };
}

/** One for this process. */
export const PICTURES = new PictureDecoder();
