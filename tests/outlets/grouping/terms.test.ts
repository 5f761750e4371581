import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanSummaries } from '../../../src/outlets/grouping/boilerplate.ts';
import { titleLanguage } from '../../../src/outlets/grouping/language.ts';
import { isDigest, isSecondary } from '../../../src/outlets/grouping/report-form.ts';
import { summaryTerms, titleTerms } from '../../../src/outlets/grouping/terms.ts';
import { processorTime } from '../../support/processor-time.ts';

describe('the terms of a title', () => {
  it('are stems of its words, and its numbers, without stop words and possessive endings', () => {
    const terms = titleTerms("Northwind's banks were acquiring 2 rivals for $13.8 billion", 'en');
    expect([...terms]).toEqual(['northwind', 'bank', 'acquir', '2', 'rival', '13.8', 'billion']);
  });

  it('are stems of the language', () => {
    expect([...titleTerms('Häuser und Banken', 'de')]).toEqual([...titleTerms('Haus, Bank', 'de')]);
    expect([...titleTerms('Les banques', 'fr')]).toEqual([...titleTerms('La banque', 'fr')]);
  });

  it('are whole words in a language without stemmer', () => {
    expect([...titleTerms('Nordavind kaupir banka', 'is')]).toEqual(['nordavind', 'kaupir', 'banka']);
  });

  it('are words and pairs of characters in Chinese', () => {
    const terms = titleTerms('星河科技收购远图软件', 'zh');
    for (const term of ['收购', '软件', '远图', '星河']) expect(terms).toContain(term);
  });

  it('are runs of katakana, words and pairs of ideographs in Japanese, without particles', () => {
    const terms = titleTerms('ミナト電機が家電事業を売却', 'ja');
    for (const term of ['ミナト', '電機', '家電', '売却']) expect(terms).toContain(term);
    for (const particle of ['が', 'を']) expect(terms).not.toContain(particle);
  });

  it('are the same in full-width letters', () => {
    expect([...titleTerms('ＥＶ電池', 'ja')]).toEqual([...titleTerms('EV電池', 'ja')]);
  });

  it('are few, and found in linear time, however long a text is', () => {
    const words = Array.from({ length: 200_000 }, (_, index) => `word${index}`).join(' ');
    const repeated = ['a', '収', '\ufdfa', 'live ', 'what ', 'A, ', '| 1 may ', 'a@', '. ', '/video'];
    for (const text of [words, ...repeated.map((part) => part.repeat(1_000_000))]) {
      const time = processorTime(() => {
        for (const language of ['en', 'zh', 'und']) {
          expect(titleTerms(text, language).size).toBeLessThanOrEqual(60);
          expect(summaryTerms(text, language).size).toBeLessThanOrEqual(60);
        }
        titleLanguage(text, 'en');
        isDigest(text, text);
        isSecondary({ title: text, url: `https://${text}` });
        cleanSummaries([{ outlet: 'Orlen Post', summary: text }]);
      });
      expect(time).toBeLessThan(2_000);
    }
  });
});

describe('the language of a title', () => {
  it('is what its feed says', () => {
    expect(titleLanguage('Northwind buys Contoso', 'en-GB')).toBe('en');
    expect(titleLanguage('Northwind kauft Contoso', 'de')).toBe('de');
  });

  it('is told by its script where the feed is wrong', () => {
    expect(titleLanguage('星河科技收购远图软件', 'en')).toBe('zh');
    expect(titleLanguage('ミナト電機、EV電池を量産', 'en-US')).toBe('ja');
    expect(titleLanguage('Northwind buys Contoso', 'zh')).toBe('und');
  });

  it('is Japanese for ideographs alone only if the feed is', () => {
    expect(titleLanguage('日銀利上決定', 'ja')).toBe('ja');
    expect(titleLanguage('日銀利上決定', null)).toBe('zh');
  });

  it('is unknown without a tag that can be read', () => {
    for (const tag of [null, '', '__proto__', 'English', '1']) expect(titleLanguage('Northwind', tag)).toBe('und');
  });
});

