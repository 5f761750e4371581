import { expect, it } from 'vitest';
import { toNewsLine, toStory } from '../../../src/editions/rendering/story-view.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { article, picture } from '../../support/articles.ts';
import { sampleConfig } from '../../support/sample.ts';

const ENGLISH = localeOf('en', {});

it("shows the newsroom's pictures in the version for email, and those of other servers from there", () => {
  const config = sampleConfig();
  const media = `${config.publication.url}/media`;
  const imageOf = (url: string) => {
    return toStory(article('a', { image: picture(url, { width: 4_000, height: 3_000 }) }), config, ENGLISH, {
      paragraphs: 1,
      bytes: 100,
    }).image;
  };
  expect(imageOf(`${media}/a.jpg`)).toMatchObject({ url: `${media}/r/jpeg/a.jpg`, width: 4_000, height: 3_000 });
  expect(imageOf('https://photos.example/a.jpg')).toMatchObject({ url: 'https://photos.example/a.jpg' });
});

it('shows a small version of a picture next to a line of news, 96 pixels at its longer side', () => {
  const config = sampleConfig();
  const media = `${config.publication.url}/media`;
  const thumbnail = (size: { width: number | null; height: number | null }, url = `${media}/a.jpg`) => {
    return toNewsLine(article('a', { image: picture(url, size) }), config, ENGLISH, true).thumbnail;
  };
  const url = `${media}/r/thumb/a.jpg`;
  expect(thumbnail({ width: 4_000, height: 3_000 })).toEqual({ url, width: 96, height: 72 });
  expect(thumbnail({ width: 3_000, height: 4_000 })).toEqual({ url, width: 72, height: 96 });
  expect(thumbnail({ width: 9_000, height: 1 })).toEqual({ url, width: 96, height: 1 });
  expect(thumbnail({ width: null, height: null })).toEqual({ url, width: 96, height: null });
  const foreign = 'https://photos.example/a.jpg';
  expect(thumbnail({ width: 10, height: 10 }, foreign)).toMatchObject({ url: foreign });
  expect(toNewsLine(article('a', { image: null }), config, ENGLISH, true).thumbnail).toBeNull();
  expect(toNewsLine(article('a', { image: picture(foreign) }), config, ENGLISH, false).thumbnail).toBeNull();
});
