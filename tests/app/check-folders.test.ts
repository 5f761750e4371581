import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkFolders } from '../../src/app/check/config.ts';
import { sampleConfig } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it('pictures of the publication and of podcasts that are missing are named with their keys', () => {
  const config = sampleConfig();
  const media = temporaryFolder();
  const [feed, ...feeds] = config.feeds;
  if (feed === undefined) throw new Error('the sample has no feed');
  const podcast = { category: 'Tech News', image: 'gone/podcast.png' } as NonNullable<typeof feed.podcast>;
  const findings = checkFolders({
    ...config,
    paths: { ...config.paths, media, feeds: join(media, 'feeds'), data: media },
    publication: { ...config.publication, cover: 'gone/cover.jpg' },
    feeds: [{ ...feed, podcast }, ...feeds],
  });
  expect(findings.map(({ message }) => message)).toEqual([
    `publication.cover is gone/cover.jpg: there is no such file in ${media}`,
    `feeds latest: podcast.image is gone/podcast.png: there is no such file in ${media}`,
  ]);
});
