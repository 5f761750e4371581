import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { DEFAULT_ANSWERS, init } from '../../../src/app/init.ts';
import { languageWarnings } from '../../../src/app/locales/languages.ts';
import { loadConfig } from '../../../src/core/config/config.ts';
import { englishMessages, readOwnFiles } from '../../../src/lib/locale/message-file.ts';
import { BUILT_IN_TEMPLATES } from '../../../src/lib/templates.ts';
import { NOW } from '../../support/clock.ts';
import { newFolder } from '../../support/command.ts';
import { sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const TOTAL = Object.keys(englishMessages()).length;

/** Writes files of messages. @returns the folder */
function writeLocales(files: Record<string, string>, folder = temporaryFolder()): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

describe('daywire locales', () => {
  it('lists languages with the messages that they have, and names what is missing', async () => {
    const folder = newFolder('sample');
    const mail = 'reviewedBy: Asha Example, 2026-11-30\nmessages:\n  mail:\n    link: Kiungo\n';
    writeLocales({ 'sw.yaml': mail }, join(folder.path, 'locales'));
    const { stdout } = await folder.run(['locales', 'list']);
    expect(stdout).toMatch(/^language +name +messages +missing +reviewed by\n/);
    expect(stdout).toMatch(new RegExp(`^sw +Swahili +1 +${TOTAL - 1} +Asha Example, 2026-11-30$`, 'm'));
    expect(stdout).toMatch(new RegExp(`^en +English +${TOTAL} +0 +daywire`, 'm'));
    const listed = JSON.parse((await folder.run(['locales', 'list', '--json'])).stdout) as { language: string }[];
    expect(listed.find(({ language }) => language === 'sw')).toMatchObject({ messages: 1, missing: TOTAL - 1 });
    const missing = await folder.run(['locales', 'missing', 'sw']);
    expect(missing.code).toBe(1);
    expect(missing.stdout).toMatch(/^mail\.confirm\.title +Please confirm your subscription$/m);
    expect(missing.stdout).not.toContain('mail.link ');
    expect(await folder.run(['locales', 'missing', 'en-GB'])).toMatchObject({
      ...{ code: 0, stdout: 'en-GB has all messages\n' },
    });
    const unknown = await folder.run(['locales', 'missing', 'Klingon']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('must be a BCP 47 language tag')]);
  });

  it('copies a file once, and English as the start of a translation that nobody has read', async () => {
    const folder = newFolder('sample');
    const eject = (...args: string[]) => folder.run(['locales', 'eject', ...args]);
    const builtIn = readFileSync(join(import.meta.dirname, '../../../locales/en.yaml'), 'utf8');
    expect((await eject('en')).stdout).toBe('locales/en.yaml\n');
    const copy = join(folder.path, 'locales/en.yaml');
    expect(readFileSync(copy, 'utf8')).toBe(builtIn);
    writeFileSync(copy, 'messages: {}\n');
    expect(await eject('en')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/en\.yaml exists already: .*--force\n$/),
    });
    expect(readFileSync(copy, 'utf8')).toBe('messages: {}\n');
    expect((await eject('en', '--force')).code).toBe(0);
    expect(readFileSync(copy, 'utf8')).toBe(builtIn);
    expect((await eject('sw', '--into', join(folder.path, 'new'))).code).toBe(0);
    const start = readFileSync(join(folder.path, 'new/sw.yaml'), 'utf8');
    expect(start).toMatch(/^reviewedBy: null\nmessages:\n/);
    expect(readOwnFiles(join(folder.path, 'new'))).toMatchObject({ problems: [], files: { sw: { reviewedBy: null } } });
  });
});

