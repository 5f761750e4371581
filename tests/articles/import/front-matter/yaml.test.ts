import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { mendYaml } from '../../../../src/articles/import/front-matter/mend-yaml.ts';
import { parseMarkdown } from '../../../../src/articles/import/parse.ts';
import { processorTime } from '../../../support/processor-time.ts';
import { runs } from '../../../support/run-scope.ts';

/** What is read of front matter, with what is written about it. */
function read(frontMatter: string): { fields?: Record<string, unknown>; warnings?: string[]; problem?: string } {
  const record = parseMarkdown(`---\n${frontMatter}\n---\nThe text.\n`);
  if (record.kind === 'broken') return { problem: `${record.line}: ${record.rule}` };
  return { fields: record.fields, warnings: record.warnings.map(({ line, text }) => `${line}: ${text}`) };
}

const COLON = 'put a text with a colon in quotation marks';

describe('front matter in YAML', () => {
  it.each([
    ['title: Budget: What Changes', 'Budget: What Changes', COLON],
    ['title: What Changes:', 'What Changes:', COLON],
    ['title: Budget: What Changes # a comment', 'Budget: What Changes', COLON],
    ['title: “Budget: What Changes”', '“Budget: What Changes”', COLON],
    ['title: @mayor Resigns', '@mayor Resigns', 'put a text that begins with @ in quotation marks'],
    ['title: % of Voters', '% of Voters', 'put a text that begins with % in quotation marks'],
    ['title: - Minus', '- Minus', 'put a text that begins with - in quotation marks'],
  ])('is read as it was meant: %s', (line, text, rule) => {
    expect(read(`${line}\ndek: D`)).toEqual({
      fields: { title: text, dek: 'D' },
      warnings: [`2: title was read as ${JSON.stringify(text)}: ${rule}`],
    });
  });

  it.each([
    ['title: "The roof\nover the car park"', 'The roof over the car park'],
    ["title: 'It''s a roof\n  over the\ncar park' # so far", "It's a roof over the car park"],
    ['title: "She said: \\"The\n\nroof\\""', 'She said: "The\nroof"'],
    ['title: {\n"a": "b }",\nc: d\n}', { a: 'b }', c: 'd' }],
    ["title: [\na,\n'b ]', c's,\n]", ['a', 'b ]', "c's"]],
    ['title:\n- name: "Ann\nLee"\n- "Bob\nRay"', [{ name: 'Ann Lee' }, 'Bob Ray']],
  ])('may go on in lines that are not indented, as in other parsers: %j', (lines, title) => {
    expect(read(`${lines}\ndek: D`)).toEqual({ fields: { title, dek: 'D' }, warnings: [] });
  });

  it('goes on in no other key, and not where something follows the end', () => {
    expect(read('title: "The roof\ndek: D "and" D').problem).toMatch(/^2: a quotation mark is not closed/);
    expect(read('title: Budget: A\ndek: "Yes" and "no"').problem).toMatch(/^3: /);
  });

  it('may have a key twice, of which the last one counts', () => {
    expect(read('title: A\ndek: B\ntitle: C')).toEqual({
      fields: { title: 'C', dek: 'B' },
      warnings: ['2: title is left out: it is written again in line 4, which counts; keep one'],
    });
  });

  it('warns of a comment that may be none', () => {
    expect(read('title: The #1 Reason\nslug: a # the first\ntags: [a] #b')).toEqual({
      fields: { title: 'The', slug: 'a', tags: ['a'] },
      warnings: ['2: title: what follows " #" counts as a comment and is left out: put the text in quotation marks'],
    });
  });

  it.each([
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
    expect(parseMarkdown('Note: this\n---\nText.')).toMatchObject({ kind: 'broken', line: 1 });
    expect(parseMarkdown('———\ntitle: A\n———\n')).toMatchObject({
      rule: expect.stringMatching(/^is no line of three hyphens/),
    });
    expect(parseMarkdown('---\ntitle: A\n\nText.')).toMatchObject({
      rule: 'the front matter is not closed: end it with a line "---", after line 2',
    });
  });

  it('may lack its first fence, as in Hexo', () => {
    const parsed = parseMarkdown('\ntitle: A\ntags:\n- b\n\ndate: 2013-01-02 10:00:00\n---\n\nText.\n\n---\n\nMore.');
    expect(parsed).toMatchObject({ fields: { title: 'A', tags: ['b'], date: '2013-01-02 10:00:00' } });
    expect(parsed).toMatchObject({ body: 'Text.\n\n---\n\nMore.' });
    expect(parsed.kind === 'parsed' && parsed.lineOf(['date'])).toBe(6);
    expect(parseMarkdown('A title: long\n---\nText.')).toMatchObject({ fields: { title: 'A title: long' } });
    expect(parseMarkdown('Title: A\nDate: 2013-01-02\n\nText.\n\n---\n\nMore.')).toMatchObject({
      fields: { Title: 'A', Date: '2013-01-02' },
      body: 'Text.\n\n---\n\nMore.',
    });
    expect(parseMarkdown('title: A\ndate: 2013-01-02\nText.')).toMatchObject({ fields: { title: 'A' }, body: 'Text.' });
  });

  it.each(['# Heading', '- one\n- two', '    code', 'Note: text\n\n- one'])(
    'without a fence ends before the text, also if a rule follows it: %s',
    (beginning) => {
      const body = `${beginning}\n\n---\n\nMore.`;
      const parsed = parseMarkdown(`Title: A\nDate: 2013-01-02\n\n${body}`);
      expect(parsed).toMatchObject({ fields: { Title: 'A', Date: '2013-01-02' }, body: body.trim() });
    },
  );

  it('may continue a value on indented lines, as in Pelican', () => {
    const parsed = parseMarkdown('Title: A\nTags: a,\n    b,\n    c: d\nDate: 2013-01-02\n\nText.');
    expect(parsed).toMatchObject({ fields: { Title: 'A', Tags: 'a, b, c: d', Date: '2013-01-02' }, body: 'Text.' });
    expect(parsed.kind === 'parsed' && parsed.lineOf(['Date'])).toBe(5);
  });

  it('that is valid is never changed', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab :#\'"[]{}|>-?%@`,\n\t\\“é&*!'.split('')), maxLength: 30 });
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
        // Fences, maps as keys, and aliases, whose missing anchors are no error until they are read.
        if (document.errors.length > 0 || /^-{3}|^\.{3}|[}\]]\s*:|\*/m.test(frontMatter)) return;
        const fields: unknown = document.toJS();
        if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return;
        valid += 1;
        const { warnings = [], ...result } = read(frontMatter);
        expect(warnings.filter((one) => !one.includes('counts as a comment'))).toEqual([]);
        expect(result).toEqual({ fields });
      }),
      { numRuns: runs(300) },
    );
    expect(valid).toBeGreaterThan(runs(50));
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

  it.each(['title = A Roof', 'title = “A Roof”', 'title: "A Roof"', 'title'])(
    'is refused with a sentence: %s',
    (line) => {
      const rule = expect.stringMatching(/^must be a key, =, and a text in quotation marks, .* \(TOML: /);
      expect(toml(`slug = "a"\n${line}`)).toEqual({ kind: 'broken', line: 3, rule });
    },
  );

  it('is read without an error, whatever it is', () => {
    expect(toml(`a = ${'['.repeat(60_000)}`).kind).toBe('broken');
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab=[]{}"\'\n.#:1-'.split('')) }), (text) => {
        expect(() => toml(text)).not.toThrow();
      }),
    );
  });
});
