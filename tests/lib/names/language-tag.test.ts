import { describe, expect, it } from 'vitest';
import { parseLanguageTag } from '../../../src/lib/names/language-tag.ts';

const RULE = 'must be a BCP 47 language tag such as en or zh-Hans';

describe('parseLanguageTag', () => {
  it.each([
    ['EN', 'en'],
    ['zh-hans', 'zh-Hans'],
    ['pt-br', 'pt-BR'],
    ['gsw', 'gsw'],
  ])('reads %s as %s', (text, tag) => {
    expect(parseLanguageTag(text)).toEqual({ kind: 'tag', tag });
  });

  it.each([
    ['English', `${RULE}: did you mean en?`],
    ['deutsch', `${RULE}: did you mean de?`],
    ['Français', `${RULE}: did you mean fr?`],
    ['hebrew', `${RULE}: did you mean he?`],
    ['Elvish', RULE],
    ['en!', RULE],
    ['', RULE],
  ])('refuses %j, and suggests what was meant', (text, rule) => {
    expect(parseLanguageTag(text)).toEqual({ kind: 'unclear', rule });
  });
});
