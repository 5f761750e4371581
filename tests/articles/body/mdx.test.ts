import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutComponents } from '../../../src/articles/body/mdx.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';
import { runs } from '../../support/run-scope.ts';

it('keeps the lines of MDX, and text without components as it is', () => {
  const read = (text: string): string => withoutComponents(text).body;
  const body = 'import A from "a";\nimport { B } from "b";\n\nimport is a word, <b>and</b> so is <A b={1}>export</A>.';
  expect(withoutComponents(body)).toEqual({
    body: '\n\n\nimport is a word, <b>and</b> so is export.',
    notes: [{ line: 3, text: 'removed from the body: the component <A>' }],
  });
  expect(read('export const a = {\n  b: 1,\n};\n\nA paragraph that says\nimport "this".')).toBe(
    '\n\n\n\nA paragraph that says\nimport "this".',
  );
  expect(read('```\nimport A from "a";\n<A />\n```')).toBe('```\nimport A from "a";\n<A />\n```');
});

it('reads any text of MDX, of any length', () => {
  fc.assert(
    fc.property(anyText(200), (text) => withoutComponents(text).body.split('\n').length === text.split('\n').length),
    { numRuns: runs(200) },
  );
  for (const part of ['<A ', '<', '{/*', '{/* *', '\n', '```\n', 'import \n\n', '<A b={', '---\n']) {
    const time = processorTime(() => void withoutComponents(part.repeat(100_000)));
    expect(time, part).toBeLessThan(1_000);
  }
});
