/** The words, dates and lists of one language, as pages, emails and feeds show them. */
import { IntlMessageFormat } from 'intl-messageformat';
import { escapeHtml } from '../text/html.ts';
import { clockTime, datelineTime, localDate } from '../time.ts';
import { type Direction, isolate, isolateHtml, textDirection } from './direction.ts';
import { builtInFile, englishMessages, type Messages } from './message-file.ts';

/** Messages of the newsroom, by language (BCP 47). They come before the built-in ones. */
export type OwnMessages = Readonly<Record<string, Messages>>;

/** Inline HTML, or a phrase of the same language in plain text: neither escaped nor isolated again. */
export class Markup {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
}

/** Values of placeholders. Of a tag `<link>`: the address, or its opening tag as markup; none for `<strong>`. */
export type MessageValues = Readonly<Record<string, string | number | Markup>>;

/** A value, and how it is shown. ICU selects by `toString`. */
interface Shown {
  shown: string;
  toString(): string;
}

interface MessageOutput {
  literal(text: string): string;
  value(text: string, dir: Direction): string;
  tag(inner: string, tag: string, value: MessageValues[string] | undefined): string;
}

interface ParsedMessage {
  format: IntlMessageFormat;
  /** The whole message, if it has neither values nor tags; else null. */
  literal: string | null;
  tags: string[];
  /** BCP 47, of its words; null if it is that of the locale, or a wider one. */
  otherLanguage: string | null;
  dir: Direction;
}

/** `A, B and C`, `A, B or C`, `A, B, C`, `A; B; C`. */
type ListKind = 'and' | 'or' | 'plain' | 'semicolons';

export class Locale {
  /** BCP 47, as the configuration has it. */
  readonly language: string;
  readonly dir: Direction;
  readonly #isPortalStyle: boolean;
  readonly #own: OwnMessages;
  readonly #parsed = new Map<string, ParsedMessage>();
  readonly #formats = new Map<string, Intl.DateTimeFormat>();
  readonly #lists: Record<'and' | 'or', Intl.ListFormat>;

  constructor(language: string, own: OwnMessages) {
    this.language = language;
    this.dir = textDirection(language);
    this.#isPortalStyle = language === 'en' || language === 'en-US';
    this.#own = own;
    // The portal has no comma before "and".
    const usual = this.#isPortalStyle ? 'en-GB' : language;
    this.#lists = { and: new Intl.ListFormat(usual), or: new Intl.ListFormat(usual, { type: 'disjunction' }) };
  }

