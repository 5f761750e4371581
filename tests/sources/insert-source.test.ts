import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { insertSources, sourceIdOf } from '../../src/sources/add-source.ts';

const URL = 'https://times.example';
const TIMES = { id: 'times', url: URL, use: 'articles' } as const;
const ENTRY = '{ id: times, url: "https://times.example", use: articles }';
const OTHER = '{ id: other, url: "https://other.example", use: articles }';

describe('a source that is added to a configuration', () => {
  it.each([
    ['has no sources', 'a: 1 # one\n', `a: 1 # one\n\nsources:\n  - ${ENTRY}\n`],
    ['does not end with a line feed', 'a: 1', `a: 1\n\nsources:\n  - ${ENTRY}\n`],
    ['has an empty list', "a: 'x'\nsources: [] # none\nb: 2\n", `a: 'x'\nsources: [${ENTRY}] # none\nb: 2\n`],
    ['has a list in brackets', `sources: [${OTHER}]\n`, `sources: [${OTHER}, ${ENTRY}]\n`],
    ['has the key alone', 'sources: # soon\n  # - one\nb: 2\n', `sources:\n  - ${ENTRY} # soon\n  # - one\nb: 2\n`],
    ['has null', 'sources: null\nb: >-\n  one\n  two\n', `sources:\n  - ${ENTRY}\nb: >-\n  one\n  two\n`],
    [
      'has sources',
      `sources:\n    - ${OTHER} # first\n    # end\nb: 2\n`,
      `sources:\n    - ${OTHER} # first\n    - ${ENTRY}\n    # end\nb: 2\n`,
    ],
    [
      'has sources over several lines, at its end',
      'sources:\n- id: other\n  url: https://other.example # home\n  use: articles',
      `sources:\n- id: other\n  url: https://other.example # home\n  use: articles\n- ${ENTRY}\n`,
    ],
  ])('leaves every other byte as it is where the file %s', (_, before, after) => {
    expect(insertSources(before, [TIMES])).toBe(after);
    expect((parse(after) as { sources: object[] }).sources.at(-1)).toMatchObject({ id: 'times', url: URL });
  });

  it.each(['true', '007', '1e5', 'a }'])('has the id %s as text', (id) => {
    expect(parse(insertSources('a: 1\n', [{ ...TIMES, id }]))).toMatchObject({ sources: [{ id }] });
  });

  it('is one of several, in their order, with the name of an outlet as text', () => {
    const befores = ['a: 1\n', `sources:\n- ${OTHER}\n`, `sources: [${OTHER}]\n`, 'sources:\n', 'sources: []\n'];
    const outlets = fc.string({ unit: fc.constantFrom(...'a<>&"\' :#{}[]\\é中😀%@`|'), maxLength: 100 });
    fc.assert(
      fc.property(outlets, fc.constantFrom(...befores), (name, before) => {
        const outlet = name.trim();
        const two = [TIMES, { id: 'two', url: 'https://two.example/?a=1', use: 'roundup', outlet }] as const;
        const { sources } = parse(insertSources(before, two)) as { sources: object[] };
        expect(sources.slice(-2), before).toEqual(two);
        expect(sources.length).toBe(before.includes('other') ? 3 : 2);
      }),
    );
    expect(insertSources('a: 1', [])).toBe('a: 1');
  });

  it('gets its id from the address', () => {
    expect(sourceIdOf('https://www.times.example/News/')).toBe('times-example-news');
    expect(sourceIdOf(`https://${'a'.repeat(62)}.b.example/`)).toBe(`${'a'.repeat(62)}-b`);
    expect(sourceIdOf(`https://${'a'.repeat(63)}.example/`)).toBe('a'.repeat(63));
  });
});
