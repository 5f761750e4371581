import { expect, it } from 'vitest';
import { toStory } from '../../../src/editions/rendering/story-view.ts';
import { article } from '../../support/articles.ts';
import { sampleConfig } from '../../support/sample.ts';

it("shows the newsroom's pictures in the version for email, and those of other servers from there", () => {
  const config = sampleConfig();
  const media = `${config.publication.url}/media`;
  const imageOf = (url: string) => {
    const facts = { alt: 'A', credit: null, type: 'image/jpeg', length: 9_000_000, width: 4_000, height: 3_000 };
    return toStory(article('a', { image: { url, ...facts } }), config, { paragraphs: 1, bytes: 100 }).image;
  };
  expect(imageOf(`${media}/a.jpg`)).toMatchObject({ url: `${media}/r/jpeg/a.jpg`, width: 4_000, height: 3_000 });
  expect(imageOf('https://photos.example/a.jpg')).toMatchObject({ url: 'https://photos.example/a.jpg' });
});