describe('a digest', () => {
  it.each([
    '10 things you need to know this morning',
    'Five stories to read before the opening bell',
    'Morning links: Northwind, Contoso and more',
    'The Morning Briefing: Northwind, Contoso and more',
    'Northwind, Contoso, Orlen: Your Friday Briefing',
    'Market wrap: Northwind rises; Contoso falls',
    'Business in brief',
    'Storm wrap for 20 September: Orlen reopens its bridge',
    'The Papers: Orlen bridge reopens and Northwind "to be sold"',
    'Live: Northwind presents its new phone',
    'Orlen flood updates LIVE: Bridge closed as river rises; mayor to speak',
    'Bridge Closes in Orlen as River Rises: Live Updates',
    'Northwind keynote: as it happened',
    'Liveticker: Northwind stellt neues Telefon vor',
    'En direct : crue à Orlen',
    'The Orlen Report | June 10, 2026 Full Episode',
    'Orlen Tonight | Channel 9 (16 July 2026)',
    'TV Orlen - May 5, 2026',
    'TV for Wednesday, June 3',
    'Pick of the cartoons, June 11, 2026',
    'Market close: Northwind falls, Contoso rises',
    'Orlen v Contoso live: Lind scores',
    'ASX set to fall as oil slides',
    'Wall Street edges higher to start the week',
    'Asian stocks close lower; Northwind bucks trend',
    'Orlen bridge collapse: Here’s what we know',
    'Town budget: What you need to know',
    'What happened in Orlen on 3 May',
    'What happened today',
    'The Orlen border row, explained',
    'Can I cross the bridge? And other questions',
    'Orlen morning quiz: July 21',
    'Your Daily Horoscope for Friday, May 22',
    "What's on TV: Friday, August 7",
    'In pictures: Snow in Orlen',
    'Photos of the week',
    "Contoso United want Lind - Thursday's gossip",
    'How many cases are there in your area?',
    '今日要闻：星河科技收购远图软件',
    '图文直播：星河科技发布会',
    '今日のニュースまとめ',
  ])('is told by its title: %s', (title) => {
    expect(isDigest(title, null)).toBe(true);
  });

  it.each([
    'And what else you need to know today.',
    'Five things you need to know about the flood this Monday evening.',
    'A verdict in Orlen, and a vote: this is your morning tip sheet.',
    'Follow our rolling coverage.',
    'Orlen Daily podcast | June 10, 2026 Get more episodes',
  ])('is told by its summary: %s', (summary) => {
    expect(isDigest('A big day in Orlen', summary)).toBe(true);
  });

  it.each([
    'BRIEF: Northwind to hire 1,000 people',
    '10 people hurt in fire at Contoso plant',
    'Contoso wraps up sale of its headlines business',
    'Live music venue Orlen Hall closes',
    'Live: Mayor of Orlen holds news conference on flood',
    'Watch live: Electors vote in Orlen',
    'Mayor addresses the nation (28 May 2026)',
    'The way we live: Orlen asks its young',
    'Schools in Orlen to reopen on June 1',
    'Stocks plunge 12 percent as Northwind fails',
    'Contoso shares fall after profit warning',
    'Wall Street Journal to open office in Orlen',
    'Northwind vote set for Monday, July 21',
    'Lind denies gossip',
    'Reporter laughs during live update',
    'Contoso wins rights to live football coverage',
    'Witness filmed bridge collapse as it happened',
    'Detectives quiz man over Orlen bridge fire',
    'Mayor says she does not know what happened to the bridge',
    'Social media links Northwind to Contoso',
    '三部门回应星河科技收购案',
  ])('is not a report of one event: %s', (title) => {
    expect(isDigest(title, 'The mayor said on Monday that it was the first time in ten years.')).toBe(false);
  });
});

describe('a secondary report', () => {
  it.each([
    'VIDEO: Flood sweeps through Orlen',
    'Watch live: Electors vote in Orlen',
    'Live: Mayor of Orlen holds news conference on flood',
    'Flood sweeps through Orlen | Video',
    'Photos: Snow in Orlen',
    'Opinion | Orlen deserves a better bridge',
    'Opinion: Orlen deserves a better bridge',
    'Column: Orlen deserves a better bridge',
    'The Bridge podcast: Who pays?',
  ])('is told by its title: %s', (title) => {
    expect(isSecondary({ title, url: 'https://news.example.com/orlen/bridge' })).toBe(true);
  });

  it.each([
    'https://www.youtube.com/watch?v=orlen',
    'https://news.example.com/videos/bridge',
    'https://news.example.com/2026/06/10/opinion/bridge.html',
    'https://news.example.com/news/live/bridge',
    'https://news.example.com/live-updates/bridge',
    'https://news.example.com/commentisfree/2026/bridge',
  ])('is told by its address: %s', (url) => {
    expect(isSecondary({ title: 'Orlen bridge reopens', url })).toBe(true);
  });

  it.each([
    ['Analysis: Why the Orlen bridge failed', 'https://news.example.com/analysis/bridge'],
    ['Video shows bridge collapse in Orlen', 'https://news.example.com/video-games/bridge'],
    ['Live music venue Orlen Hall closes', 'https://news.example.com/livestock?from=/video/'],
    ['Court issues opinion on Orlen bridge', 'https://youtube.com.example.com/opinions-differ'],
    ['Orlen bridge reopens', null],
  ])('is not %s of %s', (title, url) => {
    expect(isSecondary({ title, url })).toBe(false);
  });
});

