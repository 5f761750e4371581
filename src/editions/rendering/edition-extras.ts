/** What the configuration of a newsletter adds to its editions. Pure. */
import type { Config, NewsletterConfig } from '../../core/config/config.ts';
import { pictureUrl } from '../../core/config/site-view.ts';
import type { EditionView } from './edition-view.ts';
import { readingMinutes, type ShownText } from './reading-time.ts';

type Extras = Pick<EditionView, 'newsTitle' | 'hasContents' | 'readingMinutes' | 'sponsor'>;

/** @param shown what the edition shows: its reading time counts that, not the articles */
export function editionExtras(config: Config, newsletter: NewsletterConfig, shown: ShownText): Extras {
  const { show, newsHours, sponsor } = newsletter;
  return {
    newsTitle: newsTitle(newsHours),
    hasContents: show.contents,
    readingMinutes: show.readingTime ? readingMinutes(shown) : null,
    sponsor: sponsor === undefined ? null : sponsorView(sponsor, config),
  };
}

/** `24-Hour News`; for about a week `This Week`. */
function newsTitle(hours: number): string {
  const days = Math.round(hours / 24);
  if (days < 6) return `${hours}-Hour News`;
  return days <= 8 ? 'This Week' : `The Last ${days} Days`;
}

function sponsorView(
  { label, text, url, image }: NonNullable<NewsletterConfig['sponsor']>,
  { publication }: Config,
): EditionView['sponsor'] {
  const picture = image && { url: pictureUrl(image.file, publication.url), alt: image.alt, width: image.width };
  return { label, text, url, host: new URL(url).host.replace(/^www\./, ''), image: picture ?? null };
}
