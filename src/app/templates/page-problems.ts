/** Requests pages that a newsroom's own templates are used for, so that an update that breaks them is found at once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { articlePageUrl } from '../../articles/article.ts';
import { findPublicArticles } from '../../articles/queries.ts';
import type { Config, Selection } from '../../core/config/config.ts';
import { type Finding, firstLine, problem } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';
import type { Log } from '../../lib/log.ts';
import { openTemplates } from '../../lib/templates.ts';
import { createApp } from '../routes/app.ts';

/** Their pages are those of articles, not of editions. */
const STORIES: Selection = { kinds: ['brief', 'analysis', 'feature'] };

/** Nothing without own templates of pages, or if there is one that cannot be parsed, which is found elsewhere. */
export async function checkPages(config: Config, store: Store, now: number): Promise<Finding[]> {
  const { publication, sections, paths: folders } = config;
  if (!existsSync(join(folders.templates, 'pages'))) return [];
  const templates = openTemplates(folders.templates, publication.zone, config.ownMessages);
  if (templates.problems().length > 0) return [];
  const site = publication.url.replace(/\/+$/, '');
  const articles = await findPublicArticles(store.db, { select: STORIES, now, limit: 1 });
  const findings: Finding[] = [];
  let url = site;
  const ignore = (): void => {};
  const log: Log = {
    ...{ debug: ignore, info: ignore, warn: ignore },
    error: (details) => {
      const reason = 'error' in details ? firstLine(String(details.error)) : '';
      findings.push(problem(`templates: ${url} cannot be shown with your own templates of pages: ${reason}`));
    },
  };
  const app = createApp({ store, config, templates, secrets: ['of no link'], clock: () => now, log });
  const paths = [
    '/',
    '/archive',
    '/newsletters',
    '/search',
    ...sections.slice(0, 1).map(({ id }) => `/sections/${id}`),
  ];
  for (url of [...paths.map((path) => site + path), ...articles.map((article) => articlePageUrl(article, site))]) {
    await app.request(url);
  }
  return findings;
}
