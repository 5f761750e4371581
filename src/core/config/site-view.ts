/** The publication as templates see it: each page and email gets it as `site`. */
import { type Locale, localeOf } from '../../lib/locale/locale.ts';
import type { Config, NewsletterConfig } from './config.ts';
import { imprintLink, type LegalLink, privacyLink } from './legal-pages.ts';

export interface SiteView {
  name: string;
  about: string;
  aboutLanguage: string;
  /** Without a trailing slash. */
  url: string;
  /** BCP 47. In emails of a newsletter with a language of its own: that one; `about` is in the publication's. */
  language: string;
  zone: string;
  accent: { light: string; dark: string };
  contact: { name: string; email: string };
  postalAddress: string;
  copyright: string | null;
  /** In emails of a newsletter with an imprint of its own: that one. */
  imprint: LegalLink | null;
  privacy: LegalLink | null;
  /** Pages of one's own, for the footer. */
  pages: { path: string; title: string }[];
  /** In place of the name at the top of emails. `width` is in pixels; `darkUrl` is null if there is only one. */
  logo: { url: string; darkUrl: string | null; width: number; alt: string } | null;
  /** The address of a wide picture of the publication, or null. */
  cover: string | null;
  sections: { id: string; title: string }[];
  /** `language`: BCP 47, of title and description. */
  feeds: { id: string; title: string; description: string | null; language: string }[];
  newsletters: { id: string; title: string; description: string; language: string }[];
}

/** The publication in emails of one newsletter, which can have its own language, postal address and imprint. */
export function newsletterSite(
  config: Config,
  newsletter: Pick<NewsletterConfig, 'id' | 'language' | 'postalAddress' | 'imprint'>,
): SiteView {
  const site = siteView(config);
  return {
    ...site,
    language: newsletter.language ?? site.language,
    postalAddress: newsletter.postalAddress ?? site.postalAddress,
    imprint: imprintLink(config.publication, newsletter),
  };
}

export function editionLocale({ publication, ownMessages }: Config, { language }: NewsletterConfig): Locale {
  return localeOf(language ?? publication.language, ownMessages);
}

/** The address of a picture that the configuration names. @param file a file in `paths.media`, or an address */
export function pictureUrl(file: string, publicUrl: string): string {
  return /^https?:\/\//.test(file) ? file : `${publicUrl}/media/${file.split('/').map(encodeURIComponent).join('/')}`;
}

/** Pixels of the icons that the site serves as PNG, at `/icons/<size>.png`. */
export const ICON_SIZES = [48, 96, 144, 192, 512] as const;

/** The address of the site's icon as PNG, square. */
export function iconUrl(publicUrl: string, size: (typeof ICON_SIZES)[number]): string {
  return `${publicUrl}/icons/${size}.png`;
}

/** Builds the template's `site` from the configuration. */
export function siteView(config: Config): SiteView {
  const { publication, sections, feeds, newsletters } = config;
  return {
    name: publication.name,
    about: publication.about,
    aboutLanguage: publication.language,
    url: publication.url,
    language: publication.language,
    zone: publication.zone,
    accent: publication.accent,
    contact: publication.contact,
    postalAddress: publication.postalAddress,
    copyright: publication.copyright ?? null,
    imprint: imprintLink(publication),
    privacy: privacyLink(publication),
    pages: Object.entries(publication.pages).map(([path, { title }]) => ({ path: `/${path}`, title })),
    logo: logoView(publication),
    cover: publication.cover === undefined ? null : pictureUrl(publication.cover, publication.url),
    sections,
    feeds: feeds.map(({ id, title, description = null, language = publication.language }) => {
      return { id, title, description, language };
    }),
    newsletters: newsletters.map(({ id, title, description, language = publication.language }) => {
      return { id, title, description, language };
    }),
  };
}

function logoView({ logo, name, url }: Config['publication']): SiteView['logo'] {
  if (logo === undefined) return null;
  return {
    url: pictureUrl(logo.url, url),
    darkUrl: logo.darkUrl === undefined ? null : pictureUrl(logo.darkUrl, url),
    width: logo.width,
    alt: name,
  };
}
