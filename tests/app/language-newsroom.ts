/** A newsroom in a language, as `daywire init` writes it, with a closed edition, feeds, and a subscriber. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_ANSWERS, init } from '../../src/app/init.ts';
import type { Article } from '../../src/articles/article.ts';
import { textFile } from '../../src/articles/import/files/import-files.ts';
import { importFiles } from '../../src/articles/import/import.ts';
import { unsubscribeToken } from '../../src/audience/tokens.ts';
import { type Config, loadConfig, type NewsletterConfig } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { composeNow } from '../../src/delivery/closing/close.ts';
import { publishFeeds } from '../../src/feeds/publish/publish-feeds.ts';
import { openTemplates, type Templates } from '../../src/lib/templates.ts';
import { HOUR } from '../../src/lib/time.ts';
import { addConfirmed } from '../audience/fixtures.ts';
import { saveAsPublished } from '../support/articles.ts';
import { openMigrated } from '../support/databases.ts';
import { allArticles, SECRETS } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openTestApp } from '../support/test-app.ts';
import { NOW, openTestSite, preferencesPath, type TestSite } from './test-site.ts';

export interface LanguageNewsroom {
  store: Store;
  config: Config;
  newsletter: NewsletterConfig;
  templates: Templates;
  site: TestSite;
  /** Paths of public pages. */
  pages: Record<'front' | 'article' | 'newsletters' | 'preferences' | 'unsubscribe', string>;
}

/** @param language BCP 47 */
export async function openLanguageNewsroom(language: string): Promise<LanguageNewsroom> {
  const folder = temporaryFolder();
  await init(folder, { ...DEFAULT_ANSWERS, name: 'Meridian', zone: 'Asia/Shanghai', language }, NOW - HOUR);
  const loaded = loadConfig(join(folder, 'config/daywire.yaml'), { DAYWIRE_SECRET: 's'.repeat(40) }, folder);
  const newsletters = loaded.newsletters.slice(0, 1).map((one) => ({
    ...{ ...one, minimumStories: 1, show: { contents: true, readingTime: true, thumbnails: false } },
  }));
  const config = { ...loaded, newsletters, feeds: loaded.feeds.slice(0, 2) };
  const [newsletter] = newsletters as [(typeof newsletters)[number]];

  const store = await openMigrated();
  const example = await readFile(join(folder, 'articles/example.md'), 'utf8');
  const file = textFile('articles/example.md', example.replace('state: draft\n', ''), 'markdown');
  await importFiles(store, config, [file], { clock: () => NOW });
  const [story] = (await allArticles(store)) as [Article];
  const other = (id: string, change: Partial<Article>): Article => {
    return { ...story, id, slug: id, tagUri: `tag:example.com,2026:articles/${id}`, ...change };
  };
  const person = { role: 'reporter', name: 'Mei Tan', email: 'mei@example.com' } as const;
  await saveAsPublished(store, [
    other('analysis', {
      kind: 'analysis',
      bylines: [...story.bylines, person, { ...person, role: 'editor', name: 'Cy Ma', email: 'cy@example.com' }],
      related: [{ title: story.headline, url: 'https://example.com/earlier' }],
      status: { state: 'corrected', note: story.dek ?? '', at: NOW - HOUR },
    }),
    other('report', {
      kind: 'roundup-item',
      outlet: { name: 'Harbour Post', url: 'https://example.com/report', publishedAt: NOW - 30 * HOUR },
      also: [{ name: 'The Daily Circuit', url: 'https://example.com/also' }],
    }),
  ]);
  await addConfirmed(store, 'ada@example.com', [newsletter.id], NOW);
  const templates = openTemplates(config.paths.templates, config.publication.zone, config.ownMessages);
  const app = Object.assign(openTestApp(store, { folder }), { config, templates, now: NOW });
  const { kind } = await composeNow(app, newsletter);
  if (kind !== 'closed') throw new Error(`the edition is ${kind}`);
  await publishFeeds(store, config, templates, { now: NOW });
  const site = openTestSite(store, config, { templates });
  const pages = {
    front: '/',
    article: '/articles/analysis',
    newsletters: '/newsletters',
    preferences: preferencesPath(1),
    unsubscribe: `/unsubscribe/${unsubscribeToken(SECRETS, { subscriberId: 1, newsletter: newsletter.id })}`,
  };
  return { store, config, newsletter, templates, site, pages };
}
