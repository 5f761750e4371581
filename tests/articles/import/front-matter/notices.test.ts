import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../../src/articles/queries.ts';
import { NOW } from '../../../support/clock.ts';
import { openMigrated } from '../../../support/databases.ts';
import { configWith, importJson, importMarkdown, importText, messagesOf } from '../../imports.ts';

describe('an import', () => {
  it('reports an unknown key once, with its number and three places, and lists what means nothing here', async () => {
    const store = await openMigrated();
    const articles = ['a', 'b', 'c'].map((id) => ({
      id,
      title: id,
      mood: 'grim',
      layout: 'post',
      bylines: [{ phone: 1 }],
    }));
    const report = await importJson(store, [...articles, { id: 'd', title: 'D', headlin: 'D' }]);
    expect(messagesOf(report).warnings).toEqual([
      ...[1, 2, 3].map((line) => `wire.jsonl:${line}: bylines[0] is left out: name must be given`),
      '3 × the key mood is unknown and left out (import.keys can say what it means) (wire.jsonl:1, wire.jsonl:2, wire.jsonl:3)',
      '3 × the key bylines.phone is unknown and left out (import.keys can say what it means) (wire.jsonl:1, wire.jsonl:2, wire.jsonl:3)',
      'wire.jsonl:4: the key headlin is unknown and left out: did you mean headline?',
    ]);
    expect(report).toMatchObject({ added: 4, rejectedCount: 0, warningCount: 6, ignoredKeys: ['layout'] });
  });

  it('reports characters that turn the text after them around', async () => {
    const report = await importJson(await openMigrated(), [
      { id: 'a', title: '\u202egnp.exe' },
      { id: 'b', title: 'B' },
    ]);
    expect(messagesOf(report).warnings).toEqual([
      'wire.jsonl:1: left out: characters that turn the text after them around (U+202A to U+2069)',
    ]);
  });

  it('reports categories that became tags in one line, whatever their names are', async () => {
    const store = await openMigrated();
    const report = await importJson(store, [
      { id: 'a', title: 'A', categories: ['Roofs', 'Panels'] },
      { id: 'b', title: 'B', categories: ['Cars'] },
    ]);
    expect(messagesOf(report).warnings).toEqual([
      '3 × categories "…" is not a section, and became a tag (wire.jsonl:1, wire.jsonl:2)',
    ]);
  });

  it('takes the names of keys from the configuration, and refuses a date that is forgotten or left blank', async () => {
    const store = await openMigrated();
    const config = configWith();
    const rules = { ...config, import: { ...config.import, keys: { standing: 'kicker', mood: 'ignore' } as const } };
    const text = '---\nTitle: Roof\nstanding: Exclusive\nmood: grim\nsource: Reuters\n---\nWords.\n';
    expect(messagesOf(await importMarkdown(store, text, { config: rules }))).toEqual({ problems: [], warnings: [] });
    expect(await findArticle(store.db, 'story')).toMatchObject({
      headline: 'Roof',
      kicker: 'Exclusive',
      outlet: { name: 'Reuters', url: null },
    });
    for (const line of ['', 'date:\n']) {
      const input = { source: 'new.md', text: `---\ntitle: Roof\n${line}---\nWords.\n`, format: 'markdown' } as const;
      const forgotten = await importText(store, config, input, { clock: () => NOW });
      expect(messagesOf(forgotten).problems).toEqual([
        expect.stringMatching(/^new\.md:\d: published is missing: write the date, such as /),
      ]);
    }
    const draft = await importMarkdown(store, '---\ntitle: Roof\ndate: ""\ndraft: true\n---\nWords.\n', {
      name: 'd.md',
    });
    expect(draft).toMatchObject({ added: 1, warningCount: 0 });
  });
});
