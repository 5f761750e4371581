import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_TEMPLATES } from '../../../src/lib/templates.ts';

it('the scripts of the desk have at most 14 KB as they are sent, and its stylesheet at most 6 KB', () => {
  const size = (name: string): number => gzipSync(readFileSync(join(BUILT_IN_TEMPLATES, 'desk', name))).length;
  expect(size('desk.js')).toBeGreaterThan(1024);
  expect(size('desk.js') + size('unsaved.js')).toBeLessThanOrEqual(14 * 1024);
  expect(size('desk.css')).toBeLessThanOrEqual(6 * 1024);
});

describe('the stylesheet of the desk', () => {
  const css = readFileSync(join(BUILT_IN_TEMPLATES, 'desk/desk.css'), 'utf8').replaceAll(/\/\*[^*]*\*\//g, '');
  const declarations = [...css.matchAll(/(?<=[{;]\s*)([\w-]+):([^;{}]+);/g)].map(([text]) => text);

  it('names no left and no right, since texts run in both directions', () => {
    expect(declarations.length).toBeGreaterThan(200);
    expect(declarations.filter((one) => /\b(?:left|right)\b/.test(one))).toEqual([]);
  });

  it('takes sizes of texts and spaces from its scales, but for hairlines', () => {
    const scaled = declarations.filter((one) =>
      /^(?:font|font-size|(?:margin|padding)(?:-\w+)*|(?:\w+-)?gap):/.test(one),
    );
    expect(scaled.length).toBeGreaterThan(80);
    expect(scaled.filter((one) => /\d(?:px|rem|em)\b/.test(one.replaceAll(/\b1px/g, '')))).toEqual([]);
  });
});
