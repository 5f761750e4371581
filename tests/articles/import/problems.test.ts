import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import { countRejections } from '../../../src/articles/rejections.ts';
import { markdown } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';
import { configWith, importJson, importMarkdown, importText, messagesOf } from '../imports.ts';

/** The problems of a file with a valid headline, an id and these front matter keys. */
async function problemsOf(keys: string, body?: string): Promise<string[]> {
  await using store = await disposable();
  return messagesOf(await importMarkdown(store, markdown(headed(keys), body))).problems;
}

function headed(keys: string): string {
  return `headline: H\n${keys}${keys.startsWith('id:') ? '' : '\nid: story'}`;
}

async function disposable() {
  const store = await openMigrated();
  return { ...store, [Symbol.asyncDispose]: () => store.close() };
}

const DATE_RULE =
  'must be a date that exists, like 2026-11-24 07:30 (local time, Asia/Shanghai) or 2026-11-24T07:30:00+08:00';

describe('a problem in a Markdown file', () => {
  it.each([
    ['body: x', 'story.md:3: body: the text belongs below the front matter'],
    ['headline: [a]', 'story.md:3: headline is a list: must be text'],
    ['published: yesterday', `story.md:3: published is "yesterday": ${DATE_RULE}`],
    ['id: a b', 'story.md:3: id is "a b": must be letters, digits and . _ ~ -, at most 128, a letter or digit first'],
    ['state: scheduled', 'story.md:1: embargo is missing: a scheduled article requires one'],
    [
      'embargo: 2026-11-25 07:00',
      'story.md:3: embargo is "2026-11-25 07:00": only a scheduled article may have one: add "state: scheduled"',
    ],
    ['note: N', 'story.md:3: note is "N": only a corrected or retracted article may have one'],
  ])('names line, key, value and rule: %s', async (keys, problem) => {
    expect(await problemsOf(keys)).toEqual([problem]);
  });

  it('is reported together with all others', async () => {
    const keys = 'state: corrected\npublished: soon\nsection: x';
    expect(await problemsOf(keys, '<script>alert(1)</script>')).toEqual([
      `story.md:4: published is "soon": ${DATE_RULE}`,
      'story.md:1: note is missing: a corrected article requires a note',
      'story.md:8: body is "<script>alert(1)</script>": is empty after sanitising',
    ]);
  });

  it.each([
    ['', 'story.md:1: is empty: write a line "---", the keys, a line "---", and the text'],
    ['---\n---\nx', 'story.md:1: headline is missing: must be given'],
    [
      '---\nheadline: a\ndek: "b\n  c\n---\nx',
      'story.md:4: a quotation mark is not closed here, or in a line before (YAML: Missing closing "quote)',
    ],
    [
      `---\nheadline: a\ntags: ${'['.repeat(10_000)}\n---\n`,
      'story.md:3: is nested too deeply (YAML: Maximum call stack size exceeded)',
    ],
    [
      [
        '---\nheadline: a\nx: &x [a,a,a,a,a,a,a,a,a,a]\ny: &y [*x,*x,*x,*x,*x,*x,*x,*x,*x,*x]',
        'z: &z [*y,*y,*y,*y,*y,*y,*y,*y,*y,*y]\nw: [*z,*z,*z,*z,*z,*z]\n---\n',
      ].join('\n'),
      'story.md:1: the front matter is not usable YAML: Excessive alias count indicates a resource exhaustion attack',
    ],
  ])('names the line if the file cannot be parsed: %.60s', async (text, problem) => {
    await using store = await disposable();
    expect(messagesOf(await importMarkdown(store, text)).problems).toEqual([problem]);
    expect(await countRejections(store.db)).toBe(1);
  });
});

it('accepts a file name that is no id, and a slug that is none of ours, of an article without an id', async () => {
  await using store = await disposable();
  const text = markdown('id:\nheadline: H\nslug: My_Roof');
  expect(await importMarkdown(store, text, { name: 'Ein Bär.md' })).toMatchObject({ added: 1, warningCount: 0 });
  expect(await findArticle(store.db, 'Ein~20B~C3~A4r')).toMatchObject({ slug: 'my-roof' });
});

