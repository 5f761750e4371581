import { describe, expect, it } from 'vitest';
import { editionExtras, readingMinutes } from '../../../src/editions/rendering/edition-extras.ts';
import { sampleConfig } from '../../support/sample.ts';
import { SAMPLE_VIEW, SMALL_VIEW } from './sample-view.ts';

const config = sampleConfig();
const newsletter = config.newsletters[0]!;
const extras = (changes: object) => editionExtras(config, { ...newsletter, ...changes }, SAMPLE_VIEW);

describe('what the configuration adds to an edition', () => {
  it('is nothing by default', () => {
    expect(extras({})).toEqual({ newsTitle: '24-Hour News', hasContents: false, readingMinutes: null, sponsor: null });
  });

  it('names the news after their hours', () => {
    const titles = [1, 12, 48, 120, 144, 168, 192, 336].map((newsHours) => extras({ newsHours }).newsTitle);
    expect(titles).toEqual([
      '1-Hour News',
      '12-Hour News',
      '48-Hour News',
      '120-Hour News',
      'This Week',
      'This Week',
      'This Week',
      'The Last 14 Days',
    ]);
  });

  it("has the sponsor's host as the text of the link, and its picture from the media folder", () => {
    const image = { file: 'sponsors/a b.png', alt: 'A', width: 240 };
    const sponsor = { label: 'Sponsored', text: 'A text.', url: 'https://www.example.com/a?b=1', image };
    expect(extras({ sponsor }).sponsor).toEqual({
      label: 'Sponsored',
      text: 'A text.',
      url: 'https://www.example.com/a?b=1',
      host: 'example.com',
      image: { url: `${config.publication.url}/media/sponsors/a%20b.png`, alt: 'A', width: 240 },
    });
    expect(extras({ sponsor: { ...sponsor, image: undefined } }).sponsor?.image).toBeNull();
  });
});

describe('the reading time', () => {
  const minutes = (text: string): number =>
    readingMinutes({ ...SMALL_VIEW, latest: [], note: [{ html: text, text: 'not this: https://example.com/' }] });

  it('is at least a minute, and counts 238 words of English', () => {
    expect(minutes('')).toBe(1);
    expect(minutes("It's ".repeat(238 * 4))).toBe(4);
    expect(minutes('<a href="https://example.com/one/two/three">one</a> '.repeat(238 * 3))).toBe(3);
  });

  it('counts the characters of Chinese and Japanese, and the words of Korean', () => {
    expect(minutes('广东电力供应'.repeat(255))).toBe(6);
    expect(minutes(`${'한국어 '.repeat(238)}${'ひらがな '.repeat(357)}`)).toBe(5);
  });

  it('counts words of Arabic, Hebrew and Thai at their speed, where they have no spaces by dictionary', () => {
    expect(minutes('أخبار '.repeat(138 * 3))).toBe(3);
    expect(minutes('חדשות '.repeat(187 * 3))).toBe(3);
    expect(minutes('ราคาน้ำมัน'.repeat(238))).toBe(2);
  });

  it('counts what every block shows', () => {
    const nothing = { ...SMALL_VIEW, latest: [] };
    for (const block of ['news', 'analysis', 'roundup', 'latest', 'corrections'] as const) {
      const many = Array.from({ length: 100 }, () => SAMPLE_VIEW[block][0]!);
      expect(readingMinutes({ ...nothing, [block]: many }), block).toBeGreaterThan(2);
    }
    const paragraphs = Array.from({ length: 20 }, () => SAMPLE_VIEW.lead!.paragraphs[0]!);
    expect(readingMinutes({ ...nothing, lead: { ...SAMPLE_VIEW.lead!, paragraphs } })).toBeGreaterThan(2);
  });
});
