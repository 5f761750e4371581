import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './support/sample.ts';

const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...globSync('docs/**/*.md', { cwd: ROOT })];
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** As GitHub makes them of headings. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('the documentation', () => {
  it('links to pages and sections that exist', () => {
    const links = PAGES.flatMap((page) =>
      [
        ...read(page)
          .replace(/`[^`\n]+`/g, '')
          .matchAll(/\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]*))?\)/g),
      ].map(([link, file = '', anchor]) => ({
        link: `${page}: ${link}`,
        target: file === '' ? page : join(dirname(page), file),
        anchor,
      })),
    );
    expect(links.length).toBeGreaterThan(100);
    const isBroken = ({ target, anchor }: (typeof links)[number]): boolean =>
      !existsSync(join(ROOT, target)) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor));
    expect(links.filter(isBroken).map(({ link }) => link)).toEqual([]);
  });

  it('has every page in its table of contents', () => {
    const contents = read('docs/README.md');
    const pages = globSync(['docs/*.md', 'docs/operating/*.md'], { cwd: ROOT }).map((page) =>
      page.slice('docs/'.length),
    );
    expect(pages.length).toBeGreaterThan(20);
    expect(pages.filter((page) => page !== 'README.md' && !contents.includes(`](${page})`))).toEqual([]);
  });

  it('names for each guarantee a test or a command that exists', () => {
    const rows = [...read('docs/guarantees.md').matchAll(/^\| ([^|]*[.]) +\| ([^|]+) \|/gm)];
    expect(rows.length).toBeGreaterThan(20);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, guarantee, shownBy = ''] of rows) {
      const shown = [...shownBy.matchAll(/`(?:npm run -s ([\w-]+)|([\w./-]+))`/g)];
      expect(shown, guarantee).not.toEqual([]);
      for (const [, command, path = ''] of shown) {
        expect(
          command === undefined ? existsSync(join(ROOT, 'tests', path)) : scripts[command],
          guarantee,
        ).toBeTruthy();
      }
    }
  });

  it('keeps the README at a length that is read', () => {
    expect(read('README.md').split('\n').length).toBeLessThanOrEqual(150);
  });
});
