import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BUILT_IN_LOCALES,
  builtInFile,
  languagesIn,
  placeholdersOf,
  readOwnFiles,
} from '../../../src/lib/locale/message-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function folderWith(files: Record<string, string>): string {
  const folder = join(temporaryFolder(), 'locales');
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe("a newsroom's own messages", () => {
  it('are named by their groups', () => {
    const folder = folderWith({ 'de.yaml': 'messages:\n  mail:\n    confirm:\n      button: Ja\n' });
    expect(readOwnFiles(folder)).toEqual({
      files: { de: { reviewedBy: null, messages: { 'mail.confirm.button': 'Ja' } } },
      problems: [],
    });
  });

  it('are none where there is no folder', () => {
    expect(readOwnFiles(join(temporaryFolder(), 'none'))).toEqual({ files: {}, problems: [] });
  });

  it.each([
    [
      'mail:\n    confirm:\n      buttom: Ja',
      /de\.yaml:4: there is no message mail\.confirm\.buttom: did you mean mail\.confirm\.button\?$/,
    ],
    [
      'mail:\n    requested: Für {mail}',
      /de\.yaml:3: mail\.requested must have the placeholders and tags <strong> \{email\}, not \{mail\}$/,
    ],
    ['mail:\n    link: "Öffnen {"', /de\.yaml:3: mail\.link is no ICU MessageFormat/],
    ['mail:\n    link: 3', /de\.yaml:\d: mail\.link must be a text$/],
    ['mail: [', /de\.yaml:\d+: /],
    ['mail:\n    link: "<script>alert(1)</script>"', /de\.yaml:3: mail\.link must have .* \(none\), not <script>$/],
    ['mail:\n    link: "<a href=x>Hier</a>"', /de\.yaml:3: mail\.link is no ICU MessageFormat/],
    [
      'edition:\n    photo: "{name, date, short}"',
      /de\.yaml:3: edition\.photo is no ICU MessageFormat \(a placeholder is .* no date\)$/,
    ],
    ['__proto__: X', /de\.yaml:2: there is no message __proto__$/],
    ['mail:\n    constructor: X', /de\.yaml:3: there is no message mail\.constructor$/],
    ['mail: &a [*a, *a]', /de\.yaml:2: mail must be a text$/],
    ['', /de\.yaml(?::\d+)?: it must have a map "messages"$/],
  ])('that cannot be used are named with file and line (%#)', (messages, problem) => {
    expect(readOwnFiles(folderWith({ 'de.yaml': `messages:\n  ${messages}\n` })).problems[0]).toMatch(problem);
  });

  it.each([
    ['is too long', `messages:\n  mail:\n    link: "${'x'.repeat(250_000)}"\n`, /must have at most 200000 bytes$/],
    ['is too deep', `messages: ${'['.repeat(150_000)}`, /call stack/],
    ['has a message that is too deep', `messages:\n  mail:\n    link: "${'<b>'.repeat(60_000)}"\n`, /call stack/],
  ])('are refused in a moment, with the name of the file, where that %s', (_, text, problem) => {
    const { problems } = readOwnFiles(folderWith({ 'de.yaml': text }));
    expect(problems[0]).toMatch(/de\.yaml:/);
    expect(problems[0]).toMatch(problem);
  });

  it('with many mistakes are refused with some of them', () => {
    const names = Array.from({ length: 2_000 }, (_, index) => `  a${index}: X\n`);
    expect(readOwnFiles(folderWith({ 'de.yaml': `messages:\n${names.join('')}` })).problems).toHaveLength(20);
  });

  it('are read by nobody if that is not said', () => {
    const text = 'reviewedBy: " "\nmessages:\n  mail:\n    link: "X:"\n';
    expect(readOwnFiles(folderWith({ 'de.yaml': text })).files.de?.reviewedBy).toBeNull();
  });

  it('that cannot be read are named', () => {
    const folder = folderWith({ 'fr.yaml': 'messages:\n  mail:\n    link: "X:"\n' });
    mkdirSync(join(folder, 'de.yaml'));
    const { files, problems } = readOwnFiles(folder);
    expect(problems).toEqual([expect.stringMatching(/de\.yaml: EISDIR/)]);
    expect(Object.keys(files)).toEqual(['fr']);
    const file = join(folder, 'fr.yaml');
    expect(readOwnFiles(file).problems).toEqual([expect.stringMatching(/^paths\.locales is .*fr\.yaml: ENOTDIR/)]);
  });

  it('have a language tag as the name of their file', () => {
    const text = 'messages:\n  mail:\n    link: "X:"\n';
    expect(readOwnFiles(folderWith({ 'german.yaml': text })).problems).toEqual([
      expect.stringMatching(/must be a BCP 47 language tag/),
    ]);
    expect(readOwnFiles(folderWith({ 'zh-hans.yaml': text })).problems[0]).toMatch(/must be zh-Hans, with \.yaml$/);
    expect(readOwnFiles(folderWith({ 'de.yml': text })).problems[0]).toMatch(
      /de\.yml: .* tag such as en .*, with \.yaml$/,
    );
  });
});

describe('the built-in messages', () => {
  it('are found by their very language', () => {
    expect(languagesIn(BUILT_IN_LOCALES)).toContain('en');
    expect(builtInFile('en')?.reviewedBy).toMatch(/^daywire/);
    expect(builtInFile('nl')).toBeNull();
    // As in a checkout, whose sample newsroom has the same folder.
    expect(readOwnFiles(BUILT_IN_LOCALES)).toEqual({ files: {}, problems: [] });
  });
});

describe('the placeholders of a message', () => {
  it('are its arguments and tags, wherever they are', () => {
    expect(placeholdersOf('{n, plural, one {<b>{x}</b>} other {# {y}}} {z}', 'en')).toBe('<b> {n} {x} {y} {z}');
  });
});