describe('a cleaned summary', () => {
  const cleaned = (summary: string | null) => cleanSummaries([{ outlet: 'Orlen Post', summary }])[0];

  it.each([
    ['June 11, 2026 5:00 AM The bridge reopened.', 'The bridge reopened.'],
    ['ORLEN, June 10 (Northwind Press) - The bridge reopened.', 'The bridge reopened.'],
    ['December 15, 2026 12:01 AM ORLEN - The bridge reopened.', 'The bridge reopened.'],
    ['OPINION: The bridge reopened.', 'The bridge reopened.'],
    ['By Jane Roe of Northwind Press\nThe bridge reopened.', 'The bridge reopened.'],
    ['The bridge reopened. #Orlen @orlenpost desk@example.com It is safe.', 'The bridge reopened. It is safe.'],
    ['The bridge reopened. Subscribe to our channel: https://example.com Our team is great.', 'The bridge reopened.'],
    ['Subscribe to us: https://example.com The bridge reopened.', 'The bridge reopened.'],
    ['The bridge reopened. More here: www.example.com/bridge', 'The bridge reopened.'],
    ['The bridge reopened. Continue reading', 'The bridge reopened.'],
  ])('has neither dateline, byline, link nor call to the reader: %s', (summary, expected) => {
    expect(cleaned(summary)).toBe(expected);
  });

  it.each([
    'The bridge - in use since 1952 - reopened.',
    'U.S. engineers said: it is safe. Mr. Lind agreed.',
    'By the way, the bridge reopened for more than 200 cars.',
    'For more than a year the bridge was shut.',
  ])('keeps what tells of the event: %s', (summary) => {
    expect(cleaned(summary)).toBe(summary);
  });

  it('has no sentence that the outlet repeats in three items, whatever the number or the language in it', () => {
    const items = ['Lind wins.', 'Roe leaves.', 'Orlen floods.'].map((event, index) => ({
      outlet: 'Orlen Post',
      summary: `${event} Nyheter fra Orlen, alle dager klokken ${index}. Mer om dette i kveld!`,
    }));
    expect(cleanSummaries(items)).toEqual(['Lind wins.', 'Roe leaves.', 'Orlen floods.']);
    expect(cleanSummaries(items.slice(1))).toEqual(items.slice(1).map(({ summary }) => summary));
    // Sentences that begin alike are not repeated.
    const alike = ['the bridge is shut.', 'a man is safe.', 'trains run again.'].map((end) => {
      return { outlet: 'Orlen Post', summary: `Police in Orlen said on Friday ${end}` };
    });
    expect(cleanSummaries(alike)).toEqual(alike.map(({ summary }) => summary));
    const others = items.map((item, index) => ({ ...item, outlet: `Outlet ${index}` }));
    expect(cleanSummaries(others)).toEqual(items.map(({ summary }) => summary));
  });

  it('is null where nothing is left', () => {
    expect(cleaned(null)).toBeNull();
    expect(cleaned('Subscribe to our channel! https://example.com')).toBeNull();
  });

  it('is at most 300 characters for each item, whatever the texts', () => {
    const item = fc.record({
      outlet: fc.string(),
      summary: fc.option(fc.string({ unit: 'binary', maxLength: 500 })),
    });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 5 }), (items) => {
        const summaries = cleanSummaries(items);
        expect(summaries).toHaveLength(items.length);
        for (const summary of summaries) expect((summary ?? 'none').length).toBeLessThanOrEqual(300);
      }),
      { numRuns: 100 },
    );
  });
});
