import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutComponents } from '../../../src/own-sites/exports/site-folder.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';

it('keeps the lines and the front matter of MDX, and text without components as it is', () => {
  const start = '---\ntitle: <Kept /> import\n---\n';
  const removed: string[] = [];
  const read = (text: string): string => withoutComponents(text, (name) => removed.push(name));
  expect(
    read(
      `${start}import A from "a";\nimport { B } from "b";\n\nimport is a word, <b>and</b> so is <A b={1}>export</A>.`,
    ),
  ).toBe(`${start}\n\n\nimport is a word, <b>and</b> so is export.`);
  expect(read('export const a = {\n  b: 1,\n};\n\nA paragraph that says\nimport "this".')).toBe(
    '\n\n\n\nA paragraph that says\nimport "this".',
  );
  expect(read('```\nimport A from "a";\n<A />\n```')).toBe('```\nimport A from "a";\n<A />\n```');
  expect(removed).toEqual(['A']);
});

it('reads any text of MDX, of any length', () => {
  fc.assert(
    fc.property(
      anyText(200),
      (text) => withoutComponents(text, () => {}).split('\n').length === text.split('\n').length,
    ),
    { numRuns: 200 },
  );
  for (const part of ['<A ', '<', '{/*', '{/* *', '\n', '```\n', 'import \n\n', '<A b={', '---\n']) {
    const time = processorTime(() => void withoutComponents(part.repeat(100_000), () => {}));
    expect(time, part).toBeLessThan(1_000);
  }
});
