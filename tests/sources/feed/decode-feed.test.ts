import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeFeed, isUnreadable } from '../../../src/sources/feed/decode-feed.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
const declared = (encoding: string): string => `<?xml version="1.0" encoding="${encoding}"?><title>Café</title>`;

it('follows a byte order mark, whatever header and declaration say', () => {
  const contentType = 'application/rss+xml; charset=iso-8859-1';
  expect(decodeFeed(Buffer.concat([Uint8Array.of(0xef, 0xbb, 0xbf), utf8('Café')]), contentType)).toBe('Café');
  expect(decodeFeed(utf16('\ufeffCafé'), contentType)).toBe('Café');
  expect(decodeFeed(utf16('\ufeffCafé').swap16(), contentType)).toBe('Café');
});

it('reads valid UTF-8 as UTF-8, whatever its labels say', () => {
  expect(decodeFeed(utf8(declared('iso-8859-1')), 'text/xml; charset=shift_jis')).toContain('Café');
});

it('reads UTF-8 in which a program has cut a few texts within a character', () => {
  const text = 'Żółta łódź wróciła do Gdańska. '.repeat(3);
  const cut = Buffer.concat([utf8(text), utf8('ń').subarray(0, 1), utf8(' …')]);
  expect(decodeFeed(cut, 'text/xml; charset=iso-8859-1')).toBe(`${text}\ufffd …`);
});

it('follows the charset of the header rather than the declaration, if it fits the bytes', () => {
  const russian = Buffer.concat([latin1('<?xml version="1.0" encoding="koi8-r"?>'), latin1('\xcc\xe8\xf0')]);
  expect(decodeFeed(russian, 'text/xml; Charset="windows-1251"; x=y')).toMatch(/Мир$/);
  expect(decodeFeed(latin1(declared('utf-8')), "text/xml;charset='latin1'")).toContain('Café');
  expect(decodeFeed(latin1(declared('latin1')), 'text/xml; charset=euc-jp')).toContain('Café');
});

it('follows the declaration rather than ISO-8859-1 in the header, which servers add to any text', () => {
  const russian = Buffer.concat([latin1('<?xml version="1.0" encoding="windows-1251"?>'), latin1('\xcc\xe8\xf0')]);
  expect(decodeFeed(russian, 'text/xml; charset=iso-8859-1')).toMatch(/Мир$/);
});

it('follows the declaration, also in UTF-16 without a mark and in single quotes', () => {
  expect(decodeFeed(latin1(declared('ISO-8859-1')), 'text/xml')).toContain('Café');
  const russian = Buffer.concat([
    latin1("<?xml version='1.0' encoding='windows-1251' ?><title>"),
    latin1('\xcc\xe8\xf0'),
  ]);
  expect(decodeFeed(russian, null)).toMatch(/Мир$/);
  expect(decodeFeed(utf16(declared('UTF-16')), null)).toContain('Café');
  expect(decodeFeed(utf16(declared('UTF-16')).swap16(), null)).toContain('Café');
});

it('reads bytes that declare UTF-16 and are none as UTF-8', () => {
  expect(decodeFeed(utf8(declared('utf-16')), null)).toContain('Café');
});

it('takes an unknown label for none', () => {
  expect(decodeFeed(latin1(declared('iso-8859-1')), 'text/xml; charset=klingon')).toContain('Café');
  expect(decodeFeed(utf8(declared('klingon')), 'text/xml; charset=klingon')).toContain('Café');
});

it('reads what declares nothing as UTF-8 if it is valid, and as windows-1252 otherwise', () => {
  expect(decodeFeed(utf8('<title>“Café”</title>'), null)).toBe('<title>“Café”</title>');
  expect(decodeFeed(latin1('<title>\x93Caf\xe9\x94</title>'), null)).toBe('<title>“Café”</title>');
});

it('reads UTF-8 that was cut within a character up to that character', () => {
  const whole = utf8('Café, 日本, 🙂');
  for (let length = 5; length < whole.length; length++) {
    expect('Café, 日本, 🙂'.startsWith(decodeFeed(whole.subarray(0, length), null))).toBe(true);
  }
});

it('reads bytes that are not in the declared encoding as windows-1252', () => {
  expect(decodeFeed(latin1(declared('utf-8')), null)).toContain('Café');
  expect(decodeFeed(latin1(declared('utf-8')), 'text/xml; charset=utf-8')).toContain('Café');
});

it('knows UTF-32 and EBCDIC, which are not read, by their first bytes', () => {
  const beginnings = ['3c0000003f000000', 'fffe00003c000000', '0000feff0000003c', '0000003c0000003f', '4c6fa79493'];
  expect(beginnings.filter((hex) => !isUnreadable(Buffer.from(hex, 'hex')))).toEqual([]);
  const read = [utf8('<rss/>'), utf8(''), utf16('\ufeff<rss/>'), utf16('<rss/>').swap16()];
  expect(read.filter(isUnreadable)).toEqual([]);
});

it('never throws', () => {
  fc.assert(fc.property(fc.uint8Array(), fc.option(fc.string()), (bytes, type) => void decodeFeed(bytes, type)));
});
