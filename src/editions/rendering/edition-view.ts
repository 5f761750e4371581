/**
 * An edition as its templates see it: plain data that survives JSON, the same for the HTML, the text and the archive page.
 * Everything named `html` is sanitised inline markup; every other string is plain text, to be escaped where it is written.
 * Instants are epoch milliseconds, shown in the publication's zone by the filters of templates.ts. All URLs are absolute.
 */

export interface EditionView {
  masthead: Masthead;
  /** The roundup headline, whole: `Tech Roundup: first item, second item`. */
  headline: string;
  /** The email's subject: the headline, shortened. */
  subject: string;
  /** What mail programs show beside the subject. Never empty, one line. */
  preheader: string;
  /** The lead; null only where the edition has nothing but a roundup or headlines. */
  top: Story | null;
  /** Newest first. */
  news: StoryLine[];
  analysis: Story[];
  roundup: RoundupEntry[];
  /** Newest first. */
  latest: StoryLine[];
  /** Newest first. */
  corrections: CorrectionEntry[];
  links: EditionLinks;
}

interface Masthead {
  /** The newsletter's title; the publication's name is `site.name`. */
  title: string;
  /** The newsletter's id. */
  newsletter: string;
  /** The roundup's name, such as `Tech Roundup`. */
  kicker: string;
  /** The edition's day: the instant of its slot. */
  date: number;
  /** 1 for the newsletter's first edition, and so on. */
  number: number;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
}

/** What every story shows, in whichever block. */
export interface StoryLine {
  articleId: string;
  kicker: string | null;
  /** Without the kicker. */
  headline: string;
  /** The article's page. */
  url: string;
  dek: string | null;
  /** A label such as `Batteries`. */
  topic: string | null;
  /** The section's title. */
  section: string | null;
  publishedAt: number;
  /** BCP 47, where it differs from the publication's own (`site.language`); otherwise null. */
  lang: string | null;
  /** `rtl` for Arabic, Hebrew and the like. */
  dir: 'ltr' | 'rtl';
}

/** A story with its text: the top story, and those of the analysis block. */
export interface Story extends StoryLine {
  image: StoryImage | null;
  /** The first paragraphs. May be empty, where the body holds nothing but pictures. */
  paragraphs: Paragraph[];
  /** Whether the body goes on after these paragraphs: then the template says "Read on". */
  more: boolean;
  /** For the dateline and the contact line, reporters first. */
  bylines: { role: 'reporter' | 'editor'; name: string; email: string | null }[];
  related: { title: string; url: string }[];
  fullStory: { title: string; url: string } | null;
  /** The note of a corrected story, which stands with it. */
  correction: { note: string; at: number } | null;
}

/** The same words twice. */
export interface Paragraph {
  /** What goes inside a `<p>`: text, links, emphasis. Sanitised; write it with `| raw`. */
  html: string;
  /** Without markup, a link's address in brackets behind its words. One line, or several where the author broke them. */
  text: string;
}

interface StoryImage {
  url: string;
  alt: string;
  /** With its label, such as `Photo: VCG`. */
  credit: string | null;
  /** Pixels. */
  width: number | null;
  height: number | null;
}

export interface RoundupEntry extends StoryLine {
  /** One to three sentences; null where the item is a headline alone. */
  sentences: Paragraph | null;
  /** Who reported it first; null for an item that credits nobody. */
  outlet: Outlet | null;
  /** Other outlets that reported the same event, in the order of their reports. */
  also: Outlet[];
}

export interface Outlet {
  name: string;
  url: string;
}

/** A correction or retraction of a story that an earlier edition held. */
export interface CorrectionEntry {
  articleId: string;
  kind: 'correction' | 'retraction';
  /** With its kicker. */
  headline: string;
  /** The article's page, which for a retracted story shows the note in its place. */
  url: string;
  note: string;
  /** When it was noted. */
  at: number;
  lang: string | null;
  dir: 'ltr' | 'rtl';
}

export interface EditionLinks {
  /** The front page. */
  home: string;
  /** This edition's archive page, to view it in a browser. */
  archive: string;
  /** The list of the newsletter's past editions. */
  editions: string;
  /** The feeds page. */
  feeds: string;
  /** Where a newcomer subscribes. */
  newsletters: string;
}