  /** Plain text. Values in the other direction are isolated. @throws Error if there is no such message or value */
  text(name: string, values: MessageValues = {}): string {
    return format(this.#find(name), values, { literal: (text) => text, value: isolate, tag: (inner) => inner });
  }

  /**
   * Inline HTML. Values are escaped, and isolated by `<bdi>` in the other direction. Words of another language than
   * `language` are marked as such.
   */
  html(name: string, values: MessageValues = {}): string {
    const message = this.#find(name);
    const { otherLanguage, dir } = message;
    const html = format(message, values, {
      literal: escapeHtml,
      value: isolateHtml,
      tag: (inner, tag, value) => {
        if (value instanceof Markup) return `${value.html}${inner}</${/^<([a-z]+)/.exec(value.html)?.[1] ?? 'a'}>`;
        if (value !== undefined) return `<a href="${escapeHtml(`${value}`)}">${inner}</a>`;
        if (tag !== 'strong' && tag !== 'bdi') throw new Error(`${name}: the tag <${tag}> has no value`);
        return `<${tag}>${inner}</${tag}>`;
      },
    });
    return otherLanguage === null ? html : `<span lang="${otherLanguage}" dir="${dir}">${html}</span>`;
  }

  /**
   * A text as HTML, isolated by `<bdi>` if it is in the other direction.
   * @param language BCP 47, of the text; another one is marked
   */
  value(text: string, language = this.language): string {
    if (language === this.language) return isolateHtml(text, this.dir);
    return `<span lang="${escapeHtml(language)}" dir="${textDirection(language)}">${escapeHtml(text)}</span>`;
  }

  /** @param items plain text @param literal converts the words between them */
  list(items: readonly string[], kind: ListKind = 'and', literal = (text: string): string => text): string {
    if (kind === 'and' || kind === 'or') return this.#lists[kind].format(items);
    // A list of units has no commas in Chinese, and "and" in German.
    return items.join(literal(this.text(kind === 'plain' ? 'common.comma' : 'common.semicolon')));
  }

  /** @param items HTML */
  markupList(items: readonly string[], kind?: ListKind): Markup {
    return new Markup(this.list(items, kind, escapeHtml));
  }

  /** `Nov 24, 2026 08:43 PM`, as the portal has it, or as usual in the language. @param zone IANA, as below */
  dateline(instant: number, zone: string): string {
    if (this.#isPortalStyle) return datelineTime(instant, zone);
    return this.#format({ dateStyle: 'medium', timeStyle: 'short' }, zone).format(instant);
  }

  /** `8:43 PM` */
  clock(instant: number, zone: string): string {
    if (this.#isPortalStyle) return clockTime(instant, zone);
    return this.#format({ timeStyle: 'short' }, zone).format(instant).replace(' ', '\u00a0');
  }

  /** `8:43 PM`; with the date, if that is another day in `zone` than that of `day`. */
  clockOn(instant: number, day: number, zone: string): string {
    const [date, other] = [localDate(instant, zone), localDate(day, zone)];
    if (date === other) return this.clock(instant, zone);
    if (date.slice(0, 4) !== other.slice(0, 4)) return this.dateline(instant, zone);
    if (this.#isPortalStyle) return `${this.day(instant, zone)}, ${this.clock(instant, zone)}`;
    const parts = { month: 'short', day: 'numeric', hour: 'numeric', minute: '2-digit' } as const;
    return this.#format(parts, zone).format(instant);
  }

  /** `Nov 24` */
  day(instant: number, zone: string): string {
    return this.#format({ month: 'short', day: this.#isPortalStyle ? '2-digit' : 'numeric' }, zone).format(instant);
  }

  /** As `Intl.DateTimeFormat`. */
  date(instant: number, zone: string, options: Intl.DateTimeFormatOptions): string {
    return this.#format(options, zone).format(instant);
  }

  /** The same, on its own: French, Spanish and others have small letters in `mardi` and `novembre`. */
  dateHeading(instant: number, zone: string, options: Intl.DateTimeFormatOptions): string {
    const text = this.date(instant, zone, options);
    return text.charAt(0).toLocaleUpperCase(this.language) + text.slice(1);
  }

  /** Names of the messages that it shows in English, although it is another language. */
  missing(): string[] {
    return Object.keys(englishMessages()).filter((name) => this.#isOther(this.#messageOf(name)[0]));
  }

  #isOther(language: string): boolean {
    return new Intl.Locale(language).language !== new Intl.Locale(this.language).language;
  }

  // Creating a formatter takes a hundred times as long as using it.
  #format(options: Intl.DateTimeFormatOptions, zone: string): Intl.DateTimeFormat {
    const key = `${zone} ${JSON.stringify(options)}`;
    let found = this.#formats.get(key);
    if (found === undefined) {
      // News in Chinese has 24 hours everywhere; Intl has 12 for Taiwan.
      const cycle = this.language.startsWith('zh') ? ({ hourCycle: 'h23' } as const) : {};
      found = new Intl.DateTimeFormat(this.language, { ...options, ...cycle, timeZone: zone });
      this.#formats.set(key, found);
    }
    return found;
  }

  #find(name: string): ParsedMessage {
    let parsed = this.#parsed.get(name);
    if (parsed === undefined) {
      const [language, message] = this.#messageOf(name);
      const tags = [...message.matchAll(/<([a-z]+)>/g)].map(([, tag]) => tag as string);
      const otherLanguage = this.#isOther(language) ? language : null;
      const literal = /[{<']/.test(message) ? null : message;
      const format = new IntlMessageFormat(message, language);
      parsed = { format, literal, tags, otherLanguage, dir: textDirection(language) };
      this.#parsed.set(name, parsed);
    }
    return parsed;
  }

  #messageOf(name: string): [language: string, message: string] {
    for (const language of fallbacks(this.language)) {
      const message = this.#own[language]?.[name] ?? builtInFile(language)?.messages[name];
      if (message !== undefined) return [language, message];
    }
    throw new Error(`there is no message "${name}"`);
  }
}

const locales = new WeakMap<OwnMessages, Map<string, Locale>>();

/** The same object for the same language and messages. @param language BCP 47 */
export function localeOf(language: string, own: OwnMessages): Locale {
  const ofOwn = locales.get(own) ?? new Map<string, Locale>();
  locales.set(own, ofOwn);
  const locale = ofOwn.get(language) ?? new Locale(language, own);
  ofOwn.set(language, locale);
  return locale;
}

/** The language, then wider ones, then English: `zh-TW`, `zh-Hant`, `zh`, `en`. */
export function fallbacks(tag: string): string[] {
  const { language, script } = new Intl.Locale(tag).maximize();
  return [...new Set([tag, `${language}-${script}`, language, 'en'])];
}

function format(message: ParsedMessage, values: MessageValues, output: MessageOutput): string {
  // Formatting takes 3 µs, and an email has 60 messages.
  if (message.literal !== null) return output.literal(message.literal);
  const given: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    given[name] = typeof value === 'number' ? value : shown(value, message.dir, output);
  }
  for (const tag of message.tags) {
    given[tag] = (inner: (string | Shown)[]) => {
      const html = inner.map((part) => (typeof part === 'string' ? output.literal(part) : part.shown)).join('');
      return { shown: output.tag(html, tag, values[tag]) };
    };
  }
  const parts = message.format.formatToParts(given as Parameters<IntlMessageFormat['formatToParts']>[0]);
  return parts
    .map(({ value }) => (typeof value === 'string' ? output.literal(value) : (value as unknown as Shown).shown))
    .join('');
}

function shown(value: string | Markup, dir: Direction, output: MessageOutput): Shown {
  if (typeof value === 'string') return { shown: output.value(value, dir), toString: () => value };
  return { shown: value.html, toString: () => value.html };
}
