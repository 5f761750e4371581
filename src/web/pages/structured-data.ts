/** What pages tell search engines about themselves: objects of schema.org, in JSON-LD 1.1. Pure. */
import { iconUrl, type SiteView } from '../../core/config/site-view.ts';

/**
 * The objects as the content of `<script type="application/ld+json">`, which browsers do not execute. No text in them
 * ends the element (HTML §4.12.1.3, "Restrictions for contents of script elements").
 * @param objects without `@context`
 */
export function jsonLd(objects: object[]): string {
  const json = JSON.stringify({ '@context': 'https://schema.org', '@graph': objects });
  return json.replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The publication as the publisher of its articles (schema.org/NewsMediaOrganization). */
export function publisherData({ name, url }: SiteView): object {
  const logo = { '@type': 'ImageObject', url: iconUrl(url, 512), width: 512, height: 512 };
  return { '@type': 'NewsMediaOrganization', '@id': publisherId(url), name, url: `${url}/`, logo };
}

/** The site, for its front page (schema.org/WebSite), with the address of its search. */
export function websiteData({ name, url, language }: SiteView): object {
  return {
    '@type': 'WebSite',
    name,
    url: `${url}/`,
    inLanguage: language,
    publisher: { '@id': publisherId(url) },
    potentialAction: {
      '@type': 'SearchAction',
      target: { '@type': 'EntryPoint', urlTemplate: `${url}/search?q={search_term_string}` },
      'query-input': 'required name=search_term_string',
    },
  };
}

/** The way from the front page to a page. @param steps below the front page, with paths as in `PageHead` */
export function breadcrumbData({ name, url }: SiteView, steps: { name: string; path: string }[]): object {
  return {
    '@type': 'BreadcrumbList',
    itemListElement: [{ name, path: '/' }, ...steps].map((step, index) => {
      return { '@type': 'ListItem', position: index + 1, name: step.name, item: url + step.path };
    }),
  };
}

function publisherId(url: string): string {
  return `${url}/#publisher`;
}
