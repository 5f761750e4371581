/** Groups the messages of an import by what they say: one line for a thousand files. */
import type { ArticleResult } from './parse-articles.ts';
import type { ArticleImportResult, ImportResultEntry } from './result.ts';

export interface ImportMessage {
  /** A notice is true of all articles that have something, such as an unknown key. */
  kind: 'rejected' | 'warning' | 'notice';
  /** The file, as the user named it. */
  source: string;
  /** `file:line: message` */
  text: string;
}

export function messagesOf(
  kind: ImportMessage['kind'],
  entries: Pick<ImportResultEntry, 'source' | 'problems'>[],
): ImportMessage[] {
  return entries.flatMap(({ source, problems }) => problems.map((text) => ({ kind, source, text })));
}

/** `message`: without its place; parts that differ are `…`. `examples`: `file:line`. */
type MessageKind = Pick<ImportMessage, 'kind'> & { count: number; message: string; examples: string[] };

const MAX_KINDS = 200;
const MAX_LENGTH = 500;
const MAX_EXAMPLES = 3;
/** A quoted text, or a word without the punctuation around it. */
const PART = /"(?:\\.|[^"\\])*"|[^\s":;,()]+/g;
const QUOTED = /"(?:\\.|[^"\\])*"/g;
/** Values, numbers, addresses and names of files. */
const VARIABLE = /["\d/…]|\w\.\w/;

/** Counts all messages, with the memory of their kinds. */
export class MessageKinds {
  count = 0;
  readonly #kinds = new Map<string, MessageKind>();

  add({ kind, source, text }: ImportMessage): void {
    this.count += 1;
    const after = text.startsWith(source) ? text.slice(source.length, source.length + 20) : '';
    const [separator = ''] = /^:(?:\d+:)? /.exec(after) ?? [];
    const start = separator === '' ? 0 : source.length + separator.length;
    const place = start === 0 ? source : text.slice(0, start - 2);
    const message = text.slice(start, start + MAX_LENGTH);
    // A notice names what it is about, such as a key; only what is quoted differs.
    const rule = message.replace(kind === 'notice' ? QUOTED : PART, (part) => (VARIABLE.test(part) ? '…' : part));
    const known = this.#kinds.get(`${kind} ${rule}`);
    if (known === undefined) {
      const first = { kind, count: 1, message, examples: [place] };
      if (this.#kinds.size < MAX_KINDS) this.#kinds.set(`${kind} ${rule}`, first);
      return;
    }
    known.count += 1;
    known.message = commonText(known.message, message);
    if (known.examples.length < MAX_EXAMPLES && !known.examples.includes(place)) known.examples.push(place);
  }

  /** Rejections first, each kind of message by its number. */
  list(): MessageKind[] {
    const isOther = ({ kind }: MessageKind): number => Number(kind !== 'rejected');
    return [...this.#kinds.values()].sort((a, b) => isOther(a) - isOther(b) || b.count - a.count);
  }

  /** One line for each kind, and one for messages of further kinds. */
  lines(): string[] {
    const others = this.list().reduce((rest, { count }) => rest - count, this.count);
    return [...this.list().map(formatKind), ...(others === 0 ? [] : [`and ${others} messages of other kinds`])];
  }
}

function formatKind({ count, message, examples }: MessageKind): string {
  return count === 1 ? `${examples[0]}: ${message}` : `${count} × ${message} (${examples.join(', ')})`;
}

function commonText(message: string, other: string): string {
  const parts = other.match(PART) ?? [];
  let index = 0;
  return message.replace(PART, (part) => (part === parts[index++] ? part : part.startsWith('"') ? '"…"' : '…'));
}

const MAX_KEYS = 100;

/** Collects what is true of many articles, so that a result has it once. */
export class Notices {
  readonly #kinds = new MessageKinds();
  readonly #ignored = new Set<string>();

  add(results: readonly Pick<ArticleResult, 'notices' | 'ignoredKeys'>[]): ImportMessage[] {
    const keys = results.flatMap(({ ignoredKeys }) => ignoredKeys);
    for (const key of keys) if (this.#ignored.size < MAX_KEYS) this.#ignored.add(key);
    const notices = results.flatMap((result) => result.notices);
    const entries = notices.map(({ source, line, text }) => ({ source, problems: [`${source}:${line}: ${text}`] }));
    const messages = messagesOf('notice', entries);
    for (const message of messages) this.#kinds.add(message);
    return messages;
  }

  /** Adds a warning for each kind, and the keys that mean nothing here. */
  addTo(result: ArticleImportResult): void {
    const lines = this.#kinds.lines();
    result.warnings.push(...lines.map((line) => ({ source: '', line: null, articleId: null, problems: [line] })));
    result.warningCount += lines.length;
    result.ignoredKeys.push(...[...this.#ignored].sort());
  }
}
