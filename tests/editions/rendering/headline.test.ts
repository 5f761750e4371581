import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { subjectProblems } from '../../../scripts/subject-problems.ts';
import {
  correctionSubject,
  editionPreheader,
  editionSubject,
  roundupHeadline,
} from '../../../src/editions/rendering/headline.ts';
import { displayWidth } from '../../../src/editions/rendering/wrap-text.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { graphemeCount, shorten } from '../../../src/lib/text/shorten.ts';
import { runs } from '../../support/run-scope.ts';

const ENGLISH = localeOf('en', {});
const ARABIC = localeOf('ar', { ar: { 'subject.two': '{kicker}: {first}، {second}' } });
const CHINESE = localeOf('zh-Hans', {
  'zh-Hans': { 'subject.two': '{kicker}：{first}；{second}', 'subject.correction': '更正：{subject}' },
});
const item = (headline: string, shortHeadline: string | null = null) => ({ headline, shortHeadline });

describe('roundupHeadline', () => {
  it('joins two items of any length by a comma, without shortening them', () => {
    const long = 'Nio nearly doubles in thirty days and passes General Motors in market value';
    expect(roundupHeadline(ENGLISH, [item(long), item('Guangdong power supply tightens in the heat')])).toBe(
      `${long}, Guangdong power supply tightens in the heat`,
    );
  });

  it('prefers the short headlines', () => {
    expect(roundupHeadline(ENGLISH, [item('A very long headline', 'Short'), item('Other')])).toBe('Short, Other');
  });

  it('removes a full stop before the comma', () => {
    expect(roundupHeadline(ENGLISH, [item('Cars sell.'), item('三星发布新品。')])).toBe('Cars sell, 三星发布新品');
  });

  it('isolates right-to-left items, and removes characters that change the direction of the line', () => {
    expect(roundupHeadline(ENGLISH, [item('שלום'), item('x\u202eevil')])).toBe('\u2068שלום\u2069, xevil');
  });
});

