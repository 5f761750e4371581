import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isolate, textDirection } from '../../../src/lib/locale/direction.ts';
import { fallbacks, localeOf, Markup } from '../../../src/lib/locale/locale.ts';
import { anyText } from '../../support/any-text.ts';

const NOVEMBER = Date.UTC(2026, 10, 24, 12, 43);
const ZONE = 'Asia/Shanghai';
const FULL = { dateStyle: 'full' } as const;
const messages = {
  plain: 'Tea & <strong>cake</strong>',
  person: 'By {name}',
  stories: '{count, plural, one {# story} other {# stories}} by {name}',
  role: '{role, select, editor {editor {name}} other {reporter {name}}}',
  link: 'Change it in <link>your preferences, {name}</link>.',
};
const english = localeOf('en', { en: messages });

describe('a message', () => {
  it('is plain text, or HTML in which its own text and its values are escaped', () => {
    expect(english.text('plain')).toBe('Tea & cake');
    expect(english.html('plain')).toBe('Tea &amp; <strong>cake</strong>');
    expect(english.text('person', { name: '<b>' })).toBe('By <b>');
    expect(english.html('person', { name: '<b>' })).toBe('By &lt;b&gt;');
    expect(english.html('person', { name: new Markup('<b>A</b>') })).toBe('By <b>A</b>');
  });

  it('chooses by number and by word, also where values are escaped', () => {
    expect(english.html('stories', { count: 1, name: 'A' })).toBe('1 story by A');
    expect(english.text('stories', { count: 2_000, name: 'A' })).toBe('2,000 stories by A');
    expect(english.html('role', { role: 'editor', name: 'A & B' })).toBe('editor A &amp; B');
    expect(english.text('role', { role: 'reporter', name: 'A' })).toBe('reporter A');
  });

  it('makes a link of a tag, by an address or an opening tag', () => {
    const html = 'Change it in <a href="/p?a=1&amp;b=&quot;">your preferences, &lt;A&gt;</a>.';
    expect(english.html('link', { link: '/p?a=1&b="', name: '<A>' })).toBe(html);
    const opening = new Markup('<a class="x" href="/p">');
    expect(english.html('link', { link: opening, name: 'A' })).toContain(
      '<a class="x" href="/p">your preferences, A</a>',
    );
    expect(english.text('link', { name: 'A' })).toBe('Change it in your preferences, A.');
  });

  it('shows no value as markup, whatever that is', () => {
    fc.assert(
      fc.property(anyText(40), (name) => {
        const html = english.html('link', { link: name, name });
        expect(html.replace(/<\/?(?:a href="[^"<>]*"|a|bdi)>/g, '')).not.toMatch(/[<>"]/);
      }),
    );
  });

  it('isolates a value that runs in the other direction', () => {
    expect(english.text('person', { name: 'דנה' })).toBe('By \u2068דנה\u2069');
    expect(english.html('person', { name: 'דנה' })).toBe('By <bdi>דנה</bdi>');
    expect(english.value('"><b>', 'x"><i')).toBe('<span lang="x&quot;&gt;&lt;i" dir="ltr">&quot;&gt;&lt;b&gt;</span>');
    const hebrew = localeOf('he', { he: { person: 'מאת {name}' } });
    expect(hebrew.html('person', { name: 'Ada' })).toBe('מאת <bdi>Ada</bdi>');
    expect(hebrew.html('person', { name: 'דנה, 12' })).toBe('מאת דנה, 12');
  });

  it('is that of a wider language, then the English one, which HTML marks as such', () => {
    const own = { en: messages, pt: { person: 'Por {name}' } };
    const brazilian = localeOf('pt-BR', own);
    expect(brazilian.html('person', { name: 'A' })).toBe('Por A');
    expect(brazilian.html('role', { role: 'editor', name: 'A' })).toBe('<span lang="en" dir="ltr">editor A</span>');
    expect(brazilian.text('role', { role: 'editor', name: 'A' })).toBe('editor A');
    expect(fallbacks('zh-TW')).toEqual(['zh-TW', 'zh-Hant', 'zh', 'en']);
    expect(fallbacks('zh')).toEqual(['zh', 'zh-Hans', 'en']);
    expect(fallbacks('de-CH')).toEqual(['de-CH', 'de-Latn', 'de', 'en']);
  });

  it('must exist, and must have its values', () => {
    expect(() => english.text('none')).toThrow('there is no message "none"');
    expect(() => english.text('person')).toThrow('name');
    expect(() => english.html('link', { name: 'A' })).toThrow('link: the tag <link> has no value');
  });
});

