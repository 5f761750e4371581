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

const LONG = 'x'.repeat(600);

const DATE_RULE =
  'must be a date that exists, like 2026-11-24 07:30 (local time, Asia/Shanghai) or 2026-11-24T07:30:00+08:00';
const URL_RULE = 'must be an http or https URL without user and password, or a path below the publication';
const KINDS = 'must be one of brief, analysis, feature, roundup-item, roundup';
const MEDIA_RULE = 'must be given for a file that is not in the media folder';

describe('a problem in a Markdown file', () => {
  it.each([
    ['body: x', 'story.md:3: body: the text belongs below the front matter'],
    ['id: a b', 'story.md:3: id is "a b": must be letters, digits and . _ ~ -, at most 128, a letter or digit first'],
    [
      'id: a\nslug: A--b',
      'story.md:4: slug is "A--b": must be lower-case letters and digits, joined by single hyphens',
    ],
    ['kicker: "Exclusive:"', 'story.md:3: kicker is "Exclusive:": must not end in a colon: daywire adds one'],
    [`dek: [a]`, 'story.md:3: dek is a list: must be text'],
    [`shortHeadline: ${LONG}`, `story.md:3: shortHeadline is "${LONG.slice(0, 79)}…": must be at most 200 characters`],
    ['published: yesterday', `story.md:3: published is "yesterday": ${DATE_RULE}`],
    ['tags:\n  - a\n  - ""', 'story.md:5: tags[1] is "": must be given'],
    ['bylines:\n  - name: A\n    role: author', 'story.md:5: bylines[0].role is "author": must be reporter or editor'],
    ['bylines:\n  - email: a@example.com', 'story.md:4: bylines[0].name is missing: must be given'],
    ['bylines: [{ name: A, email: nobody }]', 'story.md:3: bylines[0].email is "nobody": must be an email address'],
    [
      'related: [{ url: "javascript:alert(1)", title: A }]',
      `story.md:3: related[0].url is "javascript:alert(1)": ${URL_RULE}`,
    ],
    [
      'outlet: { name: A, url: "https://u:p@example.com" }',
      `story.md:3: outlet.url is "https://u:p@example.com": ${URL_RULE}`,
    ],
    [
      `also: [${Array.from({ length: 21 }, (_, n) => `Outlet ${n}`).join(', ')}]`,
      'story.md:3: also is a list: must have at most 20 entries',
    ],
    ['language: en_US!', 'story.md:3: language is "en_US!": must be a BCP 47 language tag such as en or zh-Hans'],
    ['state: scheduled', 'story.md:1: embargo is missing: a scheduled article requires one'],
    [
      'embargo: 2026-11-25 07:00',
      'story.md:3: embargo is "2026-11-25 07:00": only a scheduled article may have one: add "state: scheduled"',
    ],
    ['note: N', 'story.md:3: note is "N": only a corrected or retracted article may have one'],
    ['noteAt: 2026-11-24 07:00', 'story.md:3: noteAt is "2026-11-24 07:00": requires a note'],
    [
      'image: { url: https://e.example/a.png, type: image/png, length: -1 }',
      'story.md:3: image.length is "-1": must be a whole number',
    ],
    [
      'image: { url: https://e.example/a.pdf, type: application/pdf, length: 1 }',
      'story.md:3: image.type is "application/pdf": must be an image, not application/pdf',
    ],
    [
      'enclosures:\n  - url: https://e.example/a.mp3\n    type: mp3',
      'story.md:5: enclosures[0].type is "mp3": must be a MIME type such as image/jpeg',
    ],
    [
      'enclosures: [{ url: https://e.example/a.mp3, type: audio/mpeg, length: 1, duration: 1:75 }]',
      'story.md:3: enclosures[0].duration is "1:75": must be in seconds, or such as 1:02:03',
    ],
  ])('names line, key, value and rule: %s', async (keys, problem) => {
    expect(await problemsOf(keys)).toEqual([problem]);
  });

  it('is reported together with all others', async () => {
    expect(
      await problemsOf(
        'kind: news\nstate: corrected\nsection: x\nenclosures: [{ url: https://e.example/a.mp3 }]',
        '<script>alert(1)</script>',
      ),
    ).toEqual([
      `story.md:3: kind is "news": ${KINDS}`,
      'story.md:5: section is "x": must be one of the sections: business-tech, world',
      'story.md:1: note is missing: a corrected article requires a note',
      'story.md:9: body is "<script>alert(1)</script>": is empty after sanitising',
      `story.md:6: enclosures[0].type is missing: ${MEDIA_RULE}`,
      `story.md:6: enclosures[0].length is missing: ${MEDIA_RULE}`,
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
      `{"id":"a","headline":"H","tags":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      /^wire\.jsonl:2: tags\[0\] is a list: must be text$/,
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
    expect(messagesOf(report).problems).toEqual([
      'wire.jsonl:2: id is "a": article "a" is already at wire.jsonl:1',
      'wire.jsonl:3: slug is "taken": it belongs to article "old"; choose another for "b"',
      'wire.jsonl:5: slug is "mine": it belongs to article "c"; choose another for "d"',
    ]);
    expect(report).toMatchObject({ added: 2, rejectedCount: 3 });
  });
});

describe('an article with many problems', () => {
  it('lists twenty of them, in front matter as in JSON Lines', async () => {
    const bylines = Array.from({ length: 30 }, () => ({ name: '', email: 'nobody' }));
    await using store = await disposable();
    const report = await importJson(store, [{ id: 'a', headline: 'H', bylines }]);
    const inMarkdown = await problemsOf(`bylines:\n${'  - { name: "", email: nobody }\n'.repeat(30)}`);
    for (const [problems, more] of [
      [report.rejected[0]?.problems, 'wire.jsonl: and 40 more'],
      [inMarkdown, 'story.md: and 40 more'],
    ] as const) {
      expect(problems).toHaveLength(21);
      expect(problems?.at(-1)).toBe(more);
    }
    expect(inMarkdown[19]).toBe('story.md:13: bylines[9].email is "nobody": must be an email address');
  });

  it('is rejected for front matter of more than 64 KiB', async () => {
    const keys = Array.from({ length: 50_000 }, (_, index) => `k${index}:`).join('\n');
    expect(await problemsOf(keys)).toEqual(['story.md:1: the front matter is 388911 bytes long; the limit is 65536']);
  });
});

describe('a text without a visible character', () => {
  it.each([
    ['headline', { headline: '\u200b\u2060' }],
    ['kicker', { kicker: '\u3164' }],
    ['tags[1]', { tags: ['a', '\u200d\ufe0f'] }],
    ['also[1].name', { also: ['Reuters', { name: '\u200b', url: '/x' }] }],
    ['note', { state: 'corrected', note: '\u200b' }],
  ])('is rejected as %s', async (key, fields) => {
    await using store = await disposable();
    const { problems } = messagesOf(await importJson(store, [{ id: 'a', headline: 'H', ...fields }]));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`wire.jsonl:1: ${key} is `);
    expect(problems[0]).toContain('must have a visible character');
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
    ['image: { url: "http://192.168.1.1/a.png" }', 'x', 'story.md:3: removed image: 192.168.1.1 is a private address'],
    [
      'related: [{ url: "https://cms.internal/a", title: A }]',
      'x',
      'story.md:3: removed related[0]: cms.internal is a private address',
    ],
    [
      'also: [Reuters, { url: "https://cms.internal/a", name: A }]',
      'x',
      'story.md:3: removed also[1].url: cms.internal is a private address',
    ],
    ['cover: ftp://e.example/a.png', 'x', `story.md:3: cover is left out: ${URL_RULE}`],
    [
      'cover: { src: https://e.example/a.png, width: 100% }',
      'x',
      'story.md:3: cover is left out: must be a whole number',
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
