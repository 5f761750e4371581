/**
 * Decodes pictures in a process of its own, which starts when there is work and ends when there has been none for a
 * while. It has no secrets, and is killed when a picture takes too long.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { SECOND } from '../time.ts';

/** The bytes of a file, or its path. */
export type PictureInput = Buffer | string;

/** A smaller version of a picture. It is never larger than the original, and has no metadata. */
export type RenditionForm =
  /** At most `width` pixels wide. */
  | { format: 'webp'; width: number }
  /** For email: also at most so many bytes. Transparent parts are white. */
  | { format: 'jpeg'; width: number; maxBytes: number }
  /** A square icon, also of an SVG file, and larger than that. Transparent without a `background`. */
  | { format: 'png'; width: number; background: string | null };

/** `measure` reads the header only. */
type PictureTask = { kind: 'inspect' | 'measure' } | { kind: 'render'; form: RenditionForm };

export interface PictureRequest {
  input: PictureInput;
  task: PictureTask;
}

export interface InspectedPicture {
  /** MIME type, by the content. */
  type: string;
  /** Pixels, as displayed: after the rotation that a camera recorded. */
  width: number;
  height: number;
}

export type PictureResponse =
  /** The job begins. */
  | { kind: 'started' }
  | { kind: 'inspected'; picture: InspectedPicture }
  | { kind: 'rendered'; bytes: Uint8Array }
  /** The file is no usable picture. The reason is for people: `is SVG, …`. */
  | { kind: 'rejected'; reason: string };

type NoPicture =
  | { kind: 'rejected'; reason: string }
  /** So many pictures wait that this one is not accepted. */
  | { kind: 'busy' }
  /** There is no process, which says nothing about the picture: `the process for pictures cannot be started`. */
  | { kind: 'unavailable'; reason: string };
export type InspectionResult = { kind: 'inspected'; picture: InspectedPicture } | NoPicture;
export type RenderingResult = { kind: 'rendered'; bytes: Buffer } | NoPicture;

interface DecoderLimits {
  /** For one picture, from the moment at which its job starts. Milliseconds. */
  timeLimitMs?: number;
  /** Pictures that wait for the one in progress. */
  maxWaiting?: number;
  /** How long the process stays without work. Milliseconds. */
  idleMs?: number;
  /** How long no other process is started after one that did not start. Milliseconds. */
  pauseMs?: number;
}

