/** A child process in the place of a thread: its memory is gone with it, while a thread leaves a third behind. */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { type JobRequest, type JobResponse, threadEnvironment } from './thread-job.ts';

interface Events {
  message: [JobResponse];
  error: [Error];
  exit: [];
}

/** Has those methods and events of a `Worker` that a pool needs. */
export class WorkerProcess extends EventEmitter<Events> {
  readonly #child: ChildProcess;
  readonly #ended = Promise.withResolvers<void>();

  constructor(code: URL) {
    super();
    this.#child = fork(code, {
      // In place of the flags of this process. bin/memory-settings.js has no effect in a process with a channel.
      execArgv: ['--max-old-space-size=512', '--max-semi-space-size=4'],
      serialization: 'advanced',
      env: threadEnvironment(),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (response) => this.emit('message', response as JobResponse));
    this.#child.on('error', (error) => {
      this.emit('error', error);
      // What could not be started never exits.
      if (this.#child.pid === undefined) this.#ended.resolve();
    });
    this.#child.on('exit', () => {
      this.emit('exit');
      this.#ended.resolve();
    });
  }

  postMessage(request: JobRequest): void {
    this.#child.send(request);
  }

  /** While it does a job, it keeps this process alive. */
  ref(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
  }

  async terminate(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended.promise;
  }
}
