import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { mendNestedLine, mendYaml } from '../../../../src/articles/import/front-matter/mend-yaml.ts';
import { parseMarkdown } from '../../../../src/articles/import/parse.ts';
import { processorTime } from '../../../support/processor-time.ts';

/** What is read of front matter, with what is written about it. */
function read(frontMatter: string): { fields?: Record<string, unknown>; warnings?: string[]; problem?: string } {
  const record = parseMarkdown(`---\n${frontMatter}\n---\nThe text.\n`);
  if (record.kind === 'broken') return { problem: `${record.line}: ${record.rule}` };
  return { fields: record.fields, warnings: record.warnings.map(({ line, text }) => `${line}: ${text}`) };
}

const COLON = 'put a text with a colon in quotation marks';
const QUOTE = 'put the whole text in quotation marks, of the other kind if it has some itself';

describe('front matter in YAML', () => {
  it.each([
    ['title: Budget: What Changes', 'Budget: What Changes', COLON],
    ['title: What Changes:', 'What Changes:', COLON],
    ['title: Budget: What Changes # a comment', 'Budget: What Changes', COLON],
    ['title: “Budget: What Changes”', 'Budget: What Changes', `${COLON} of this form: "`],
    ['title: "Green" Hydrogen Is Not', '"Green" Hydrogen Is Not', QUOTE],
    ['title: "She Said "No" Today"', 'She Said "No" Today', QUOTE],
    ['title: "Yes" and "No"', '"Yes" and "No"', QUOTE],
    ["title: 'It's Here'", "It's Here", QUOTE],
    ['title: @mayor Resigns', '@mayor Resigns', 'put a text that begins with @ in quotation marks'],
    ['title: % of Voters', '% of Voters', 'put a text that begins with % in quotation marks'],
    ['title: *Breaking* News', '*Breaking* News', 'put a text that begins with * in quotation marks'],
    ['title: &amp; More', '&amp; More', 'put a text that begins with & in quotation marks'],
    ['title: !Attention', '!Attention', 'put a text that begins with ! in quotation marks'],
    ['title: [Video] The Roof', '[Video] The Roof', 'put a text that begins with [ in quotation marks'],
    ['title: > 50 Die', '> 50 Die', 'put a text that begins with > in quotation marks'],
    ['title: - Minus', '- Minus', 'put a text that begins with - in quotation marks'],
    ['title: #metoo Returns', '#metoo Returns', 'put a text that begins with # in quotation marks'],
    ['title: "The Roof', 'The Roof', 'its quotation mark is not closed'],
    ['title: "The Roof\\"', 'The Roof\\"', 'its quotation mark is not closed'],
    ["title: 'Tis the Season", "'Tis the Season", 'its quotation mark is not closed'],
    ['title: "50\\% Off"', '50\\% Off', "put a text with a backslash in single quotation marks: '"],
  ])('is read as it was meant: %s', (line, text, rule) => {
    expect(read(`${line}\ndek: D`)).toEqual({
      fields: { title: text, dek: 'D' },
      warnings: [`2: title was read as ${JSON.stringify(text)}: ${rule}`],
    });
  });

  it('is mended within lists and maps', () => {
    expect(read('bylines:\n  - name: Ann: Lee\n    role: reporter')).toEqual({
      fields: { bylines: [{ name: 'Ann: Lee', role: 'reporter' }] },
      warnings: [`3: name was read as "Ann: Lee": ${COLON}`],
    });
    expect(read('tags:\n  - solar\n  - @home\n  - "Green" Tech')).toEqual({
      fields: { tags: ['solar', '@home', '"Green" Tech'] },
      warnings: [
        '4: an entry was read as "@home": put a text that begins with @ in quotation marks',
        `5: an entry was read as "\\"Green\\" Tech": ${QUOTE}`,
      ],
    });
  });

  it('may lack a space after a colon, and have tabs', () => {
    expect(read('title:The Roof\ntags:\n\t- a\n\t- b')).toEqual({
      fields: { title: 'The Roof', tags: ['a', 'b'] },
      warnings: ['2: write a space after the colon: title: The Roof', '4: begins with a tab: write spaces instead'],
    });
    expect(read('\ttitle: The Roof\n\tdek: D').fields).toEqual({ title: 'The Roof', dek: 'D' });
    expect(read('title:\u00a0The Roof\ndek：D').fields).toEqual({ title: 'The Roof', dek: 'D' });
  });

  it('warns of a comment that may be none', () => {
    expect(read('title: The #1 Reason\nslug: a # the first\ntags: [a] #b')).toEqual({
      fields: { title: 'The', slug: 'a', tags: ['a'] },
      warnings: ['2: title: what follows " #" counts as a comment and is left out: put the text in quotation marks'],
    });
  });

  it.each([
    ['title: A\ndek: B\ntitle: C', '4: title is written a second time: it is in line 2 too; keep one'],
    [
      'title: A\nThe text begins',
      '3: is no key with a value: write a key, a colon, a space and the value, as in headline: A Headline ' +
        '(YAML: Implicit map keys need to be followed by map values)',
    ],
    [
      'title = A\ndek = B',
      '2: has = where YAML has a colon, as in headline: A Headline; for keys with = the fences are lines "+++"',
    ],
    ['- title\n- dek', '2: the front matter must be keys and values, as in headline: A Headline'],
    [
      'title: A\n\nThe text begins here.\nAnd: goes on.',
      '2: the front matter has no end: write a line "---" after line 2, before the text',
    ],
    ['tags: [a, b\ntitle: A', expect.stringMatching(/^3: is not indented like the lines .* bracket .* \(YAML: Flow /)],
  ])('is refused with a sentence: %j', (frontMatter, problem) => {
    expect(read(frontMatter)).toEqual({ problem });
  });

  it('may have a byte order mark, empty lines before it, and longer fences', () => {
    expect(parseMarkdown('\ufeff\n----\ntitle: A\n----\nText.')).toMatchObject({
      fields: { title: 'A' },
      body: 'Text.',
    });
    expect(parseMarkdown('title: A\n---\nText.')).toMatchObject({ kind: 'broken', line: 1 });
    expect(parseMarkdown('———\ntitle: A\n———\n')).toMatchObject({
      rule: expect.stringMatching(/^must begin with front matter: .*; these are not three hyphens$/),
    });
    expect(parseMarkdown('---\ntitle: A\n\nText.')).toMatchObject({
      rule: 'the front matter is not closed: end it with a line "---", after line 2',
    });
  });

  it('that is valid is never changed', () => {
    // Without &, * and !, which may be valid, and lose a word of the text.
    const text = fc.string({ unit: fc.constantFrom(...'ab :#\'"[]{}|>-?%@`,\n\t\\“é'.split('')), maxLength: 30 });
    const key = fc.constantFrom('title', 'dek', 'tags', 'other');
    const value = fc.oneof(text, fc.array(text, { maxLength: 3 }), fc.dictionary(key, text, { maxKeys: 3 }));
    const style = fc.constantFrom('BLOCK_FOLDED', 'BLOCK_LITERAL', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'PLAIN');
    const written = fc.tuple(fc.dictionary(key, value, { maxKeys: 4 }), style, fc.boolean());
    const made = written.map(([fields, defaultStringType, isFlow]) =>
      stringify(fields, { schema: 'failsafe', defaultStringType, collectionStyle: isFlow ? 'flow' : 'block' }),
    );
    const typed = fc.dictionary(key, text, { maxKeys: 4 }).map((fields) =>
      Object.entries(fields)
        .map(([name, line]) => `${name}: ${line}`)
        .join('\n'),
    );
    let valid = 0;
    fc.assert(
      fc.property(fc.oneof(made, typed), (frontMatter) => {
        const document = parseDocument(`\n${frontMatter}`, { schema: 'failsafe' });
        const fields: unknown = document.toJS();
        // Fences, maps as keys, and quotation marks that only this parser takes.
        if (document.errors.length > 0 || /^-{3}|^\.{3}|[}\]]\s*:|'''/m.test(frontMatter)) return;
        // This parser also lets an escaped quotation mark close a text, if it is the last character.
        if (/(?<!\\)(?:\\\\)*\\"\s*$/m.test(frontMatter)) return;
        if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return;
        // A comment that was meant as a hashtag.
        if (/^(?:title|dek):\s+#[\p{L}\p{N}]/mu.test(frontMatter)) return;
        valid += 1;
        const { warnings = [], ...result } = read(frontMatter);
        expect(warnings.filter((one) => !one.includes('counts as a comment'))).toEqual([]);
        expect(result).toEqual({ fields });
      }),
      { numRuns: 300 },
    );
    expect(valid).toBeGreaterThan(50);
  });

  it('is read without an error, whatever it is, and in linear time', () => {
    const part = fc.constantFrom(
      'title',
      ':',
      ': ',
      ' ',
      '\n',
      '\t',
      '"',
      "'",
      '- ',
      '[',
      ']',
      '{',
      '#',
      '&a',
      '*a',
      '!',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 60 }), (parts) => {
        expect(() => read(parts.join(''))).not.toThrow();
      }),
    );
    for (const long of [':', ': ', '"', "'", ' ', '- ', 'a: ', '&a ', '#', ' #', '\t', '“', '{', '[', '%', '\\']) {
      const line = `title: ${long.repeat(64_000 / long.length)}x`;
      const time = processorTime(() => {
        mendYaml(['', line, line, 'dek: D']);
        mendNestedLine(`  - ${line}`, 1);
        mendNestedLine(`${long.repeat(64_000 / long.length)}x`, 1);
      });
      expect(time, long).toBeLessThan(1_000);
    }
    const time = processorTime(() => {
      expect(read(`title: ${': '.repeat(32_000)}`).warnings).toHaveLength(1);
    });
    expect(time).toBeLessThan(1_000);
  });
});

describe('front matter in TOML', () => {
  const toml = (text: string) => parseMarkdown(`+++\n${text}\n+++\nThe text.\n`);

  it('is read with its dates and numbers as text', () => {
    const record = toml(
      'title = "Budget: What Changes"\ndate = 2026-11-24T07:30:00+08:00\nlastmod = 2026-11-25\nweight = 3\n' +
        'draft = false\ntags = ["a", "b"]\n\n[cover]\nimage = "/a.jpg"',
    );
    expect(record).toMatchObject({
      fields: {
        title: 'Budget: What Changes',
        date: '2026-11-24T07:30:00.000+08:00',
        lastmod: '2026-11-25',
        ...{ weight: '3', draft: 'false', tags: ['a', 'b'], cover: { image: '/a.jpg' } },
      },
      body: 'The text.',
    });
    if (record.kind === 'parsed') expect([record.lineOf(['date']), record.lineOf(['cover', 'image'])]).toEqual([3, 9]);
  });

  it.each([
    ['title = A Roof', /^put the text in quotation marks, as in title = "A Title" \(TOML: /],
    ['title = “A Roof”', /^typographic quotation marks do not count: write " instead \(TOML: /],
    ['title: "A Roof"', /^has a colon where TOML has =, .*lines "---" \(TOML: /],
    ['title', /^cannot be read: write a key, =, and a text/],
  ])('is refused with a sentence: %s', (line, rule) => {
    expect(toml(`slug = "a"\n${line}`)).toEqual({ kind: 'broken', line: 3, rule: expect.stringMatching(rule) });
  });

  it('is read without an error, whatever it is', () => {
    expect(toml(`a = ${'['.repeat(60_000)}`).kind).toBe('broken');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=[]{}"\'\n.#:1-'.split('')) }), (text) => {
        expect(() => toml(text)).not.toThrow();
      }),
    );
  });
});
