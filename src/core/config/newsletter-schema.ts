/** The keys of one entry of `newsletters`. Call `describe` last: methods of zod return copies without it. */
import { z } from 'zod';
import { facetSlug } from '../../lib/text/facet-slug.ts';
import { document, hours, id, language, mediaFile, schedule, selection, text, webAddress } from './values.ts';

const sponsor = z.strictObject({
  label: text.max(60).default('Sponsored').describe('Says that the text is paid for.'),
  text: text.max(400).describe('The text, without markup.'),
  url: webAddress.describe('Where text and picture lead.'),
  image: z
    .strictObject({
      file: mediaFile.describe(
        'A file in paths.media. A picture on a server of the sponsor would tell the sponsor who opens the email.',
      ),
      alt: z.string().max(400).describe('What the picture shows.'),
      width: z.int().min(1).max(552).default(552).describe('Pixels at which it is shown.'),
    })
    .optional()
    .describe('A picture above the text.'),
});

const tag = z.string().refine((name) => facetSlug(name) !== null, 'must have a letter or a digit');

const AUTO_PICK_RULE = 'must be true, which means 3 outlets, or a number of outlets from 2 to 20';

const newsletterKeys = z.strictObject({
  id: id.describe('Part of addresses and commands. Choose it once.'),
  kind: z
    .enum(['roundup', 'alert'])
    .default('roundup')
    .describe(
      'roundup: an edition of several stories for each slot of the schedule. ' +
        'alert: an edition of one article, which "daywire alert" makes at any time. ' +
        'It has no schedule, minimumStories, select, blocks, newsHours, autoPick and deliverAt.',
    ),
  title: text.describe('Name of the newsletter, as subscribers see it.'),
  kicker: text.describe('Shown before the headline and in the subject of each edition, such as Tech Roundup.'),
  description: text.describe('One sentence about the newsletter, shown where visitors subscribe.'),
  language: language.optional().describe("Language of its editions and mails. Default: the publication's."),
  select: selection
    .default({})
    .describe(
      'Which articles its editions take by themselves: those that match every key given. Without keys, all match. ' +
        'An editor can add others.',
    ),
  choices: z
    .strictObject({
      sections: z.boolean().default(false).describe('Whether subscribers can choose sections.'),
      tags: z.array(tag).max(50).default([]).describe('The topics that subscribers can choose: tags of articles.'),
      reporters: z.boolean().default(false).describe('Whether subscribers can choose reporters.'),
    })
    .refine(
      ({ sections, tags, reporters }) => sections || reporters || tags.length > 0,
      'must offer something to choose',
    )
    .optional()
    .describe(
      'What subscribers can choose: their copy has the stories of the chosen sections, topics and reporters, and the ' +
        'same choice is offered as a private feed. Default: every copy is the same.',
    ),
  weeklyOf: id
    .optional()
    .describe(
      'Id of the newsletter that has the same news more often. Subscribers can change between the two under the same ' +
        'consent. Only for kind roundup.',
    ),
  from: z
    .strictObject({
      // An encoded From line has at most 998 octets (RFC 5322 §2.1.1).
      name: text.max(200).describe('Name of the sender.'),
      email: z.email().describe('Email address of the sender.'),
    })
    .describe('Sender of the editions.'),
  replyTo: z.email().optional().describe('Address for replies. Default: the sender.'),
  postalAddress: text.optional().describe("Postal address in its emails. Default: the publication's."),
  imprint: document.optional().describe("Its imprint: a Markdown file, or an address. Default: the publication's."),
  template: id.describe('Name of the templates: templates/<template>.mjml and templates/<template>.txt.'),
  schedule: schedule
    .optional()
    .describe('When an edition closes. Each slot makes one edition. Required for a roundup; an alert has none.'),
  maxPerDay: z
    .int()
    .min(1)
    .max(24)
    .default(3)
    .describe("Maximum number of alerts that close on one day, in the publication's time zone. Only for kind alert."),
  minimumStories: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('With fewer stories the slot is skipped, with that reason. Default: 3. Only for kind roundup.'),
  approval: z
    .enum(['auto', 'required'])
    .optional()
    .describe(
      'auto: an edition closes at its slot unless an editor holds it. ' +
        'required: it waits until an editor approves it, at most until its grace period is over. ' +
        'Default: auto for a roundup, required for an alert.',
    ),
  undoSeconds: z
    .int()
    .min(0)
    .max(3_600)
    .default(60)
    .describe('Seconds in which sending an edition by hand can be cancelled, before it closes.'),
  blocks: z
    .strictObject({
      news: z.int().min(0).max(50).default(8).describe('Stories under 24-Hour News, or This Week (newsHours).'),
      analysis: z.int().min(0).max(20).default(4).describe('Stories under Analysis.'),
      roundup: z.int().min(0).max(30).default(6).describe('Items under Roundup.'),
      latest: z.int().min(0).max(50).default(8).describe('Headlines under Latest.'),
    })
    .prefault({})
    .describe('Maximum number of stories in each block of an edition.'),
  newsHours: hours
    .default(24)
    .describe(
      'Stories of this many hours are news. The block is called 24-Hour News, or This Week at 168. An edition takes ' +
        'the stories of 48 hours, of these hours, or of all the time since the last edition, whichever is longest.',
    ),
  autoPick: z
    .union([z.int().min(2, AUTO_PICK_RULE).max(20, AUTO_PICK_RULE), z.literal(true, AUTO_PICK_RULE).transform(() => 3)])
    .optional()
    .describe(
      'Events that this many outlets reported enter the roundup by themselves, as headline, outlet and link; an ' +
        'editor can still drop and edit them. Use true, which means 3 outlets: with 2, more wrong credits are ' +
        'published. Default: only what an editor picked. Only for kind roundup.',
    ),
  show: z
    .strictObject({
      contents: z.boolean().default(false).describe('A list of the blocks, with the first headline of each.'),
      readingTime: z.boolean().default(false).describe('How many minutes it takes to read what the edition shows.'),
      thumbnails: z.boolean().default(false).describe('Small pictures next to the news.'),
    })
    .prefault({})
    .describe('What an edition shows in addition.'),
  sponsor: sponsor.optional().describe('A paid text in each edition, below the top story, labelled as such.'),
  deliverAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as "07:00"')
    .optional()
    .describe(
      "Delivers to each subscriber at this time in the subscriber's zone, the first one after the edition closes. " +
        'Default: at once.',
    ),
  expireAfterHours: z
    .int()
    .min(1)
    .max(720)
    .default(20)
    .describe('Hours after its due time at which a delivery that was not submitted fails as expired.'),
  heartbeat: z
    .boolean()
    .default(true)
    .describe('Calls DAYWIRE_HEARTBEAT_URL once for each edition, when at least 95 % of it is submitted.'),
});

export const newsletter = newsletterKeys.transform(({ schedule = null, minimumStories, approval, ...keys }) => {
  const isAlert = keys.kind === 'alert';
  return {
    ...keys,
    /** Null for an alert. */
    schedule,
    minimumStories: isAlert ? 1 : (minimumStories ?? 3),
    approval: approval ?? (isAlert ? ('required' as const) : ('auto' as const)),
  };
});
