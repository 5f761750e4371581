/** Pages of the newsroom's own texts, such as the imprint: where the texts are, and the addresses of links to them. */
import type { FileConfig, NewsletterConfig, Publication } from './schema.ts';

/** A text that the configuration names. */
export interface LegalPage {
  /** The name of a message, or the title itself. */
  title: 'common.imprint' | 'common.privacy' | { text: string };
  /** Its key in the configuration, for messages: `newsletters daily-roundup: imprint`. */
  key: string;
  /** The path of its page, below that of `publication.url`. */
  path: string;
  /** A Markdown file, or the address of a page elsewhere. */
  source: string;
}

/** A link to such a page. */
export interface LegalLink {
  url: string;
  /** Null for a page elsewhere. */
  path: string | null;
}

type Newsletter = Pick<NewsletterConfig, 'id' | 'imprint'>;

/** All pages that a configuration has: the publication's first. */
export function legalPages({ publication, newsletters }: Pick<FileConfig, 'publication' | 'newsletters'>): LegalPage[] {
  const { imprint, privacy } = publication;
  const pages: LegalPage[] = [];
  if (imprint !== undefined)
    pages.push({ title: 'common.imprint', key: 'publication.imprint', path: '/imprint', source: imprint });
  if (privacy !== undefined)
    pages.push({ title: 'common.privacy', key: 'publication.privacy', path: '/privacy', source: privacy });
  for (const { id, imprint: own } of newsletters) {
    if (own === undefined) continue;
    pages.push({ title: 'common.imprint', key: `newsletters ${id}: imprint`, path: `/imprint/${id}`, source: own });
  }
  for (const [path, { title, file }] of Object.entries(publication.pages)) {
    pages.push({ title: { text: title }, key: `publication.pages.${path}.file`, path: `/${path}`, source: file });
  }
  return pages;
}

/** Whether the page is on another site, so that daywire only links to it. */
export function isElsewhere({ source }: Pick<LegalPage, 'source'>): boolean {
  return /^https?:/.test(source);
}

/** The link to the imprint: of a newsletter, if one is given, or else of the publication. Null without one. */
export function imprintLink({ imprint, url }: Publication, newsletter?: Newsletter): LegalLink | null {
  if (newsletter?.imprint !== undefined) return linkTo(newsletter.imprint, url, `/imprint/${newsletter.id}`);
  return imprint === undefined ? null : linkTo(imprint, url, '/imprint');
}

/** The link to the privacy policy. Null without one. */
export function privacyLink({ privacy, url }: Publication): LegalLink | null {
  return privacy === undefined ? null : linkTo(privacy, url, '/privacy');
}

function linkTo(source: string, publicUrl: string, path: string): LegalLink {
  return isElsewhere({ source }) ? { url: new URL(source).href, path: null } : { url: publicUrl + path, path };
}
