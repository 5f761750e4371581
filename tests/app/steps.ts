/** Steps that several tests of the sample take. */
import { textFile } from '../../src/articles/import/files/import-files.ts';
import { importFiles } from '../../src/articles/import/import.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import { composeNow } from '../../src/delivery/closing/close.ts';
import { HOUR, SECOND } from '../../src/lib/time.ts';
import { articleFile } from '../support/articles.ts';
import type { TestApp } from '../support/test-app.ts';

/** Closes an edition of the sample's newsletter. @returns its slot, and whether this call closed it */
export async function closeEdition(app: AppContext, label?: string): Promise<[slot: string, fresh: boolean]> {
  const [newsletter] = app.config.newsletters;
  if (newsletter === undefined) throw new Error('the sample has a newsletter');
  const outcome = await composeNow(app, newsletter, label);
  if (outcome.kind !== 'closed') throw new Error(outcome.reason);
  return [outcome.edition.slot, outcome.isNew];
}

/** Imports an article an hour later. */
export async function addArticle(app: TestApp, id: string): Promise<void> {
  app.now += HOUR;
  await importMarkdown(app, articleFile(id));
  app.now += SECOND;
}

/** Imports one article from Markdown: a new one, or an edit of the file that brought it. */
export async function importMarkdown(app: TestApp, text: string): Promise<void> {
  const { store, config, clock } = app;
  const [, id = ''] = /^id: (.+)$/m.exec(text) ?? [];
  const stored = await store.db.selectFrom('articles').select('origin').where('id', '=', id).executeTakeFirst();
  const file = textFile('in.md', text, 'markdown');
  const files = [{ ...file, origin: stored?.origin ?? file.origin }];
  const { rejected } = await importFiles(store, config, files, { clock, undated: 'now' });
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
}
