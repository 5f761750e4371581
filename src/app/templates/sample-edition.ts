/** An edition with content in every block: `check` renders a newsletter's templates with it. */
import type { Config } from '../../core/config/config.ts';
import type { EditionView, Story, StoryLine } from '../../editions/rendering/edition-view.ts';
import { localDate } from '../../lib/time.ts';

/** @param now its date, epoch milliseconds */
export function sampleEdition({ publication, newsletters }: Config, newsletter: string, now: number): EditionView {
  const { url } = publication;
  const named = newsletters.find((one) => one.id === newsletter);
  const slot = localDate(now, publication.zone);
  const line: StoryLine = {
    articleId: 'sample',
    kicker: 'Exclusive',
    headline: 'A Sample Headline With <Markup> & an Ampersand',
    url: `${url}/articles/sample`,
    dek: 'One sentence that adds the key figure.',
    topic: 'Samples',
    section: 'Business',
    publishedAt: now,
    lang: null,
    dir: 'ltr',
  };
  const story: Story = {
    ...line,
    image: {
      url: `${url}/media/sample.png`,
      alt: 'A sample',
      credit: 'Photo: A Photographer',
      width: 1200,
      height: 675,
    },
    paragraphs: [{ html: 'A first <em>paragraph</em>.', text: 'A first paragraph.' }],
    more: true,
    bylines: [{ role: 'reporter', name: 'A Reporter', email: 'reporter@example.com' }],
    related: [{ title: 'An earlier story', url: `${url}/articles/earlier` }],
    fullStory: { title: 'The long version', url: 'https://example.com/long' },
    correction: { note: 'An earlier version gave another figure.', at: now },
  };
  const outlet = { name: 'An Outlet', url: 'https://example.com/outlet', publishedAt: now };
  const also = [{ name: 'Another', url: 'https://example.com/another' }];
  return {
    masthead: {
      title: named?.title ?? newsletter,
      newsletter,
      kicker: named?.kicker ?? 'Roundup',
      date: now,
      number: 1,
      slot,
      revision: 2,
      revisionNote: 'This is revision 2 of this edition.',
      isCorrection: true,
    },
    note: [{ html: 'A note with <a href="https://example.com/">a link</a>.', text: 'A note with a link.' }],
    headline: 'Roundup: A Sample, Another Sample',
    subject: 'Roundup: A Sample, Another Sample',
    preheader: 'One sentence that adds the key figure.',
    hasContents: true,
    readingMinutes: 4,
    sponsor: {
      label: 'Sponsored',
      text: 'A paid text.',
      url: 'https://example.com/sponsor',
      host: 'example.com',
      image: { url: `${url}/media/sponsor.png`, alt: 'A sponsor', width: 552 },
    },
    lead: story,
    newsTitle: '24-Hour News',
    news: twice({ ...line, thumbnail: { url: `${url}/media/sample.png`, width: 96, height: 54 } }, 'news'),
    analysis: twice(story, 'analysis'),
    roundup: twice(
      {
        ...line,
        sentences: { html: 'What they reported.', text: 'What they reported.' },
        more: true,
        headlineUrl: outlet.url,
        outlet,
        also,
      },
      'roundup',
    ),
    latest: twice(line, 'latest'),
    corrections: [
      {
        articleId: 'sample',
        kind: 'correction',
        headline: 'A sample',
        url: line.url,
        note: 'A note.',
        at: now,
        lang: null,
        dir: 'ltr',
      },
    ],
    links: {
      home: `${url}/`,
      archive: `${url}/editions/${newsletter}/${slot}`,
      editions: `${url}/editions/${newsletter}`,
      feeds: `${url}/feeds/`,
      newsletters: `${url}/newsletters`,
    },
  };
}

/** Two of a kind: a story must have a segment of its own, apart from that of its block. */
function twice<T extends StoryLine>(story: T, block: string): T[] {
  return [1, 2].map((n) => ({ ...story, articleId: `${block}-${n}` }));
}
