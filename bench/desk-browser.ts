/**
 * A browser with open pages of the desk, as a process sees it: the requests that templates/desk/desk.js makes, over
 * HTTP/1.1 and at most six connections.
 */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveMessage } from '../src/web/desk/live/live-hub.ts';
import type { DeskAddress } from './desk-live-server.ts';

/** A page is at most so much older than what the stream says about it, in milliseconds. */
const LATE = 600;
const PENDING_MS = 1_000;

interface OpenPage {
  path: string;
  /** When the server made it, by its clock. */
  at: number;
  topics: string[];
  /** By topic: the change that it was loaded again for. */
  handled: Map<string, number>;
  isLoading: boolean;
  isStale: boolean;
}

export class DeskBrowser {
  /** How long each page took, in milliseconds. */
  readonly pageTimes: number[] = [];
  /** Pages that were loaded again because something has changed. */
  reloads = 0;
  readonly #address: DeskAddress;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 6 });
  readonly #pages: OpenPage[] = [];
  readonly #topics = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #onFigure: (name: string, text: string) => void;
  #failure: unknown;

  constructor(address: DeskAddress, onFigure: (name: string, text: string) => void) {
    this.#address = address;
    this.#onFigure = onFigure;
  }

  /** Opens pages, each in a tab, and the stream. @param paths below that of the desk */
  async open(paths: readonly string[]): Promise<void> {
    await Promise.all(paths.map((path) => this.#openPage(path)));
    const stream = await this.#request(`/live?account=${this.#address.accountId}`);
    this.#read(stream).catch((error) => this.#fail(error));
  }

  /** Closes all tabs. @throws what went wrong since they were opened */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#failure ??= error;
  }

  async #openPage(path: string): Promise<void> {
    const page = { path, at: 0, topics: [], handled: new Map(), isLoading: false, isStale: false };
    this.#pages.push(page);
    const text = await this.#load(page);
    const linked = [...text.matchAll(/(?:src|href)="([^"]*\/(?:assets\/[^"]*|frozen[^"]*))"/g)];
    for (const [, address = ''] of linked) await this.#text(address.slice('/desk'.length));
  }

  async #load(page: OpenPage): Promise<string> {
    const start = performance.now();
    const text = await this.#text(page.path);
    this.pageTimes.push(performance.now() - start);
    page.at = Number(/data-at="(\d+)"/.exec(text)?.[1]);
    page.topics = (/data-topics="([^"]*)"/.exec(text)?.[1] ?? '').split(' ');
    if (text.includes(' data-pending')) sleep(PENDING_MS).then(() => this.#refresh(page));
    return text;
  }

  async #refresh(page: OpenPage): Promise<void> {
    if (this.#closing.signal.aborted) return;
    page.isStale = page.isLoading;
    if (page.isLoading) return;
    page.isLoading = true;
    this.reloads++;
    await this.#load(page).catch((error) => this.#fail(error));
    page.isLoading = false;
    if (page.isStale) await this.#refresh(page);
  }

  async #read(stream: IncomingMessage): Promise<void> {
    let text = '';
    for await (const chunk of stream.setEncoding('utf8')) {
      text += chunk;
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) if (event.startsWith('data: ')) this.#receive(JSON.parse(event.slice(6)));
    }
    throw new Error('the stream of the desk ended');
  }

  #receive({ topics, figures }: LiveMessage): void {
    for (const [name, text] of Object.entries(figures)) this.#onFigure(name, text);
    for (const [topic, changed] of Object.entries(topics)) this.#topics.set(topic, changed);
    for (const page of this.#pages) {
      const stale = page.topics.filter((topic) => {
        const changed = this.#topics.get(topic) ?? 0;
        return changed > page.at - LATE && page.handled.get(topic) !== changed;
      });
      for (const topic of stale) page.handled.set(topic, this.#topics.get(topic) as number);
      if (stale.length > 0) this.#refresh(page);
    }
  }

  async #text(path: string): Promise<string> {
    const response = await this.#request(path);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return text;
  }

  async #request(path: string): Promise<IncomingMessage> {
    const headers = { Cookie: `__Host-daywire-desk=${this.#address.token}`, Accept: 'text/html' };
    const request = get(`${this.#address.url}desk${path}`, { agent: this.#agent, headers });
    request.on('error', (error) => this.#fail(error));
    const [response] = (await once(request, 'response', { signal: this.#closing.signal })) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`/desk${path} answered ${response.statusCode}`);
    return response;
  }
}