describe('a problem in a line of JSON', () => {
  it.each([
    ['{"id":"a","headline":', /^wire\.jsonl:2: is not JSON: /],
    ['[]', /^wire\.jsonl:2: must be one JSON object$/],
    ['null', /^wire\.jsonl:2: must be one JSON object$/],
    ['{"headline":"H"}', /^wire\.jsonl:2: id is missing: must be given$/],
    ['{"id":"a"}', /^wire\.jsonl:2: headline is missing: must be given$/],
    ['{"id":"a","headline":7}', /^wire\.jsonl:2: headline is 7: must be text$/],
    ['{"id":"a","headline":"H","body":{}}', /^wire\.jsonl:2: body is a map: must be text$/],
    [
      `{"id":"a","headline":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      /^wire\.jsonl:2: headline is a list: must be text$/,
    ],
    ['{"id":"a","headline":"\\u0000\\u0001"}', /^wire\.jsonl:2: headline is "": must be given$/],
  ])('names the line: %.60s', async (line, problem) => {
    await using store = await disposable();
    const text = `{"id":"good","headline":"H"}\n${line}\n`;
    const report = await importText(
      store,
      configWith(),
      { source: 'wire.jsonl', text, format: 'jsonl' },
      { clock: () => NOW, undated: 'now' },
    );
    expect(report).toMatchObject({ added: 1, rejectedCount: 1 });
    expect(report.rejected[0]).toMatchObject({
      source: 'wire.jsonl',
      line: 2,
      problems: [expect.stringMatching(problem)],
    });
  });

  it('names both articles if they have the same id or slug', async () => {
    await using store = await disposable();
    await importJson(store, [{ id: 'old', slug: 'taken', headline: 'H' }]);
    const report = await importJson(store, [
      { id: 'a', headline: 'A' },
      { id: 'a', headline: 'B' },
      { id: 'b', slug: 'taken', headline: 'C' },
      { id: 'c', slug: 'mine', headline: 'D' },
      { id: 'd', slug: 'mine', headline: 'E' },
    ]);
    expect(messagesOf(report)).toEqual({
      problems: ['wire.jsonl:2: id is "a": article "a" is already at wire.jsonl:1'],
      warnings: [
        'wire.jsonl:3: slug "taken" belongs to article "old": "taken-b" is used',
        'wire.jsonl:5: slug "mine" belongs to article "c": "mine-d" is used',
      ],
    });
    expect(report).toMatchObject({ added: 4, rejectedCount: 1 });
  });
});

describe('an article with many problems', () => {
  it('lists twenty of what was left out, in front matter as in JSON Lines', async () => {
    const bylines = Array.from({ length: 30 }, () => ({ name: 'A', email: 'nobody' }));
    await using store = await disposable();
    const reports = [
      await importJson(store, [{ id: 'a', headline: 'H', bylines }]),
      await importMarkdown(store, markdown(headed(`bylines:\n${'  - { name: A, email: nobody }\n'.repeat(30)}`))),
    ];
    for (const [index, name] of ['wire.jsonl', 'story.md'].entries()) {
      const { warnings = [] } = messagesOf(reports[index] as (typeof reports)[0]);
      expect(warnings).toHaveLength(21);
      expect(warnings.at(-1)).toBe(`${name}: and 10 more`);
    }
  });

  it('is rejected for front matter of more than 64 KiB', async () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}:`).join('\n');
    expect(await problemsOf(keys)).toEqual(['story.md:1: the front matter is 388911 bytes long; the limit is 65536']);
  });
});

describe('a text without a visible character', () => {
  it.each([
    ['headline', { headline: '\u200b\u2060' }, 'rejectedCount'],
    ['note', { state: 'corrected', note: '\u200b' }, 'rejectedCount'],
    ['kicker', { kicker: '\u3164' }, 'added'],
    ['tags[1]', { tags: ['a', '\u200d\ufe0f'] }, 'added'],
    ['also[1].name', { also: ['Reuters', { name: '\u200b', url: '/x' }] }, 'added'],
  ])('is rejected, or left out: %s', async (key, fields, count) => {
    await using store = await disposable();
    const report = await importJson(store, [{ id: 'a', headline: 'H', ...fields }]);
    const { problems, warnings } = messagesOf(report);
    expect(report).toMatchObject({ [count]: 1 });
    const [message] = [...problems, ...warnings];
    expect(message).toContain(`wire.jsonl:1: ${key} `);
    expect(message).toContain('must have a visible character');
  });
});

describe('a warning', () => {
  it.each([
    [
      'kind: roundup-item',
      'x',
      'story.md:1: outlet is missing: a roundup item credits the publication that first reported it',
    ],
    ['kind: brief', 'x\n<script>y</script>', 'story.md:6: removed from the body: <script>'],
    [
      'also: [Reuters, { url: "https://cms.internal/a", name: A }]',
      'x',
      'story.md:3: also[1].url "https://cms.internal/a" is left out: leads to cms.internal, a private address, which readers cannot open',
    ],
    ['updated: soon', 'x', `story.md:3: updated "soon" is left out: ${DATE_RULE}`],
    [
      'cover: { src: https://e.example/a.png, width: 100% }',
      'x',
      'story.md:3: cover.width "100%" is left out: must be a whole number',
    ],
    ['kind: brief', '[x](http://[::1]/)', 'story.md:6: removed from the body: a link at the private address [::1]'],
  ])('does not prevent the import: %s', async (keys, body, warning) => {
    await using store = await disposable();
    const report = await importMarkdown(store, markdown(headed(keys), body));
    expect(report).toMatchObject({ added: 1, warningCount: 1 });
    expect(messagesOf(report)).toEqual({ problems: [], warnings: [warning] });
  });

  it('is listed twenty times at most, of what was removed from one body', async () => {
    await using store = await disposable();
    const links = Array.from({ length: 1_000 }, (_, index) => `[${index}](http://10.0.0.${index % 200}/)`);
    const report = await importMarkdown(store, markdown('headline: H', links.join(' ')));
    expect(report).toMatchObject({ added: 1, warningCount: 1 });
    expect(messagesOf(report).warnings).toHaveLength(21);
    expect(messagesOf(report).warnings.at(-1)).toBe('story.md: and 180 more');
  });
});
