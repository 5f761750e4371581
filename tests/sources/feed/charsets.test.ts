/**
 * Feeds in the encodings of the world, with labels that are right, wrong or missing: the header of HTTP, the XML
 * declaration and the byte order mark.
 */
import { describe, expect, it } from 'vitest';
import { readFeed } from './read-feed.ts';

/** A headline, and its bytes as Python's codecs write them. */
const HEADLINES: Record<string, [headline: string, hex: string]> = {
  'windows-1252': [
    'Fähre “Océan” kostet 9 € mehr – señal',
    '46e468726520934f63e9616e94206b6f7374657420392080206d6568722096207365f1616c',
  ],
  'iso-8859-1': ['Fähre nach Malmö: señal à bord', '46e4687265206e616368204d616c6df63a207365f1616c20e020626f7264'],
  'iso-8859-15': ['Le cœur de la forêt coûte 9 €', '4c652063bd7572206465206c6120666f72ea7420636ffb7465203920a4'],
  'iso-8859-2': ['Żółta łódź wróciła do Gdańska', 'aff3b3746120b3f364bc207772f36369b36120646f20476461f1736b61'],
  Shift_JIS: [
    '渡し船が港に戻った。乗客は朝九時から並んだ',
    '936e82b5914482aa8d6082c996df82c182bd81428fe68b7182cd92a98be38e9e82a982e795c082f182be',
  ],
  'EUC-JP': [
    '渡し船が港に戻った。乗客は朝九時から並んだ',
    'c5cfa4b7c1a5a4acb9c1a4cbcce1a4c3a4bfa1a3bee8b5d2a4cfc4abb6e5bbfea4aba4e9cac2a4f3a4c0',
  ],
  'ISO-2022-JP': [
    '渡し船が港に戻った。乗客は朝九時から並んだ',
    '1b2442454f24374125242c3941244b4c612443243f21233e683552244f442b36653b7e242b24694a42247324401b2842',
  ],
  GB2312: [
    '渡船今晨返回港口，乘客从九点开始排队',
    'b6c9b4acbdf1b3bfb7b5bbd8b8dbbfdaa3acb3cbbfcdb4d3bec5b5e3bfaacabcc5c5b6d3',
  ],
  GBK: [
    '渡船今晨返回港口，車站前乘客從九點開始排隊',
    'b6c9b4acbdf1b3bfb7b5bbd8b8dbbfdaa3acdc87d5bec7b0b3cbbfcd8fc4bec5fc63e95fcabcc5c5eaa0',
  ],
  GB18030: [
    '渡船今晨返回港口，乘客从九点开始排队㐂',
    'b6c9b4acbdf1b3bfb7b5bbd8b8dbbfdaa3acb3cbbfcdb4d3bec5b5e3bfaacabcc5c5b6d38139ef31',
  ],
  Big5: [
    '渡船今晨返回港口，乘客從九點開始排隊',
    'b4e7b2eea4b5b1e1aaf0a65eb4e4a466a141adbcabc8b171a445c249b67da96cb1c6b6a4',
  ],
  'EUC-KR': [
    '연락선이 오늘 아침 항구로 돌아왔다',
    'bfacb6f4bcb1c0cc20bfc0b4c320bec6c4a720c7d7b1b8b7ce20b5b9bec6bfd4b4d9',
  ],
  'KOI8-R': [
    'Паром вернулся в порт сегодня утром',
    'f0c1d2cfcd20d7c5d2ced5ccd3d120d720d0cfd2d420d3c5c7cfc4ced120d5d4d2cfcd',
  ],
  'windows-1251': [
    'Паром вернулся в порт сегодня утром',
    'cfe0f0eeec20e2e5f0edf3ebf1ff20e220efeef0f220f1e5e3eee4edff20f3f2f0eeec',
  ],
};
const FRENCH = 'Le cœur de la forêt coûte 9 € – 森';

interface Case {
  name: string;
  headline: string;
  bytes: Buffer;
  http: string | null;
}

