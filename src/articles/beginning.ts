/** The beginning of a body as text: a summary needs some words of a megabyte. */
import { cleanLine } from '../lib/text/clean-text.ts';

/**
 * The text of sanitised HTML, on one line: all of it, or at least its first `length` characters. Tags count as spaces.
 * The time depends on the text that is skipped and taken, not on the rest.
 */
export function beginningOfText(html: string, length: number): string {
  const source = new WithoutTags(html);
  for (let taken = FIRST_PART; ; taken *= 4) {
    const text = cleanLine(source.take(taken).replace(ENTITY, decode).replace(/\s+/g, ' '));
    if (source.isComplete || text.length >= length + LONGEST_ENTITY) return text;
  }
}

/** Characters. The longest summary is 280 characters long. */
const FIRST_PART = 1_024;

const TAG = /<\/?[a-zA-Z](?:"[^"]*"|'[^']*'|[^'">])*>/y;
const ENTITY = /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,5}));/g;
/** A part may end within an entity. */
const LONGEST_ENTITY = 10;
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

function decode(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return NAMED[name] ?? whole;
  const point = decimal === undefined ? Number.parseInt(hex as string, 16) : Number(decimal);
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
}

/** HTML with each run of tags as a space, read part by part. */
class WithoutTags {
  readonly #html: string;
  #at = 0;
  #taken = '';
  #isAfterTag = false;

  constructor(html: string) {
    this.#html = html;
  }

  get isComplete(): boolean {
    return this.#at === this.#html.length;
  }

  /** The first `length` characters, or all. */
  take(length: number): string {
    while (this.#taken.length < length && !this.isComplete) this.#advance(length - this.#taken.length);
    return this.#taken;
  }

  #advance(most: number): void {
    const html = this.#html;
    TAG.lastIndex = this.#at;
    if (html[this.#at] === '<' && TAG.test(html)) {
      this.#at = TAG.lastIndex;
      if (!this.#isAfterTag) this.#taken += ' ';
      this.#isAfterTag = true;
      return;
    }
    // A `<` that begins no tag is text.
    const next = html.indexOf('<', this.#at + 1);
    const end = Math.min(next === -1 ? html.length : next, this.#at + most);
    this.#taken += html.slice(this.#at, end);
    this.#at = end;
    this.#isAfterTag = false;
  }
}
