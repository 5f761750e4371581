/**
 * The publication as templates see it: each page and email gets it as `site`.
 */
import type { Config } from './config.ts';

export interface SiteView {
  name: string;
  about: string;
  /** Without a trailing slash. */
  url: string;
  language: string;
  zone: string;
  accent: { light: string; dark: string };
  contact: { name: string; email: string };
  postalAddress: string;
  copyright: string | null;
  sections: { id: string; title: string }[];
  feeds: { id: string; title: string; description: string | null }[];
  newsletters: { id: string; title: string; description: string }[];
}

/** Builds the template's `site` from the configuration. */
export function siteView(config: Config): SiteView {
  const { publication, sections, feeds, newsletters } = config;
  return {
    name: publication.name,
    about: publication.about,
    url: publication.url,
    language: publication.language,
    zone: publication.zone,
    accent: publication.accent,
    contact: publication.contact,
    postalAddress: publication.postalAddress,
    copyright: publication.copyright ?? null,
    sections,
    feeds: feeds.map(({ id, title, description }) => ({ id, title, description: description ?? null })),
    newsletters: newsletters.map(({ id, title, description }) => ({ id, title, description })),
  };
}