describe('daywire init --language', () => {
  const WORDS = join(BUILT_IN_TEMPLATES, 'init/words');

  it('has the same keys for each language that daywire ships, and knows how to fall back', async () => {
    const files = readdirSync(WORDS);
    expect(files.length).toBeGreaterThanOrEqual(12);
    const keysOf = (value: unknown): unknown =>
      isObject(value) ? Object.entries(value).map(([key, inner]) => [key, keysOf(inner)]) : typeof value;
    const [english, ...others] = ['en.yaml', ...files].map((file) => parse(readFileSync(join(WORDS, file), 'utf8')));
    for (const other of others) expect(keysOf(other)).toEqual(keysOf(english));
  });

  it.each(['ar', 'zh-TW', 'sw'])('writes a newsroom in %s whose example can be published', async (language) => {
    const folder = temporaryFolder();
    await init(folder, { ...DEFAULT_ANSWERS, language, name: 'ذا "Wire" & Co' }, NOW);
    const file = { ar: 'ar', 'zh-TW': 'zh-Hant', sw: 'en' }[language];
    const words = parse(readFileSync(join(WORDS, `${file}.yaml`), 'utf8'));
    const config = loadConfig('config/daywire.yaml', {}, folder);
    expect(config.publication).toMatchObject({ language, about: words.about.replace('{name}', 'ذا "Wire" & Co') });
    expect(config.newsletters[0]).toMatchObject(words.newsletter);
    expect(config.sections.map(({ title }) => title)).toEqual(Object.values(words.sections));
    expect(config.leadKickers).toEqual(words.kickers);
    const example = readFileSync(join(folder, 'articles/example.md'), 'utf8');
    expect(example).toContain('\nstate: draft\n');
    const [, head = '', body] = example.split(/^---\n/m);
    expect(parse(head)).toMatchObject({
      ...{ headline: words.article.headline, dek: words.article.dek, tags: words.article.tags },
      bylines: [words.article.byline],
    });
    expect(body?.trim()).toBe(words.article.body.trim());
  });
});

describe("the newsroom's own messages", () => {
  it('are refused with every problem, by file and line', () => {
    const folder = writeLocales({
      'de.yaml':
        "messages:\n  mail:\n    lnk: x\n    link: 'Mit {x}'\n    confirm:\n      title: 'A {b'\n      button: 3\n",
      'fr.yaml': 'messages: [',
      'it.yaml': 'mesages: {}\n',
      'pt_BR.yaml': 'messages: {}\n',
      'ZH.yaml': 'messages: {}\n',
    });
    expect(readOwnFiles(folder).problems.map((text) => text.replace(`${folder}/`, ''))).toEqual([
      'ZH.yaml: the name of the file must be zh, with .yaml',
      'de.yaml:3: there is no message mail.lnk: did you mean mail.link?',
      'de.yaml:4: mail.link must have the placeholders and tags (none), not {x}',
      expect.stringMatching(/^de\.yaml:6: mail\.confirm\.title is no ICU MessageFormat/),
      'de.yaml:7: mail.confirm.button must be a text',
      expect.stringMatching(/^fr\.yaml:1: /),
      'it.yaml: it must have a map "messages"',
      'pt_BR.yaml: the name of the file must be a BCP 47 language tag such as en or zh-Hans, with .yaml',
    ]);
  });

  it('are warned about for each language in use: words in English, and words that no native speaker has read', () => {
    const sample = sampleConfig();
    const sw = { 'mail.link': 'Kiungo' };
    const text = 'messages:\n  mail:\n    link: Kiungo\n';
    const warningsOf = (reviewedBy: string): string[] => {
      const locales = writeLocales({ 'sw.yaml': reviewedBy + text });
      const [first, ...others] = sample.newsletters;
      const newsletters = [{ ...(first as typeof first & object), language: 'sw' }, ...others];
      return languageWarnings({ ...sample, newsletters, ownMessages: { sw }, paths: { ...sample.paths, locales } });
    };
    expect(languageWarnings(sample)).toEqual([]);
    const untranslated = expect.stringContaining(`${TOTAL - 1} messages are not in sw, and are shown in English`);
    expect(warningsOf('')).toEqual([
      untranslated,
      expect.stringContaining('the words in sw are not reviewed by a native speaker'),
    ]);
    expect(warningsOf('reviewedBy: Asha Example, 2026-11-30\n')).toEqual([untranslated]);
  });
});
