/**
 * Translates the keys that people and site generators write into those of daywire, before any rule is checked. Pure.
 */
import type { Config } from '../../../core/config/config.ts';
import { closestName } from '../../../lib/names/closest-name.ts';
import { shorten } from '../../../lib/text/shorten.ts';
import {
  type ExtraKeys,
  findKey,
  type KeyTarget,
  MAX_NAME,
  SUGGESTED_KEYS,
  shortName,
  simplifiedKeys,
  simplifyKey,
} from './key-names.ts';
import { findRareKeys } from './rare-keys.ts';
import {
  ALSO_PARTS,
  type AuthorNames,
  BYLINE_PARTS,
  ENCLOSURE_PARTS,
  IGNORED_PARTS,
  IMAGE_PARTS,
  isBlankValue,
  isMap,
  isNone,
  LINK_PARTS,
  OUTLET_PARTS,
  type PartNames,
  toAudio,
  toBylines,
  toNames,
  toOutlet,
  toOutlets,
  toState,
  toTags,
  toYesOrNo,
  withAuthorName,
  withoutMarkup,
  withoutSmartQuotes,
} from './values.ts';

/** What is written about a key. `path` is as in the file. */
export interface KeyMessage {
  path: PropertyKey[];
  text: string;
}

export interface TranslatedFields {
  /** Keys of daywire. */
  fields: Record<string, unknown>;
  /** The path in the file of a path in `fields`. */
  writtenPath(path: PropertyKey[]): PropertyKey[];
  /** About this article alone. */
  warnings: KeyMessage[];
  /** True of every article that has the key: an import reports each text once. */
  notices: KeyMessage[];
  /** Keys that mean nothing here. */
  ignored: string[];
}

export interface TranslationRules {
  sections: Pick<Config['sections'][number], 'id' | 'title'>[];
  /** Further names of keys: those of the configuration (`import.keys`), or of an export. */
  keys: Readonly<Record<string, KeyTarget | 'ignored' | 'ignore'>>;
  /** Whether the record is in daywire's own format, JSON Lines, in which each key means what daywire says. */
  isOwnFormat?: boolean;
  authors?: AuthorNames | undefined;
}

/** A key as written. */
interface Entry {
  key: string;
  value: unknown;
  rank: number;
}

/** Unknown keys that are reported of one article. */
const MAX_NOTICES = 50;

/** @param written keys and values; those of front matter are text, lists and maps */
export function translateKeys(written: Record<string, unknown>, rules: TranslationRules): TranslatedFields {
  return new Translation(rules).translate(written);
}

class Translation {
  readonly #rules: TranslationRules;
  readonly #fields: Record<string, unknown> = {};
  /** Keys as written, by key of daywire. */
  readonly #origins = new Map<PropertyKey, string>();
  readonly #warnings: KeyMessage[] = [];
  readonly #notices: KeyMessage[] = [];
  readonly #ignored: string[] = [];
  readonly #entries = new Map<KeyTarget, Entry[]>();

  constructor(rules: TranslationRules) {
    this.#rules = rules;
  }

