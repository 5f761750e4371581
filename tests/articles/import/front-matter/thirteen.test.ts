/** Thirteen articles with the usual mistakes, as files of a newsroom: what becomes of each, and what it is told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Article } from '../../../../src/articles/article.ts';
import { findArticle } from '../../../../src/articles/queries.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { NOW } from '../../../support/clock.ts';
import { openMigrated } from '../../../support/databases.ts';
import { importMarkdown, messagesOf } from '../../imports.ts';

let store: Store;
beforeAll(async () => {
  store = await openMigrated();
});
afterAll(() => store.close());

/** What the import says of a file, and the article that it stores. */
async function importFile(name: string, text: string): Promise<{ said: string[]; article: Article | null }> {
  const report = await importMarkdown(store, text, { name: `${name}.md` });
  const { problems, warnings } = messagesOf(report);
  expect(report.added + report.rejectedCount).toBe(1);
  return { said: [...problems, ...warnings], article: await findArticle(store.db, name) };
}

const instant = (text: string): number => new Date(text).getTime();

describe('an article with a usual mistake is read as it was meant', () => {
  it('1: keys of another program, and an unquoted colon', async () => {
    const { said, article } = await importFile(
      'budget',
      '---\ntitle: Budget: What Changes for You\ndate: 2026-11-24\nauthor: Ann Lee\ncategories: [World]\n---\nText.\n',
    );
    expect(article).toMatchObject({
      headline: 'Budget: What Changes for You',
      publishedAt: NOW,
      bylines: [{ name: 'Ann Lee', role: 'reporter' }],
      section: 'world',
    });
    expect(said).toEqual([
      'budget.md:2: title was read as "Budget: What Changes for You": put a text with a colon in quotation marks',
    ]);
  });

  it('2: a draft, with a date of words, and tags in one text', async () => {
    const { said, article } = await importFile(
      'roof',
      '---\nTitle: The Roof\nDate: November 23, 2026 9:30 am\nDraft: true\nTags: solar, energy\n---\nText.\n',
    );
    expect(article).toMatchObject({
      publishedAt: instant('2026-11-23T09:30+08:00'),
      status: { state: 'draft' },
      tags: ['solar', 'energy'],
    });
    expect(said).toEqual([]);
  });

  it('3: tabs, and no space after a colon', async () => {
    const { said, article } = await importFile(
      'tabs',
      '---\ntitle:The Roof\ntags:\n\t- solar\n\t- energy\n---\nText.\n',
    );
    expect(article).toMatchObject({ headline: 'The Roof', tags: ['solar', 'energy'] });
    expect(said).toEqual([
      'tabs.md:2: write a space after the colon: title: The Roof',
      'tabs.md:4: begins with a tab: write spaces instead',
    ]);
  });

  it('4: quotation marks in the middle, and one that is not closed', async () => {
    const { said, article } = await importFile(
      'quotes',
      '---\ntitle: "Green" Hydrogen Is Not\nsummary: "A study says so.\n---\nText.\n',
    );
    expect(article).toMatchObject({ headline: '"Green" Hydrogen Is Not', dek: 'A study says so.' });
    expect(said).toEqual([
      'quotes.md:2: title was read as "\\"Green\\" Hydrogen Is Not": put the whole text in quotation marks, of the ' +
        'other kind if it has some itself',
      'quotes.md:3: summary was read as "A study says so.": its quotation mark is not closed',
    ]);
  });

  it('5: a sign at the beginning, and two names for the headline', async () => {
    const { said, article } = await importFile(
      'mayor',
      '---\ntitle: Mayor\nheadline: @mayor Resigns\nsource: Reuters\n---\nText.\n',
    );
    expect(article).toMatchObject({ headline: '@mayor Resigns', outlet: { name: 'Reuters', url: null } });
    expect(said).toEqual([
      'mayor.md:3: headline was read as "@mayor Resigns": put a text that begins with @ in quotation marks',
      'mayor.md:2: title is left out: headline is used',
    ]);
  });

  it('6: TOML, with a shortcode', async () => {
    const { said, article } = await importFile(
      'hugo',
      '+++\ntitle = "The Roof"\ndate = 2026-11-24T07:30:00+08:00\n+++\nText.\n\n{{< youtube dQw4w9WgXcQ >}}\n',
    );
    expect(article).toMatchObject({ headline: 'The Roof', publishedAt: instant('2026-11-24T07:30+08:00') });
    expect(article?.bodyHtml).toContain('<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Video on YouTube</a>');
    expect(said).toEqual(['hugo.md:7: in the body, the shortcode {{< youtube >}} became a link']);
  });

  it('7: unknown keys, a byte order mark, and typographic quotation marks', async () => {
    const { said, article } = await importFile(
      'mood',
      '\ufeff---\nlayout: post\nheadlin: The Roof\ntitle: The Roof\nmood: grim\nsection: “World”\n---\nText.\n',
    );
    expect(article).toMatchObject({ headline: 'The Roof', section: 'world' });
    expect(said).toEqual([
      'mood.md:3: the key headlin is unknown and left out: did you mean headline?',
      'mood.md:5: the key mood is unknown and left out',
    ]);
  });
});

describe('an article whose mistake can mean two things is rejected with a sentence', () => {
  it.each([
    [
      '8: a date that can be two days',
      '---\ntitle: A\ndate: 11/12/2026\n---\nText.\n',
      'bad.md:3: date is "11/12/2026": can be 2026-11-12 or 2026-12-11: write the one that is meant, with the year first',
    ],
    [
      '9: a forgotten date',
      '---\ntitle: A\npublished: ""\n---\nText.\n',
      'bad.md:3: published is "": write the date, such as 2026-11-24 07:30, or remove the line: then it is the time ' +
        'of the import',
    ],
    [
      '10: the name of a language',
      '---\ntitle: A\nlanguage: English\n---\nText.\n',
      'bad.md:3: language is "English": must be a BCP 47 language tag such as en or zh-Hans: did you mean en?',
    ],
    [
      '11: a second headline',
      '---\ntitle: A\ndek: B\ntitle: C\n---\nText.\n',
      'bad.md:4: title is written a second time: it is in line 2 too; keep one',
    ],
    [
      '12: front matter without an end',
      '---\ntitle: A\ndate: 2026-11-24\n\nThe text begins here.\n',
      'bad.md:1: the front matter is not closed: end it with a line "---", after line 3',
    ],
    [
      '13: a line without a colon',
      '---\ntitle: A\nThe roof over the car park\n---\nText.\n',
      'bad.md:3: is no key with a value: write a key, a colon, a space and the value, as in headline: A Headline ' +
        '(YAML: Implicit map keys need to be followed by map values)',
    ],
  ])('%s', async (_, text, sentence) => {
    const { said, article } = await importFile('bad', text);
    expect(article).toBeNull();
    expect(said).toEqual([sentence]);
  });
});