describe('editionSubject', () => {
  it('has the punctuation of its language', () => {
    expect(editionSubject(CHINESE, '科技', [item('三星发布新品。'), item('Nio passes GM')])).toBe(
      '科技：三星发布新品；Nio passes GM',
    );
  });

  it('isolates Latin items of a right-to-left edition, and gives an item the direction of most of its letters', () => {
    expect(editionSubject(ARABIC, 'جولة', [item('Nio passes GM'), item('Apple تطلق هاتفا')])).toBe(
      'جولة: \u2068Nio passes GM\u2069، \u2067Apple تطلق هاتفا\u2069',
    );
    expect(editionSubject(ARABIC, 'جولة', [item('أخبار'), item('هواتف')])).toBe('جولة: أخبار، هواتف');
  });

  it('is the headline with the name of the roundup if that fits', () => {
    expect(editionSubject(ENGLISH, 'Tech Roundup', [item('Nio passes GM'), item('Solar to pass wind')])).toBe(
      'Tech Roundup: Nio passes GM, Solar to pass wind',
    );
  });

  it('has a second headline only if both fit, and never cuts two', () => {
    const first = item('Nio passes GM in market value');
    const name = 'Tech Roundup: Nio passes GM in market value';
    expect(editionSubject(ENGLISH, 'Tech Roundup', [first, item('Grid strains in the heat')])).toBe(
      `${name}, Grid strains in the heat`,
    );
    expect(editionSubject(ENGLISH, 'Tech Roundup', [first, item('Grid strains in the unusual heat')])).toBe(name);
    expect(editionSubject(ENGLISH, 'Tech Roundup', [first, first])).toBe(name);
    const long = item('Smartphone shipments jump by two thirds as chip shortage looms over makers');
    expect(editionSubject(ENGLISH, 'Tech Roundup', [long, item('Grid')])).toBe(
      'Tech Roundup: Smartphone shipments jump by two thirds as chip…',
    );
    expect(editionSubject(ENGLISH, 'The Roundup of Business and Technology', [item('Grid strains')])).toBe(
      'The Roundup of Business and Technology: Grid strains',
    );
    expect(editionSubject(ENGLISH, 'The Roundup of Business and Technology', [long])).toBe(
      'Smartphone shipments jump by two thirds as chip shortage looms over…',
    );
  });

  it('counts two columns for Chinese and Japanese characters', () => {
    expect(editionSubject(ENGLISH, '科技速览', [item('三'.repeat(50)), item('星')])).toBe(
      `科技速览: ${'三'.repeat(29)}…`,
    );
  });

  /** Written for this test: how newsrooms write quotes, amounts and long words. */
  const HEADLINES: Record<string, string[]> = {
    en: [
      'Harbour board calls the new ferry tariff ‘a tax on islanders’ and promises to fight it in court',
      'Regulator fines three grid operators a record $740 million over the blackout of last winter',
      'Workers’ co-op buys the last cannery on the coast for 12.5 million kroner after a long strike',
      'Minister: “We will not pay for a bridge that nobody has asked for” — but the plan moves ahead',
    ],
    de: [
      'Hafenchefin nennt die neue Gebühr „eine Steuer auf Inselbewohner“ und kündigt eine Klage an',
      'Netzbetreiber zahlt nach dem Stromausfall des letzten Winters 1,25 Milliarden Euro an seine Kunden',
      'Übersicht: Stellungnahme zur Bundesdatenschutzbeauftragtenstellvertreterregelung liegt nun vor',
      'Gericht erklärt Vertrag mit »Nordlicht Fähren« für nichtig und verlangt 300 Mio. Euro zurück',
    ],
    fr: [
      'La présidente du port dénonce « un impôt sur les insulaires » et annonce une action en justice',
      'Après la panne de l’hiver dernier, le gestionnaire du réseau versera 2 300 000 euros aux clients',
      'Le ministre : « Nous ne paierons pas un pont que personne ne demande », mais le projet avance',
    ],
    es: [
      'La presidenta del puerto critica «un impuesto a los isleños» y anuncia que acudirá a los tribunales',
      'La eléctrica pagará a sus clientes 1.250 millones de euros por el apagón del pasado invierno',
    ],
    'zh-Hans': [
      '港务局称新渡轮收费是“对岛民征税”，表示将向法院提起诉讼并公布全部合同文件',
      '电网运营商因去年冬季大停电向用户赔偿12.5亿元，监管部门称处罚金额创下纪录',
      '《海岸渔业法》修订草案公布，明年起近海捕捞总量将减少三成并设立五个保护区',
    ],
    ja: [
      '港湾局、新しいフェリー料金は「島民への課税」だとして提訴へ、県は説明会を開く方針',
      '送電会社、昨冬の大停電で利用者に1250億円を補償、規制当局は過去最大の処分と発表',
    ],
    ar: [
      'رئيسة الميناء تصف رسوم العبارات الجديدة بأنها «ضريبة على سكان الجزر» وتعلن اللجوء إلى القضاء',
      'شركة الكهرباء تدفع لزبائنها تعويضات بقيمة 300 مليون دولار بعد انقطاع التيار في الشتاء الماضي',
    ],
  };
  const cases = Object.entries(HEADLINES).flatMap(([language, texts]) =>
    texts.map((text) => [language, text] as const),
  );

  it.each(cases)(
    'cuts a headline in %s between words, with its quotes closed and its amounts whole: %s',
    (language, text) => {
      const locale = localeOf(language, {});
      const kickers = fc.string({ unit: fc.constantFrom('T', '科', '速'), minLength: 2, maxLength: 20 });
      fc.assert(
        fc.property(kickers, (kicker) => {
          const subject = editionSubject(locale, kicker, [item(text), item(text.slice(0, 40))]);
          expect(subjectProblems(subject, text)).toEqual([]);
        }),
        { numRuns: runs(100) },
      );
    },
  );

  const anyText = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 120 }),
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .array(
        fc.constantFrom(
          '三星',
          'word',
          ' ',
          '\r\n',
          '\u2028',
          '🇨🇳',
          '👩‍👩‍👧',
          'é',
          'שלום',
          '\u202e',
          '$59.96',
          'Vec<T>',
          ',',
          '.',
        ),
      )
      .map((parts) => parts.join('')),
  );
  const story = fc.record({ headline: anyText, shortHeadline: fc.option(anyText) });

  it('never has more than 70 columns, a line break, or a text direction that extends beyond an item', () => {
    fc.assert(
      fc.property(anyText, fc.array(story, { minLength: 1, maxLength: 2 }), (kicker, stories) => {
        const subject = editionSubject(ENGLISH, kicker, stories);
        expect(displayWidth(subject)).toBeLessThanOrEqual(70);
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
        expect(subject.isWellFormed()).toBe(true);
        expect(subject.split(/[\u2066-\u2068]/).length).toBe(subject.split('\u2069').length);
        expect(roundupHeadline(ENGLISH, stories)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e]/u);
      }),
      { numRuns: 500 },
    );
  });
});