  translate(written: Record<string, unknown>): TranslatedFields {
    const extra = simplifiedKeys(this.#rules.keys);
    const isFrontMatter = this.#rules.isOwnFormat !== true;
    const rare = isFrontMatter ? findRareKeys(written, extra) : new Map<string, string>();
    for (const [key, text] of [...rare].slice(0, MAX_NOTICES)) this.#notices.push({ path: [key], text });
    this.#readEntries(
      Object.entries(written).filter(([key]) => !rare.has(key)),
      extra,
    );
    this.#takeTagsAndSection();
    this.#takeState();
    this.#takeImage();
    this.#takeOutlet();
    this.#takeUrl();
    this.#take('bylines', (value) => {
      const { authors = {} } = this.#rules;
      const bylines = this.#mapList('bylines', toBylines(value, authors), BYLINE_PARTS);
      return Array.isArray(bylines) ? bylines.map((byline) => withAuthorName(byline, authors)) : bylines;
    });
    this.#take('also', (value) => this.#mapList('also', toOutlets(value), ALSO_PARTS));
    this.#take('related', (value) => this.#mapList('related', value, LINK_PARTS));
    this.#take('enclosures', (value) => this.#mapList('enclosures', value, ENCLOSURE_PARTS));
    this.#takeAudio();
    this.#take('fullStory', (value) => this.#renameParts(['fullStory'], value, LINK_PARTS));
    this.#take('language', (value) => {
      const plain = withoutSmartQuotes(value);
      return typeof plain === 'string' && /^\s*\w{2,40}\s*$/.test(plain) ? plain.replaceAll('_', '-') : plain;
    });
    // Only other programs write markup and entities into texts.
    const readText = isFrontMatter ? withoutMarkup : (value: unknown) => value;
    for (const target of this.#entries.keys()) this.#take(target, TEXTS.has(target) ? readText : withoutSmartQuotes);
    const origins = this.#origins;
    return {
      fields: this.#fields,
      writtenPath: ([key, ...rest]) => (key === undefined ? [] : [origins.get(key) ?? key, ...rest]),
      warnings: this.#warnings,
      notices: this.#notices,
      ignored: this.#ignored,
    };
  }

  #readEntries(written: [string, unknown][], extra: ExtraKeys): void {
    for (const [key, value] of written) {
      // Zola keeps tags and categories there.
      if (simplifyKey(key) === 'taxonomies' && isMap(value)) this.#readEntries(Object.entries(value), extra);
      else this.#addEntry(key, value, extra);
    }
  }

  #addEntry(key: string, value: unknown, extra: ExtraKeys): void {
    const found = findKey(key, extra);
    if (found === null) this.#noticeUnknown([key], key, SUGGESTED_KEYS);
    else if (found.target === 'ignored') this.#ignored.push(key);
    else {
      const entries = this.#entries.get(found.target) ?? [];
      entries.push({ key, value, rank: found.rank });
      this.#entries.set(found.target, entries);
    }
  }

  #noticeUnknown(path: PropertyKey[], key: string, known: readonly string[]): void {
    if (this.#notices.length >= MAX_NOTICES) return;
    const meant = closestName(key, known);
    const hint =
      meant === null
        ? ' (import.keys can say what it means)'
        : `: did you mean ${shortName([...path.slice(0, -1), meant])}?`;
    this.#notices.push({ path, text: `the key ${shortName(path)} is unknown and left out${hint}` });
  }

  /** The entry that counts for a target. Others that say something else are left out with a warning. */
  #best(target: KeyTarget, isQuiet = false): Entry | null {
    const written = this.#entries.get(target) ?? [];
    this.#entries.delete(target);
    if (written.length < 2) return written[0] ?? null;
    const entries = written.toSorted((a, b) => a.rank - b.rank);
    const best = entries.find(({ value }) => !isBlankValue(value)) ?? entries[0];
    if (best === undefined) return null;
    for (const other of entries) {
      if (other === best || isQuiet || isBlankValue(other.value)) continue;
      if (typeof other.value === 'string' && other.value === best.value) continue;
      this.#warnings.push({ path: [other.key], text: `${shortName([other.key])} is left out: ${best.key} is used` });
    }
    return best;
  }

  #set(target: string, key: string, value: unknown): void {
    this.#fields[target] = value;
    this.#origins.set(target, key);
  }

  #take(target: KeyTarget, convert: (value: unknown) => unknown): void {
    const entry = this.#best(target, target === 'dek');
    if (entry === null) return;
    // Before the conversion, which may write about its parts.
    this.#origins.set(target, entry.key);
    this.#set(target, entry.key, convert(entry.value));
  }

  /** The first category that names a section is the section; the others are tags. */
  #takeTagsAndSection(): void {
    const tagEntries = this.#entries.get('tags') ?? [];
    const sectionEntries = this.#entries.get('section') ?? [];
    this.#entries.delete('tags');
    this.#entries.delete('section');
    const section = sectionEntries.find(({ rank, value }) => rank <= 1 && !Array.isArray(value));
    const categories = sectionEntries
      .filter((entry) => entry !== section)
      .flatMap(({ key, value }) => {
        return toNames(value).map((name) => ({ key, name }));
      });
    const named = section === undefined ? categories.find(({ name }) => this.#isSection(name)) : undefined;
    if (section !== undefined) this.#set('section', section.key, withoutSmartQuotes(section.value));
    else if (named !== undefined) this.#set('section', named.key, named.name);

    const others = categories.filter((one) => one !== named);
    if (section === undefined && named === undefined) {
      for (const { key, name } of others.slice(0, MAX_NOTICES)) {
        const shown = JSON.stringify(shorten(name, MAX_NAME));
        const text = `${shortName([key])} ${shown} is not a section, and became a tag`;
        this.#notices.push({ path: [key], text });
      }
    }
    const [first, ...rest] = tagEntries.map(({ key, value }) => ({ key, tags: toTags(value) }));
    const key = first?.key ?? others[0]?.key;
    if (key === undefined) return;
    const lists = [first, ...rest].map((entry) => entry?.tags ?? []);
    const broken = lists.find((list) => !Array.isArray(list));
    this.#set('tags', key, broken ?? [...lists.flat(), ...others.map(({ name }) => name)]);
  }

  #isSection(name: string): boolean {
    const wanted = name.trim().toLowerCase();
    return this.#rules.sections.some(({ id, title }) => id === wanted || title.toLowerCase() === wanted);
  }

  /** `draft: true`, and `published: false`. A state that is written counts. */
  #takeState(): void {
    const drafts = this.#entries.get('draft') ?? [];
    this.#entries.delete('draft');
    const dates = this.#entries.get('published') ?? [];
    const isPublished = dates.find(({ value }) => toYesOrNo(value) !== null);
    if (isPublished !== undefined) {
      this.#entries.set(
        'published',
        dates.filter((entry) => entry !== isPublished),
      );
      drafts.push({ ...isPublished, value: !toYesOrNo(isPublished.value) });
    }
    const state = this.#best('state');
    if (state !== null) {
      this.#set('state', state.key, toState(withoutSmartQuotes(state.value)));
      if (!isBlankValue(state.value)) return;
    }
    const draft = drafts.find(({ value }) => toYesOrNo(value) !== false);
    if (draft === undefined || isBlankValue(draft.value)) return;
    // Anything that is not clearly false keeps an article from being published by mistake.
    if (toYesOrNo(draft.value) === null) {
      this.#warnings.push({
        path: [draft.key],
        text: `${shortName([draft.key])} is neither true nor false: it is a draft`,
      });
    }
    this.#set('state', draft.key, 'draft');
  }

  #takeImage(): void {
    const entry = this.#best('image', true);
    const alt = this.#best('imageAlt', true);
    const credit = this.#best('imageCredit', true);
    if (entry === null) return;
    const first = Array.isArray(entry.value) ? (entry.value[0] ?? null) : entry.value;
    this.#origins.set('image', entry.key);
    const isGiven = !isBlankValue(first) && !isNone(first);
    const image = !isGiven ? null : typeof first === 'string' ? { url: withoutSmartQuotes(first) } : first;
    const parts = this.#renameParts(['image'], image, IMAGE_PARTS);
    if (isMap(parts)) {
      if (alt !== null && isBlankValue(parts.alt)) parts.alt = alt.value;
      if (credit !== null && isBlankValue(parts.credit)) parts.credit = credit.value;
    }
    // `cover: { alt: … }` without a picture.
    this.#set('image', entry.key, isMap(parts) && isBlankValue(parts.url) && entry.rank > 1 ? null : parts);
  }

  /** `source: Reuters`, also with `source_url`. */
  #takeOutlet(): void {
    const entry = this.#best('outlet');
    const link = this.#best('outletUrl', true);
    if (entry === null) return;
    this.#origins.set('outlet', entry.key);
    const outlet = this.#renameParts(['outlet'], toOutlet(entry.value), OUTLET_PARTS);
    if (isMap(outlet) && isBlankValue(outlet.url) && link !== null) outlet.url = link.value;
    this.#set('outlet', entry.key, outlet);
  }

  /** A permalink may be a path or a pattern of a site that daywire does not know. */
  #takeUrl(): void {
    const entry = this.#best('url', true);
    if (entry === null) return;
    const value = withoutSmartQuotes(entry.value);
    if (entry.rank > 1 && typeof value === 'string' && !/^\s*https?:\/\//i.test(value)) {
      if (isBlankValue(value)) return;
      const rule = 'only a whole address counts, such as https://times.example/story';
      const text = `${shortName([entry.key])} is left out: ${rule}`;
      this.#notices.push({ path: [entry.key], text });
      return;
    }
    this.#set('url', entry.key, value);
  }

  /** `audio: /media/talk.mp3`, with its duration beside it. */
  #takeAudio(): void {
    const entry = this.#best('audio', true);
    const files = toAudio(entry?.value, this.#best('duration', true)?.value);
    if (entry === null || files === null) return;
    const text = `${shortName([entry.key])} is left out: only audio or video counts, below /media/ or https://`;
    if (files.length === 0) this.#notices.push({ path: [entry.key], text });
    else if (this.#fields.enclosures === undefined) this.#set('enclosures', entry.key, files);
  }

  #mapList(target: string, value: unknown, names: PartNames): unknown {
    if (!Array.isArray(value)) return value;
    return value.map((entry, index) => this.#renameParts([target, index], entry, names));
  }

  /** Renames the keys of a map, and leaves out unknown ones. @param path in daywire's keys */
  #renameParts([target, ...rest]: [string, ...PropertyKey[]], value: unknown, names: PartNames): unknown {
    if (!isMap(value)) return value;
    const parts: Record<string, unknown> = {};
    const entries = Object.entries(value);
    const isNamed = (part: string, key: string): boolean => simplifyKey(part) === simplifyKey(key.slice(0, 100));
    const used = new Set<string>();
    for (const [part, others] of Object.entries(names)) {
      for (const name of [part, ...others]) {
        const found = entries.find(([key]) => isNamed(name, key));
        if (found === undefined) continue;
        used.add(found[0]);
        if (isBlankValue(parts[part])) parts[part] = found[1];
      }
    }
    for (const [key] of entries) {
      if (used.has(key) || IGNORED_PARTS.has(simplifyKey(key.slice(0, 100)))) continue;
      this.#noticeUnknown([this.#origins.get(target) ?? target, ...rest, key], key, Object.keys(names));
    }
    return parts;
  }
}

/** Texts that may begin and end with quotation marks of their own. */
const TEXTS = new Set<KeyTarget>(['headline', 'shortHeadline', 'dek', 'kicker', 'topic', 'note', 'eventKey']);
