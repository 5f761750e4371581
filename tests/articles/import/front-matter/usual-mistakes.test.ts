/** Articles with the usual mistakes, as files of a newsroom: what becomes of each, and what it is told. */
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
  it('keys of another program, and an unquoted colon', async () => {
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

  it('TOML, with a shortcode', async () => {
    const { said, article } = await importFile(
      'hugo',
      '+++\ntitle = "The Roof"\ndate = 2026-11-24T07:30:00+08:00\n+++\nText.\n\n{{< youtube dQw4w9WgXcQ >}}\n',
    );
    expect(article).toMatchObject({ headline: 'The Roof', publishedAt: instant('2026-11-24T07:30+08:00') });
    expect(article?.bodyHtml).toContain('<a href="https://www.youtube.com/watch?v=dQw4w9WgXcQ">Video on YouTube</a>');
    expect(said).toEqual(['hugo.md:7: in the body, the shortcode {{< youtube >}} became a link']);
  });
});
