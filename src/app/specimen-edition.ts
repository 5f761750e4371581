/**
 * An edition with something in every block, so that `check` can try a newsletter's templates before any story is there.
 */
import type { Config } from '../config/config.ts';
import type { EditionView, Story, StoryLine } from '../editions/rendering/edition-view.ts';
import { localDate } from '../lib/time.ts';

/** @param now its date, epoch milliseconds */
export function specimenEdition({ publication, newsletters }: Config, newsletter: string, now: number): EditionView {
  const { url } = publication;
  const named = newsletters.find((one) => one.id === newsletter);
  const slot = localDate(now, publication.zone);
  const line: StoryLine = {
    articleId: 'specimen',
    kicker: 'Exclusive',
    headline: 'A Specimen Headline With <Markup> & an Ampersand',
    url: `${url}/articles/specimen`,
    dek: 'One sentence that adds the key figure.',
    topic: 'Specimens',
    section: 'Business',
    publishedAt: now,
    lang: null,
    dir: 'ltr',
  };
  const story: Story = {
    ...line,
    image: {
      url: `${url}/media/specimen.png`,
      alt: 'A specimen',
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
  const outlet = { name: 'An Outlet', url: 'https://example.com/outlet' };
  const also = [{ name: 'Another', url: 'https://example.com/another' }];
  return {
    masthead: {
      title: named?.title ?? newsletter,
      newsletter,
      kicker: named?.kicker ?? 'Roundup',
      date: now,
      number: 1,
      slot,
    },
    headline: 'Roundup: A Specimen, Another Specimen',
    subject: 'Roundup: A Specimen, Another Specimen',
    preheader: 'One sentence that adds the key figure.',
    lead: story,
    news: [line],
    analysis: [story],
    roundup: [{ ...line, sentences: { html: 'What they reported.', text: 'What they reported.' }, outlet, also }],
    latest: [line],
    corrections: [
      {
        articleId: 'specimen',
        kind: 'correction',
        headline: 'A specimen',
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
