import { expect, it } from 'vitest';
import { parseLanguageTag } from '../../../src/lib/names/language-tag.ts';

it.each([
  ['EN', 'en'],
  ['zh-hans', 'zh-Hans'],
  ['pt-br', 'pt-BR'],
  ['gsw', 'gsw'],
  ['English', null],
  ['en!', null],
  ['', null],
])('a language tag is read in its canonical form: %j', (text, tag) => {
  expect(parseLanguageTag(text)).toBe(tag);
});
