import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseInThread } from '../../../src/articles/import/parse-in-thread.ts';
import { importChangedFiles } from '../../../src/articles/import/watched/watched-folders.ts';
import { markdown } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { configWith } from '../imports.ts';

/** The parser of Markdown takes seconds: its time grows with the square of the length. */
const SLOW = '!['.repeat(1_000_000);

const file = (text: string) => {
  const path = join(temporaryFolder(), 'articles.jsonl');
  writeFileSync(path, text);
  return path;
};
const lines = (articles: object[]) => articles.map((article) => `${JSON.stringify(article)}\n`).join('');
const usual = (id: string) => ({ id, headline: 'H', published: '2026-11-02 08:00', body: 'A *usual* body.' });

describe('parsing in a thread', () => {
  it('rejects the article of a batch that takes too long, and no other', async () => {
    const { publication, sections } = configWith();
    const texts = ['x', SLOW.slice(0, 999_000), 'y'].map((body, index) => ({
      name: `${index}.md`,
      format: 'markdown' as const,
      line: null,
      text: markdown('headline: H', body),
      defaultId: `${index}`,
    }));
    const limits = { batch: 200, article: 1_000 };
    const results = await parseInThread(
      { publication, sections, paths: {}, sources: [], keys: {} },
      texts,
      undefined,
      limits,
    );
    expect(results).toMatchObject([
      { kind: 'valid', candidate: { id: '0', bodyHtml: '<p>x</p>' } },
      { kind: 'invalid', id: null, problems: ['1.md:1: cannot be parsed: took longer than 1 s'] },
      { kind: 'valid', candidate: { id: '2' } },
    ]);
  });
});

describe('an import', () => {
  forEachDatabase((open) => {
    it('ends at once when it is stopped, and the next one continues with what is left', async () => {
      const store = await open();
      const first = Array.from({ length: 100 }, (_, index) => usual(`a${index}`));
      const path = file(lines([...first, { id: 'slow', headline: 'H', body: SLOW.slice(0, 999_000) }]));
      const stopping = new AbortController();
      const report = await importChangedFiles(store, configWith(), [path], {
        clock: () => NOW,
        signal: stopping.signal,
        onProgress: () => stopping.abort(),
      });
      expect(report).toMatchObject({ added: 100, rejectedCount: 0 });

      writeFileSync(path, lines([...first, usual('last')]));
      const next = await importChangedFiles(store, configWith(), [path], { clock: () => NOW, undated: 'now' });
      expect(next).toMatchObject({ added: 1, unchanged: 100 });
    });
  });
});
