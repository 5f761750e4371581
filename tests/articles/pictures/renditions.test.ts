import { describe, expect, it } from 'vitest';
import {
  mailImageUrl,
  pageImage,
  RENDITION_FORMS,
  thumbnailUrl,
  withRenditions,
} from '../../../src/articles/pictures/renditions.ts';
import { sampleConfig } from '../../support/sample.ts';

const base = sampleConfig();
const config = { ...base, publication: { ...base.publication, url: 'https://times.example/news' } };
const MEDIA = 'https://times.example/news/media';

describe('the smaller versions of a picture', () => {
  it('have addresses below its folder, with the query that a newsroom adds to replace a picture', () => {
    expect(mailImageUrl(`${MEDIA}/2026/caf%C3%A9.JPG?v=2#top`, config)).toBe(`${MEDIA}/r/jpeg/2026/caf%C3%A9.JPG?v=2`);
    expect(RENDITION_FORMS.has('jpeg')).toBe(true);
    expect(thumbnailUrl(`${MEDIA}/a.png`, config)).toBe(`${MEDIA}/r/thumb/a.png`);
    expect(RENDITION_FORMS.get('thumb')).toMatchObject({ format: 'jpeg', width: 192 });
  });

  it('are for pages as wide as browsers may need, and none is wider than the original', () => {
    const at = (form: number, width = form) => `${MEDIA}/r/${form}/a.png ${width}w`;
    const of = (width: number | null) => pageImage({ url: `${MEDIA}/a.png`, width }, config, true);
    expect(of(4_000)).toEqual({
      url: `${MEDIA}/r/1200/a.png`,
      srcset: [at(480), at(800), at(1_200), at(1_600)].join(', '),
    });
    expect(of(1_000).srcset).toBe([at(480), at(800), at(1_200, 1_000)].join(', '));
    expect(of(800).srcset).toBe([at(480), at(800)].join(', '));
    expect(of(100).srcset).toBe(at(480, 100));
    expect(of(null).srcset).toBe(of(4_000).srcset);
    for (const [, form] of of(null).srcset?.matchAll(/\/r\/(\d+)\//g) ?? [])
      expect(RENDITION_FORMS.has(form ?? '')).toBe(true);
  });

  it.each([
    'https://photos.example/media/a.jpg',
    'https://times.example/media/a.jpg',
    `${MEDIA}/drawing.svg`,
    `${MEDIA}/a.pdf?x=.jpg`,
    `${MEDIA}/a.jpg.txt`,
    `${MEDIA}/`,
  ])('do not exist for %s', (url) => {
    expect(mailImageUrl(url, config)).toBe(url);
    expect(pageImage({ url, width: 9_000 }, config, true)).toEqual({ url, srcset: null });
  });

  it('do not exist without a media folder', () => {
    const without = { ...config, paths: {} };
    expect(mailImageUrl(`${MEDIA}/a.jpg`, without)).toBe(`${MEDIA}/a.jpg`);
  });

  it('replace the pictures of the newsroom in a body', () => {
    const remote = '<img src="https://photos.example/a.jpg" alt="" />';
    const body = `<p>A</p><img src="${MEDIA}/a.png?x=1&amp;y=&quot;" alt="A &lt;img src=" width="9" /><p>${remote}</p>`;
    expect(withRenditions(body, config, true)).toBe(
      `<p>A</p><img src="${MEDIA}/r/1200/a.png?x=1&amp;y=&quot;" loading="lazy" alt="A &lt;img src=" width="9" />` +
        `<p>${remote}</p>`,
    );
  });

  it('are still pictures, so that the page of an article shows an animation as it is', () => {
    const url = `${MEDIA}/a.gif`;
    const body = `<img src="${url}" alt="" />`;
    expect(pageImage({ url, width: 100 }, config, false)).toEqual({ url, srcset: null });
    expect(withRenditions(body, config, false)).toBe(body);
    expect(pageImage({ url, width: 100 }, config, true).url).toBe(`${MEDIA}/r/1200/a.gif`);
    expect(withRenditions(body, config, true)).toContain('/r/1200/a.gif');
  });
});
