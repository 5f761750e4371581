import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FACES = /\/(?:desk|cli|pages|hooks)\//;

/** The lines of the rules, without comments. */
const rules = ['editions', 'sources', 'delivery', 'outlets', 'audience/csv']
  .flatMap((folder) => globSync(`src/${folder}/**/*.ts`))
  .filter((file) => !FACES.test(file))
  .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
  .filter((line) => !/^\s*(?:\/\*|\*|\/\/)/.test(line));
const desk = globSync('src/**/desk/**/*.ts')
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

/** As a string, or as text of an element. */
const isLabel = (label: string): boolean =>
  [`'${label}'`, `>${label}<`, `>${label}$`].some((one) => desk.includes(one));

describe('what messages name at the desk', () => {
  it('are labels of buttons and fields that its pages have', () => {
    const labels = rules.flatMap((line) => [...line.matchAll(/“([A-Z][^”$]*)”/g)].map(([, label = '']) => label));
    expect(labels.length).toBeGreaterThan(15);
    expect(labels.filter((label) => !isLabel(label))).toEqual([]);
  });

  it('are pages that it has', () => {
    const named = rules.flatMap((line) =>
      [...line.matchAll(/(?:” under|under|the page) ([A-Z][a-z]+)['\s]/g)].map(([, page = '']) => page),
    );
    expect(named).toEqual(expect.arrayContaining(['Deliveries', 'Editions', 'Sources']));
    expect(named.filter((page) => !isLabel(page))).toEqual([]);
  });
});
