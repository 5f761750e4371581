/** The keys of one entry of `sources`. Call `describe` last: methods of zod return copies without it. */
import { z } from 'zod';
import { feedAddress, id, KINDS, language, minutes, publicUrl, text } from './values.ts';

const sourceId = id.describe(
  'Name of the source in commands. It begins the ids of its articles, as in our-site.1234. Choose it once.',
);

const articleSource = z.strictObject({
  id: sourceId,
  url: publicUrl.describe('Address of the site, or of its feed.'),
  use: z.literal('articles').describe('articles: its articles are published as articles of this publication.'),
  api: z
    .enum(['auto', 'wordpress', 'ghost', 'feed'])
    .default('auto')
    .describe(
      'What is polled. auto: the WordPress REST API; else the Ghost Content API, with a key in DAYWIRE_SOURCE_KEYS; ' +
        'else a feed.',
    ),
  pollMinutes: minutes
    .default(5)
    .describe('Minutes between two polls. A signed webhook polls at once. Feeds of other outlets set their own pace.'),
  sections: z
    .record(text, id)
    .default({})
    .describe('Sections of its categories, such as Markets: business. Others are found by id and title of a section.'),
  kinds: z
    .record(text, z.enum(KINDS))
    .default({})
    .describe('Kinds of its categories and tags, such as Opinion: analysis. Other articles are briefs.'),
  section: id.optional().describe('Section of articles without a mapped category. Default: none.'),
  membersOnly: z
    .enum(['teaser', 'skip'])
    .default('teaser')
    .describe('Articles for members only. teaser: the beginning, with a link. skip: not at all.'),
  withdrawn: z
    .enum(['retract', 'leave'])
    .default('retract')
    .describe('What happens to the article of a post that was deleted or unpublished. Feeds withdraw nothing.'),
});

const roundupSource = z.strictObject({
  id: sourceId,
  url: feedAddress.describe('Address of the site, or of its feed.'),
  use: z.literal('roundup').describe('roundup: editors pick items of this feed for the roundup.'),
  outlet: text
    .max(100)
    .describe('With use: roundup, required: name of the outlet, as the roundup shows it. Several feeds may be of one.'),
  excerpt: z
    .int()
    .min(40)
    .max(400)
    .optional()
    .describe(
      "With use: roundup: characters of the outlet's own summary that an item without a sentence of the editor " +
        'quotes. Default: none. Quote only what the law or the outlet allows.',
    ),
  language: language.optional().describe('With use: roundup: language of the feed. Default: what the feed says.'),
});

export const source = z.discriminatedUnion('use', [articleSource, roundupSource], {
  error: 'must be articles or roundup',
});
