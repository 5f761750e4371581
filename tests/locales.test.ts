/** The messages that daywire ships: complete in each language, and used. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IntlMessageFormat } from 'intl-messageformat';
import { describe, expect, it } from 'vitest';
import { localeOf } from '../src/lib/locale/locale.ts';
import {
  BUILT_IN_LOCALES,
  builtInFile,
  languagesIn,
  type MessageFile,
  type Messages,
  placeholdersOf,
} from '../src/lib/locale/message-file.ts';
import { ROOT } from './support/sample.ts';

const LANGUAGES = ['ar', 'de', 'en', 'es', 'fr', 'he', 'it', 'ja', 'ko', 'pt', 'zh-Hans', 'zh-Hant'];
const english = (builtInFile('en') as MessageFile).messages;
const sources = ['src', 'templates'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|liquid|mjml|txt)$/.test(name) && !name.startsWith('desk/'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
);

describe('the messages', () => {
  it('are there in twelve languages', () => {
    expect(languagesIn(BUILT_IN_LOCALES)).toEqual(LANGUAGES);
  });

  it('are all used', () => {
    const used = new Set(
      sources.flatMap((text) => [...text.matchAll(/['"]([a-zA-Z]+(?:\.\w+)+)['"]/g)].map(([, name]) => name)),
    );
    expect(Object.keys(english).filter((name) => !used.has(name))).toEqual([]);
  });

  it('that templates and code name exist', () => {
    const named = sources.flatMap((text) => [
      ...text.matchAll(/'([\w.]+)' \| t(?:_text)?\b/g),
      ...text.matchAll(/\b(?:label|title|older|newer): '(\w+\.[\w.]+)'/g),
      ...text.matchAll(/\blocale\.(?:text|html)\(\s*'([\w.]+)'/g),
    ]);
    expect(named.length).toBeGreaterThan(200);
    expect([...new Set(named.map(([, name]) => name as string))].filter((name) => !(name in english))).toEqual([]);
  });

  it('in English are reviewed, and the others say so only where a native speaker has read them', () => {
    expect(builtInFile('en')?.reviewedBy).not.toBeNull();
    for (const language of LANGUAGES) {
      const { reviewedBy } = builtInFile(language) as MessageFile;
      if (reviewedBy !== null) expect(reviewedBy).toMatch(/^\S.*, \d{4}-\d\d-\d\d$/);
    }
  });
});

/** @param placeholder `{count}` */
function isNumber(text: string, placeholder: string): boolean {
  return new RegExp(`\\{${placeholder.slice(1, -1)}, (?:plural|selectordinal|number)`).test(text);
}

describe.each(LANGUAGES)('the messages in %s', (language) => {
  const messages: Messages = builtInFile(language)?.messages ?? {};

  it('are all that there are in English, in the same order', () => {
    expect(Object.keys(messages)).toEqual(Object.keys(english));
  });

  it('have the placeholders and tags of the English ones', () => {
    const different = Object.entries(messages).filter(
      ([name, text]) => placeholdersOf(text, language) !== placeholdersOf(english[name] as string, 'en'),
    );
    expect(different).toEqual([]);
  });

  it('show each value, for each number that the language distinguishes', () => {
    for (const [name, text] of Object.entries(messages)) {
      const names = placeholdersOf(text, language).split(' ').filter(Boolean);
      for (const count of [0, 1, 2, 3, 11, 100]) {
        const values = Object.fromEntries(
          names.map((one) => [
            one.slice(1, -1),
            one.startsWith('<')
              ? (inner: string[]) => `<${inner.join('')}>`
              : isNumber(text, one)
                ? count
                : `[${one.slice(1, -1)}]`,
          ]),
        );
        const shown = String(new IntlMessageFormat(text, language).format(values));
        expect([name, shown]).not.toEqual([name, '']);
        // A message that chooses by a word has some values in one of its forms alone.
        if (/\{\w+, select,/.test(text)) continue;
        for (const value of Object.values(values)) {
          if (typeof value === 'string') expect([name, shown]).toEqual([name, expect.stringContaining(value)]);
        }
      }
    }
  });

  it('show hostile values as text, and have no tags but those of links, emphasis and isolates', () => {
    const locale = localeOf(language, {});
    for (const [name, text] of Object.entries(messages)) {
      const values = placeholdersOf(text, language)
        .split(' ')
        .filter((one) => one !== '' && one !== '<strong>' && one !== '<bdi>')
        .map((one) => [one.slice(1, -1), isNumber(text, one) ? 2 : '"><script>alert(1)</script>שלום']);
      const html = locale.html(name, Object.fromEntries(values));
      const rest = html.replace(/<\/?(?:strong|bdi|a)(?: (?:href|dir)="[^"<>]*")?>/g, '');
      expect([name, rest]).toEqual([name, expect.not.stringMatching(/[<>"]/)]);
    }
  });

  it('have no white space at their ends, no other script, and no straight quotation marks', () => {
    const odd = Object.entries(messages).filter(([name, text]) => {
      // Separators of lists have a space.
      const isSeparator = /^common\.(?:comma|semicolon)$/.test(name);
      const words = text.replace(/\{[^{}]*\}|<[^>]*>/g, '');
      return (!isSeparator && text !== text.trim()) || (language !== 'en' && /["']/.test(words)) || / {2}/.test(text);
    });
    expect(odd).toEqual([]);
  });
});
