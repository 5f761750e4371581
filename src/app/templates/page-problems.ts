/** Requests pages that a newsroom's own templates are used for, so that an update that breaks them is found at once. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { articlePageUrl } from '../../articles/article.ts';
import { findPublicArticles } from '../../articles/queries.ts';
import type { Config, Selection } from '../../core/config/config.ts';
import { type Finding, firstLine, problem } from '../../core/finding.ts';
import type { Store } from '../../core/store/store.ts';
import { openTemplates } from '../../lib/templates.ts';
import { createApp } from '../routes/app.ts';

/** Nothing without own templates of pages, or if there is one that cannot be parsed, which is found elsewhere. */
export async function checkPages(config: Config, store: Store, now: number): Promise<Finding[]> {
  const { publication, sections, paths: folders } = config;
  if (!existsSync(join(folders.templates, 'pages'))) return [];
  const templates = openTemplates(folders.templates, publication.zone, config.ownMessages);
  if (templates.problems().length > 0) return [];
  const site = publication.url.replace(/\/+$/, '');
  const select: Selection = { kinds: ['brief', 'analysis', 'feature'] };
  const articles = await findPublicArticles(store.db, { select, now, limit: 1 });
  const pages = ['/', '/archive', '/newsletters', '/search', `/sections/${sections[0]?.id}`].map((path) => site + path);
  let url = site;
  const findings: Finding[] = [];
  const ignore = (): void => {};
  const error = (details: { error?: unknown }): void => {
    const reason = firstLine(String(details.error));
    findings.push(problem(`templates: ${url} cannot be shown with your own templates of pages: ${reason}`));
  };
  const log = { debug: ignore, info: ignore, warn: ignore, error };
  const app = createApp({ store, config, templates, secrets: ['of no link'], clock: () => now, log });
  for (url of [...pages, ...articles.map((article) => articlePageUrl(article, site))]) await app.request(url);
  return findings;
}