describe('dates and lists', () => {
  it('have the style of the portal in English', () => {
    expect(english.dateline(NOVEMBER, ZONE)).toBe('Nov 24, 2026 08:43 PM');
    expect(english.clock(NOVEMBER, ZONE)).toBe('8:43 PM');
    const on = (instant: string, day: string): string => english.clockOn(Date.parse(instant), Date.parse(day), ZONE);
    expect(on('2026-11-24T00:15:00Z', '2026-11-24T15:59:00Z')).toBe('8:15 AM');
    expect(on('2026-09-04T00:15:00Z', '2026-11-24T16:00:00Z')).toBe('Sep 04, 8:15 AM');
    expect(on('2025-11-24T00:15:00Z', '2026-11-24T00:15:00Z')).toBe('Nov 24, 2025 08:15 AM');
    expect(english.dateHeading(NOVEMBER, ZONE, FULL)).toBe('Tuesday, November 24, 2026');
    expect(english.list(['A', 'B', 'C'])).toBe('A, B and C');
    expect(english.list(['A', 'B', 'C'], 'or')).toBe('A, B or C');
    expect(english.list(['A', 'B', 'C'], 'semicolons')).toBe('A; B; C');
  });

  it('of HTML have words between their items that are escaped', () => {
    const own = localeOf('en', { en: { 'common.comma': "'<img src=x>' & " } });
    expect(own.list(['A', 'B'], 'plain')).toBe('A<img src=x> & B');
    expect(own.markupList(['<b>A</b>', 'B'], 'plain').html).toBe('<b>A</b>&lt;img src=x&gt; &amp; B');
    expect(own.markupList(['<b>A</b>', 'B']).html).toBe('<b>A</b> and B');
  });

  it('are as usual in every other language', () => {
    const german = localeOf('de', {});
    expect(german.dateline(NOVEMBER, ZONE)).toBe('24.11.2026, 20:43');
    expect(german.clockOn(NOVEMBER, NOVEMBER, ZONE)).toBe('20:43');
    expect(german.clockOn(NOVEMBER, NOVEMBER - 86_400_000, ZONE)).toMatch(/^24\. Nov/);
    expect(german.clockOn(NOVEMBER, NOVEMBER - 366 * 86_400_000, ZONE)).toContain('2026');
    expect(localeOf('zh-Hans', {}).dateHeading(NOVEMBER, ZONE, FULL)).toBe('2026年11月24日星期二');
    expect(localeOf('ja', {}).list(['甲', '乙'])).toBe('甲、乙');
  });
});

describe('the direction', () => {
  it('is that of the script of a language', () => {
    expect(['ar', 'he', 'fa', 'en', 'zh-Hans', 'az-Arab', 'no tag'].map(textDirection)).toEqual([
      'rtl',
      'rtl',
      'rtl',
      'ltr',
      'ltr',
      'rtl',
      'ltr',
    ]);
  });

  it('of a text is against another one if it has letters of that: digits and signs have none', () => {
    expect(['abc', '12.5 %', 'שלום', 'a ש'].map((text) => isolate(text, 'ltr') !== text)).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(['abc', '12.5 %', 'שלום', '中'].map((text) => isolate(text, 'rtl') !== text)).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(isolate('abc', 'rtl')).toBe('\u2068abc\u2069');
    expect(isolate('abc', 'ltr')).toBe('abc');
  });
});
