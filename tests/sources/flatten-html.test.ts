import fc from 'fast-check';
import { expect, it } from 'vitest';
import { prepareHtml } from '../../src/own-sites/body-html.ts';
import { flattenDeepHtml, textOfHtml } from '../../src/sources/html-text.ts';
import { processorTime } from '../support/processor-time.ts';

const nested = (depth: number): string => `a${'<b>'.repeat(depth)}c &amp; d${'</b>'.repeat(depth)}<p>e`;

it('leaves HTML as it is that has many tags and little depth', () => {
  const long = '<p>a<br>b<img src="c"></p>'.repeat(2_000);
  expect(flattenDeepHtml(long)).toBe(long);
  expect(flattenDeepHtml(nested(990))).toBe(nested(990));
});

it('keeps the text alone of HTML that nests a thousand deep', () => {
  expect(flattenDeepHtml(nested(1_000)).replace(/\s+/g, ' ')).toBe('a c &amp; d e');
  expect(flattenDeepHtml(`${'<b>'.repeat(1_000)}<script src="x" a`)).not.toContain('<');
});

it('leaves no tag in what it flattens', () => {
  const parts = fc.array(fc.constantFrom('<b', '>', '<', '/>', '</b>', '<!--', '-->', '"', "'", 'x', '&lt;', ' '), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(parts, (some) => void expect(flattenDeepHtml('<b>'.repeat(1_000) + some.join(''))).not.toContain('<')),
  );
});

it('keeps the time of deep HTML in proportion to its length, in bodies and in texts', () => {
  const time = (depth: number): number =>
    processorTime(() => {
      prepareHtml(nested(depth), null);
      textOfHtml(nested(depth));
    });
  time(2_000);
  const [short, long] = [time(20_000), time(80_000)];
  expect(long).toBeLessThan(Math.max(40, 12 * short));
});