const before = (declared: string | null): string =>
  `${declared === null ? '' : `<?xml version="1.0" encoding="${declared}"?>`}<rss><channel><item><title>`;
const AFTER = '</title></item></channel></rss>';

/** @param headline text, or the bytes of a legacy encoding in ASCII markup */
function caseOf(encoding: string, labels: { http?: string; declared?: string; bom?: boolean }): Case {
  const { http = null, declared = null, bom = false } = labels;
  const name = `${encoding}, HTTP ${http}, declaration ${declared}${bom ? ', byte order mark' : ''}`;
  const legacy = HEADLINES[encoding];
  if (legacy !== undefined) {
    const [headline, hex] = legacy;
    const bytes = Buffer.concat([Buffer.from(before(declared)), Buffer.from(hex, 'hex'), Buffer.from(AFTER)]);
    return { name, headline, bytes, http };
  }
  const text = `${bom ? '\ufeff' : ''}${before(declared)}${FRENCH}${AFTER}`;
  const bytes = Buffer.from(text, encoding === 'UTF-8' ? 'utf8' : 'utf16le');
  return { name, headline: FRENCH, bytes: encoding === 'UTF-16BE' ? bytes.swap16() : bytes, http };
}

const legacy = Object.keys(HEADLINES).flatMap((encoding) => [
  caseOf(encoding, { http: encoding }),
  caseOf(encoding, { declared: encoding }),
  caseOf(encoding, { http: encoding, declared: 'utf-8' }),
  caseOf(encoding, { http: 'utf-8', declared: encoding }),
  caseOf(encoding, { http: 'iso-8859-1', declared: encoding }),
  caseOf(encoding, { http: 'klingon', declared: encoding }),
]);

const unicode = [
  ...[undefined, 'utf-8', 'iso-8859-1', 'windows-1251', 'gb2312'].flatMap((http) =>
    [undefined, 'utf-8', 'iso-8859-1', 'Shift_JIS', 'utf-16'].map((declared) =>
      caseOf('UTF-8', { ...(http && { http }), ...(declared && { declared }) }),
    ),
  ),
  caseOf('UTF-8', { bom: true, http: 'iso-8859-1', declared: 'iso-8859-1' }),
  ...['UTF-16LE', 'UTF-16BE'].flatMap((encoding) => [
    caseOf(encoding, { bom: true }),
    caseOf(encoding, { bom: true, http: 'utf-8', declared: 'utf-8' }),
    caseOf(encoding, { http: encoding, declared: 'UTF-16' }),
    caseOf(encoding, { declared: 'utf-8' }),
    caseOf(encoding, {}),
  ]),
];

/** No bytes contradict the wrong label, or there is none: only a person, or a guess by language, can tell. */
const undecidable = [
  caseOf('Shift_JIS', {}),
  caseOf('windows-1251', { declared: 'iso-8859-1' }),
  caseOf('KOI8-R', { http: 'windows-1251', declared: 'koi8-r' }),
  caseOf('EUC-KR', { http: 'gbk', declared: 'euc-kr' }),
];

const isRead = ({ bytes, http, headline }: Case): boolean => {
  const feed = readFeed(bytes, http === null ? {} : { contentType: `application/rss+xml; charset=${http}` });
  return feed.items[0]?.title === headline && feed.problems.length === 0;
};

describe('the charset table', () => {
  it('has at least 45 cases, of which at least 95 % are read right', () => {
    const all = [...legacy, ...unicode, ...undecidable];
    expect(all.length).toBeGreaterThanOrEqual(45);
    expect(all.filter(isRead).length / all.length).toBeGreaterThanOrEqual(0.95);
  });

  it('has no wrong case but those that nothing decides', () => {
    const wrong = [...legacy, ...unicode, ...undecidable].filter((one) => !isRead(one));
    expect(wrong.map(({ name }) => name)).toEqual(undecidable.map(({ name }) => name));
  });
});