describe('correctionSubject', () => {
  it('says that it is a correction, once, in the language of the edition', () => {
    expect(correctionSubject(ENGLISH, 'Nio passes GM')).toBe('Correction: Nio passes GM');
    expect(correctionSubject(ENGLISH, 'CORRECTION to our figures')).toBe('CORRECTION to our figures');
    expect(correctionSubject(ENGLISH, 'Corrections officers strike')).toBe('Correction: Corrections officers strike');
    expect(correctionSubject(CHINESE, '更正：数字有误')).toBe('更正：数字有误');
    expect(correctionSubject(CHINESE, '数字有误')).toBe('更正：数字有误');
    const japanese = localeOf('ja', {});
    for (const said of ['【訂正】数字', '訂正：数字', '[訂正] 数字'])
      expect(correctionSubject(japanese, said)).toBe(said);
    expect(correctionSubject(japanese, '訂正印の話')).toBe('【訂正】訂正印の話');
    expect(correctionSubject(localeOf('ko', {}), '정정 보도')).toBe('정정 보도');
  });
});

describe('shorten', () => {
  it('counts graphemes, and does not change text that fits', () => {
    const families = '👩‍👩‍👧'.repeat(10);
    expect(shorten(families, 10)).toBe(families);
    expect(shorten(families, 9)).toBe(`${'👩‍👩‍👧'.repeat(8)}…`);
  });

  it.each([
    ['Alibaba sells goods for $74.1 billion', 28, 'Alibaba sells goods for…'],
    ['Alibaba sells goods — and more of it', 24, 'Alibaba sells goods…'],
    ['Shares rise 35%, others fall back', 18, 'Shares rise 35%…'],
    ['Supercalifragilisticexpialidocious', 10, 'Supercali…'],
    ['阿里巴巴，双十一销售额', 5, '阿里巴巴…'],
    ['阿里巴巴“双十一”销售额', 6, '阿里巴巴…'],
    ['Vec<T> & AT&T merge', 9, 'Vec<T>…'],
    ['广东电力供应趋紧', 6, '广东电力…'],
    ['ราคาน้ำมันเพิ่มขึ้น', 10, 'ราคาน้ำมัน…'],
    ['日本の半導体輸出', 7, '日本の半導体…'],
    ['कीमतें बढ़ीं फिर से', 10, 'कीमतें बढ़ीं फिर…'],
    ['She said “we will not pay”', 18, 'She said “we…”'],
    ['Elle dit « nous ne payons pas »', 22, 'Elle dit « nous ne… »'],
    ['Er sagt „wir zahlen (noch) nicht“', 24, 'Er sagt „wir zahlen…“'],
    ["The workers' rights in 'a new deal' bill", 33, "The workers' rights in 'a new…'"],
    ['Port (the old one (1890) burns) reopens', 20, 'Port (the old one…)'],
    ['A bracket ( that never closes', 20, 'A bracket ( that…'],
    ['Grid pays 1 250 000 euros', 22, 'Grid pays…'],
    ['Grid pays €5 million to all', 25, 'Grid pays €5 million to…'],
    ['Grid pays €5 million to all', 22, 'Grid pays €5 million…'],
    ['Grid pays €5 million to all', 18, 'Grid pays…'],
    ['Grid pays CHF 5000', 16, 'Grid pays…'],
    ['电网赔偿12.5亿元给用户', 9, '电网赔偿…'],
    ['Win in 2020: the medals', 14, 'Win in 2020…'],
    ['Exit from the Union? | Talk to us all', 25, 'Exit from the Union?…'],
  ])('cuts %j to %i as %j', (text, limit, expected) => {
    expect(shorten(text, limit)).toBe(expected);
  });

  it('returns the text, or its beginning with an ellipsis, within the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 80 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
        const short = shorten(text, limit);
        expect(graphemeCount(short)).toBeLessThanOrEqual(limit);
        if (short !== text) {
          expect(graphemeCount(text)).toBeGreaterThan(limit);
          expect(short).toMatch(/…[\p{Pe}\p{Pf}\p{Pi}\s"'＂]{0,8}$/u);
          expect(text.startsWith(short.slice(0, short.lastIndexOf('…')))).toBe(true);
        }
      }),
    );
  });
});

describe('editionPreheader', () => {
  it('is the first text that is not blank, on one line', () => {
    expect(editionPreheader([null, ' \n', 'The dek\r\nof the lead.', 'Other'])).toBe('The dek of the lead.');
  });

  it('is no bare address, and has no addresses of links', () => {
    const bare = ['https://example.com/a', '• www.example.com', 'mailto:ada@example.com', 'ada@example.com'];
    expect(editionPreheader([...bare, 'Up a fifth (https://example.com/b_(c)), they say.'])).toBe(
      'Up a fifth, they say.',
    );
  });

  it('has at limit 140 graphemes', () => {
    expect(graphemeCount(editionPreheader(['word '.repeat(60)]))).toBeLessThanOrEqual(140);
  });
});
