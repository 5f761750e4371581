import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withRegionHashes } from '../../../src/web/desk/regions.ts';

const region = (id: string, content: string): string => `<section id="${id}" data-region>${content}</section>`;
const hashesOf = (page: string): string[] => [...page.matchAll(/ data-region="(\w+)"/g)].map(([, hash = '']) => hash);

describe('regions of a page', () => {
  it('get hashes, and nothing else of the page changes', () => {
    const text = fc.stringMatching(/^[a-z &;"\n]*$/);
    const inner = fc.oneof(
      text,
      text.map((one) => `<section class="x">${one}</section>`),
    );
    const part = fc.oneof(
      text,
      inner.map((one) => region('a', one)),
      inner.map((one) => `<section>${one}</section>`),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const page = parts.join('');
        const marked = withRegionHashes(page, undefined);
        expect(marked.replaceAll(/ data-region="\w+"/g, ' data-region')).toBe(page);
        expect(hashesOf(marked)).toHaveLength(page.split(' data-region').length - 1);
      }),
    );
  });

  it('are left empty for a script that has them, also where a region has sections within it', () => {
    const stories = region('stories', '<section>Harbour</section> reopens');
    const page = `<main>${stories}<p>between</p>${region('log', 'Ada dropped it')}</main>`;
    const [known = ''] = hashesOf(withRegionHashes(page, undefined));
    expect(withRegionHashes(page, `other ${known}`)).toBe(
      `<main><section id="stories" data-region="${known}" data-same=""></section><p>between</p>` +
        withRegionHashes(`${region('log', 'Ada dropped it')}</main>`, undefined),
    );
  });

  it('are left empty also where only the revision that their forms have seen differs, and then name it', () => {
    const forms = (...seen: number[]): string =>
      region('news', seen.map((one) => `<form><input type="hidden" name="seen" value="${one}"></form>`).join(''));
    const [known] = hashesOf(withRegionHashes(forms(3, 3), undefined));
    expect(withRegionHashes(forms(4, 4), known)).toBe(
      `<section id="news" data-region="${known}" data-same="4"></section>`,
    );
    // A text that was refused has an older one: it must not be lost.
    const [refused] = hashesOf(withRegionHashes(forms(3, 4), undefined));
    expect(withRegionHashes(forms(3, 4), refused)).toContain(' data-same=""></section>');
    for (const other of [forms(4, 4), forms(4, 3), forms(3, 5)]) {
      expect(withRegionHashes(other, refused)).not.toContain('data-same');
    }
  });

  it('are sent again once their content or their place in the page differs', () => {
    const hash = (id: string, content: string) => hashesOf(withRegionHashes(region(id, content), undefined))[0];
    const all = [hash('a', 'one'), hash('a', 'two'), hash('b', 'one')];
    expect(new Set(all).size).toBe(3);
    const countdown = (text: string) => hash('a', `closes <time datetime="x" data-from-now>${text}</time>`);
    expect(countdown('in 2 min')).toBe(countdown('in 1 min'));
  });
});
