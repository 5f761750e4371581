/** A real `daywire start` of the outage trial, which is killed, stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROLES, type Role } from '../../src/app/start.ts';
import { SECOND } from '../../src/lib/time.ts';
import { freePort } from '../free-port.ts';

export const DAYWIRE = join(import.meta.dirname, '../../bin/daywire.js');
const ANSWER_WITHIN = 5 * SECOND;
/** Lines of the log in the report of a fault. */
const LINES_KEPT = 400;

export interface ProcessPlace {
  folder: string;
  /** The configuration that each process gets with ports of its own. */
  configFile: string;
  env: NodeJS.ProcessEnv;
}

export class DaywireProcess {
  readonly roles: readonly Role[];
  /** Exits that nobody asked for. */
  readonly crashes: string[] = [];
  /** The last lines of its log. */
  readonly log: string[] = [];
  readonly #place: ProcessPlace;
  readonly #configFile: string;
  readonly #sitePort: number;
  readonly #metricsPort: number;
  #child: ChildProcess | null = null;

  private constructor(roles: readonly Role[], place: ProcessPlace, ports: [site: number, metrics: number]) {
    this.roles = roles;
    this.#place = place;
    [this.#sitePort, this.#metricsPort] = ports;
    this.#configFile = `${place.configFile.replace(/\.yaml$/, '')}-${roles.join('-')}.yaml`;
  }

  /** @param roles default: all */
  static async create(place: ProcessPlace, roles: readonly Role[] = ROLES): Promise<DaywireProcess> {
    const created = new DaywireProcess(roles, place, [await freePort(), await freePort()]);
    // The first role of a process is added to the port.
    const metrics = created.#metricsPort - ROLES.findIndex((role) => roles.includes(role));
    const text = readFileSync(place.configFile, 'utf8').replace(
      /^ {2}port: \d+\n {2}metrics: .*$/m,
      `  port: ${created.#sitePort}\n  metrics: 127.0.0.1:${metrics}`,
    );
    writeFileSync(created.#configFile, text);
    return created;
  }

  get name(): string {
    return this.roles.length === ROLES.length ? 'daywire' : this.roles.join(' ');
  }

  get isServing(): boolean {
    return this.roles.some((role) => role === 'web' || role === 'desk');
  }

  get isRunning(): boolean {
    return this.#child !== null;
  }

  start(): void {
    const args = [DAYWIRE, '--config', this.#configFile, 'start'];
    if (this.roles.length < ROLES.length) args.push('--role', ...this.roles);
    const { folder, env } = this.#place;
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (chunk: Buffer) => {
      this.log.push(...chunk.toString().split('\n').filter(Boolean));
      this.log.splice(0, this.log.length - LINES_KEPT);
    });
    child.once('exit', (code, signal) => {
      if (this.#child !== child) return;
      this.#child = null;
      this.crashes.push(`${this.name} ended by itself with ${code ?? signal}`);
    });
  }

  kill(): Promise<number | null> {
    return this.#end('SIGKILL');
  }

  /** Ends the process as an operator does. @returns its exit code; null if it was not running */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }

  /** Asks the site. @returns null without an answer */
  ask(path: string, init?: RequestInit, within?: number): Promise<{ status: number; text: string } | null> {
    return request(`http://127.0.0.1:${this.#sitePort}${path}`, init, within);
  }

  /** Asks the listener for metrics, which each process has. @returns its status; null without an answer */
  async probe(path: '/livez' | '/readyz'): Promise<number | null> {
    return (await request(`http://127.0.0.1:${this.#metricsPort}${path}`))?.status ?? null;
  }

  /** Whether it answers that it is ready, and, where it serves pages, that all work goes on. */
  async isWell(): Promise<boolean> {
    if ((await this.probe('/readyz')) !== 200) return false;
    if (!this.isServing) return true;
    return (await this.ask('/readyz'))?.status === 200 && (await this.ask('/healthz'))?.status === 200;
  }
}

async function request(
  url: string,
  init: RequestInit = {},
  within = ANSWER_WITHIN,
): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(within) });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}