/** The .ts file in a checkout, the .js file in the published package. */
const CODE = new URL(`./picture-process${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** Loading the decoder takes 0.2 s on an idle machine. */
const START_LIMIT = 30 * SECOND;
/** Heap of V8, in MiB. Pixels are outside of it. */
const HEAP = 128;

const NOT_STARTED = 'the process for pictures cannot be started';

/** No process of this version answers so. */
const UNEXPECTED = { kind: 'rejected', reason: 'cannot be decoded' } as const;

type PictureOutcome = Exclude<PictureResponse, { kind: 'started' }> | Exclude<NoPicture, { kind: 'rejected' }>;

interface WaitingPicture {
  request: PictureRequest;
  settle(outcome: PictureOutcome): void;
}

export class PictureDecoder {
  readonly #timeLimitMs: number;
  readonly #maxWaiting: number;
  readonly #idleMs: number;
  readonly #pauseMs: number;
  readonly #start: () => ChildProcess;
  readonly #waiting: WaitingPicture[] = [];
  #process: ChildProcess | null = null;
  #current: WaitingPicture | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** Whether the process has begun a job. */
  #isRunning = false;
  /** Until when no process is started (performance.now). */
  #pausedUntil = 0;

  /** @param start starts a process (picture-process.ts) */
  constructor(limits: DecoderLimits = {}, start: () => ChildProcess = startProcess) {
    this.#start = start;
    const { timeLimitMs = 10 * SECOND, maxWaiting = 30, idleMs = 20 * SECOND, pauseMs = 10 * SECOND } = limits;
    this.#timeLimitMs = timeLimitMs;
    this.#maxWaiting = maxWaiting;
    this.#idleMs = idleMs;
    this.#pauseMs = pauseMs;
  }

  /** The process id, or null while there is no process. */
  get pid(): number | null {
    return this.#process?.pid ?? null;
  }

  /** Decodes the whole picture, and returns its type and size. Never throws. */
  async inspect(input: PictureInput): Promise<InspectionResult> {
    const response = await this.#run({ input, task: { kind: 'inspect' } });
    return response.kind === 'rendered' ? UNEXPECTED : response;
  }

  /** Reads type and size from the header, however large the picture is. Never throws. */
  async measure(path: string): Promise<InspectionResult> {
    const response = await this.#run({ input: path, task: { kind: 'measure' } });
    return response.kind === 'rendered' ? UNEXPECTED : response;
  }

  /** Makes a smaller version. Never throws. */
  async render(input: PictureInput, form: RenditionForm): Promise<RenderingResult> {
    const response = await this.#run({ input, task: { kind: 'render', form } });
    if (response.kind === 'inspected') return UNEXPECTED;
    if (response.kind !== 'rendered') return response;
    const { buffer, byteOffset, byteLength } = response.bytes;
    return { kind: 'rendered', bytes: Buffer.from(buffer, byteOffset, byteLength) };
  }

  /** Ends the process, and the job in progress. */
  close(): void {
    this.#end({ kind: 'unavailable', reason: 'the process for pictures was ended' });
  }

  #run(request: PictureRequest): Promise<PictureOutcome> {
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
    if (performance.now() < this.#pausedUntil) {
      this.#settle({ kind: 'unavailable', reason: NOT_STARTED });
      return;
    }
    try {
      this.#process ??= this.#open();
    } catch {
      // Such as ENOMEM.
      this.#pause();
      return;
    }
    const child = this.#process;
    child.ref();
    child.channel?.ref();
    this.#after(START_LIMIT, () => this.#pause());
    // The end of the process is reported by its own event.
    child.send(next.request, () => {});
  }

  #open(): ChildProcess {
    this.#isRunning = false;
    const child = this.#start();
    // A process that was killed may have answered before, and ends later: neither is about the picture in progress.
    const ifCurrent = (act: () => void): void => {
      if (this.#process === child) act();
    };
    child.on('message', (response: PictureResponse) => ifCurrent(() => this.#receive(response)));
    child.on('error', () => ifCurrent(() => this.#pause()));
    child.on('exit', () => ifCurrent(() => this.#exited()));
    return child;
  }

  #receive(response: PictureResponse): void {
    if (this.#current === null) return;
    if (response.kind !== 'started') {
      this.#settle(response);
      return;
    }
    this.#isRunning = true;
    const reason = `takes longer than ${this.#timeLimitMs / SECOND} s to decode`;
    this.#after(this.#timeLimitMs, () => this.#end({ kind: 'rejected', reason }));
  }

  #exited(): void {
    // Without the decoder for this platform, it ends before its first job.
    if (!this.#isRunning) this.#pause();
    else this.#end({ kind: 'rejected', reason: 'cannot be decoded: it ended the process for pictures' });
  }

  /** Starts no process for a while: each attempt takes a fifth of a second of a processor. */
  #pause(): void {
    this.#pausedUntil = performance.now() + this.#pauseMs;
    this.#end({ kind: 'unavailable', reason: NOT_STARTED });
  }

  /** Acts after a time, unless an answer comes first. */
  #after(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }

  /** Ends the process at once. The next picture starts another. */
  #end(outcome: PictureOutcome): void {
    this.#process?.kill('SIGKILL');
    this.#process = null;
    if (this.#current !== null) this.#settle(outcome);
  }

  #settle(outcome: PictureOutcome): void {
    clearTimeout(this.#timer);
    const settled = this.#current;
    this.#current = null;
    settled?.settle(outcome);
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

function startProcess(): ChildProcess {
  return fork(CODE, {
    // No secrets of the environment.
    env: {},
    // The flags of this process (-e, --input-type, --require) concern its own entry point.
    execArgv: [`--max-old-space-size=${HEAP}`],
    // Copies a Buffer as bytes.
    serialization: 'advanced',
    stdio: 'ignore',
  });
}

/** One for this process. */
export const PICTURES = new PictureDecoder();
