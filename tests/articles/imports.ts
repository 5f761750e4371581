/** Imports into a small newsroom: its configuration, temporary folders, and a fixed clock. */
import { type ImportFormat, textFile } from '../../src/articles/import/files/import-files.ts';
import { type ArticleImportOptions, importFiles } from '../../src/articles/import/import.ts';
import type { ArticleImportResult } from '../../src/articles/import/result.ts';
import { type Config, parseConfig } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { NOW } from '../support/clock.ts';

/** @param choices the publication's URL and media folder */
export function configWith(choices: { url?: string; media?: string } = {}): Config {
  const { url = 'https://news.example', media } = choices;
  return parseConfig(
    `
publication:
  name: The Test Wire
  about: It reports tests.
  url: ${url}
  tagAuthority: example.com,2026
  language: en
  zone: Asia/Shanghai
  contact: { name: Newsroom, email: newsroom@example.com }
  postalAddress: 1 Test Road
sections:
  - { id: business-tech, title: Business & Tech }
  - { id: world, title: World }
${media === undefined ? '' : `paths: { media: ${JSON.stringify(media)} }`}
feeds: [{ id: latest, title: Latest }]
`,
    { file: 'test.yaml', env: {}, cwd: '/' },
  );
}

/** Imports a text, as if it were a file of that name. */
export function importText(
  store: Store,
  config: Config,
  { source, text, format }: { source: string; text: string; format: ImportFormat },
  options: ArticleImportOptions,
): Promise<ArticleImportResult> {
  return importFiles(store, config, [textFile(source, text, format)], options);
}

/** Imports Markdown as the file `<name>`, at `now`. */
export async function importMarkdown(
  store: Store,
  text: string,
  options: { name?: string; now?: number; config?: Config } = {},
): Promise<ArticleImportResult> {
  const { name = 'story.md', now = NOW, config = configWith() } = options;
  return importText(store, config, { source: name, text, format: 'markdown' }, { clock: () => now, undated: 'now' });
}

/** Imports objects as JSON Lines, at `now`. */
export async function importJson(
  store: Store,
  articles: object[],
  options: { name?: string; now?: number; config?: Config } = {},
): Promise<ArticleImportResult> {
  const { name = 'wire.jsonl', now = NOW, config = configWith() } = options;
  const text = articles.map((article) => JSON.stringify(article)).join('\n');
  return importText(store, config, { source: name, text, format: 'jsonl' }, { clock: () => now, undated: 'now' });
}

/** The messages of a report. */
export function messagesOf(report: ArticleImportResult): { problems: string[]; warnings: string[] } {
  return {
    problems: report.rejected.flatMap((entry) => entry.problems),
    warnings: report.warnings.flatMap((entry) => entry.problems),
  };
}
