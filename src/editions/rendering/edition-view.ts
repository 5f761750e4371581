/**
 * The data of an edition's templates: plain JSON, the same for the HTML, the text and the archive page. Fields named
 * `html` are sanitised inline markup; all other strings are plain text, which templates must escape. Instants are epoch
 * milliseconds; the filters of lib/templates.ts show them in the publication's zone. All URLs are absolute.
 */
import type { FirstOutlet, Outlet } from '../../articles/article.ts';

export interface EditionView {
  masthead: Masthead;
  /** Not shortened: `Tech Roundup: first item, second item`. */
  headline: string;
  /** Subject of the email: the headline, shortened. */
  subject: string;
  /** Shown by mail programs next to the subject. One line, never empty. */
  preheader: string;
  /** The editor's note, shown first. Usually empty. */
  note: Paragraph[];
  /** Whether a list of the blocks is shown. */
  hasContents: boolean;
  /** Minutes that it takes to read what the edition shows; null if that is not shown. */
  readingMinutes: number | null;
  /** A paid text. Templates must show its label. */
  sponsor: Sponsor | null;
  /** Null only if the edition has no story of the newsroom's own. */
  lead: Story | null;
  /** Title of the block `news`: `24-Hour News`, or `This Week`. */
  newsTitle: string;
  /** Newest first. */
  news: NewsLine[];
  analysis: Story[];
  roundup: RoundupItem[];
  /** Newest first. */
  latest: StoryLine[];
  /** Newest first. */
  corrections: Correction[];
  links: EditionLinks;
}

/** The stories of an edition in display order: each is known by its number in this list. */
export function numberedStories({ lead, news, analysis, roundup, latest }: EditionView): StoryLine[] {
  return [...(lead === null ? [] : [lead]), ...news, ...analysis, ...roundup, ...latest];
}

interface Masthead {
  /** Title of the newsletter; the publication's name is `site.name`. */
  title: string;
  /** Id of the newsletter. */
  newsletter: string;
  /** Name of the roundup, such as `Tech Roundup`. */
  kicker: string;
  /** Instant of the edition's slot. */
  date: number;
  /** Counts the newsletter's editions from 1. */
  number: number;
  /** `2026-11-24`, or `2026-11-24-0730` where a day has several. */
  slot: string;
  /** Counts from 1. More than 1 for an edition that was corrected after it had closed. */
  revision: number;
  /** Says so on the archive page: `This is revision 2 of this edition. …`. Null for the first revision. */
  revisionNote: string | null;
  /** Whether the email goes to subscribers who have an earlier revision: it then has `revisionNote` as well. */
  isCorrection: boolean;
}

/** Fields of a story in every block. */
export interface StoryLine {
  articleId: string;
  kicker: string | null;
  /** Without kicker. */
  headline: string;
  /** Page of the article. */
  url: string;
  dek: string | null;
  /** A label such as `Batteries`. */
  topic: string | null;
  /** Title of the section. */
  section: string | null;
  publishedAt: number;
  /** BCP 47; null if it is the publication's language (`site.language`). */
  lang: string | null;
  /** `rtl` for languages such as Arabic and Hebrew. */
  dir: 'ltr' | 'rtl';
}

export interface NewsLine extends StoryLine {
  /** A decoration: the headline says what the story is. Null if there is no picture, or none is shown. */
  thumbnail: { url: string; width: number; height: number | null } | null;
}

interface Sponsor {
  /** Such as `Sponsored`. */
  label: string;
  text: string;
  url: string;
  /** Host of `url` without `www.`, the text of the link. */
  host: string;
  /** `width` is in pixels. */
  image: { url: string; alt: string; width: number } | null;
}

/** A story with its text: the lead, and the stories of the analysis block. */
export interface Story extends StoryLine {
  image: StoryImage | null;
  /** The first paragraphs. Empty if the body has only pictures. */
  paragraphs: Paragraph[];
  /** Whether the body continues after these paragraphs: the template then shows "Read on". */
  more: boolean;
  /** Reporters first. */
  bylines: { role: 'reporter' | 'editor'; name: string; email: string | null }[];
  related: { title: string; url: string }[];
  fullStory: { title: string; url: string } | null;
  /** Note of a corrected story. */
  correction: { note: string; at: number } | null;
}

/** The same paragraph as HTML and as text. */
export interface Paragraph {
  /** Content of a `<p>`: text, links, emphasis. Sanitised; output it with `| raw`. */
  html: string;
  /** Without markup; a link's URL follows its text in parentheses. Several lines only if the author broke them. */
  text: string;
}

interface StoryImage {
  url: string;
  alt: string;
  /** With label, such as `Photo: VCG`. */
  credit: string | null;
  /** Pixels. */
  width: number | null;
  height: number | null;
}

export interface RoundupItem extends StoryLine {
  /** One to three sentences; null for an item that is only a headline. */
  sentences: Paragraph | null;
  /** Whether its own page has more text than that. */
  more: boolean;
  /** Where the headline leads: to the outlet's report; without one, to its own page (`url`). */
  headlineUrl: string;
  /** The outlet that reported it first; null for an item without credit. */
  outlet: FirstOutlet | null;
  /** Other outlets that reported the same event, each once. */
  also: Outlet[];
}

/** The correction or retraction of a story in an earlier edition. */
export interface Correction {
  articleId: string;
  kind: 'correction' | 'retraction';
  /** With kicker. */
  headline: string;
  /** Page of the article; that of a retracted story shows only the note. */
  url: string;
  note: string;
  /** Instant of the note. */
  at: number;
  lang: string | null;
  dir: 'ltr' | 'rtl';
}

export interface EditionLinks {
  /** Front page. */
  home: string;
  /** Archive page of this edition. */
  archive: string;
  /** List of the newsletter's past editions. */
  editions: string;
  /** Feeds page. */
  feeds: string;
  /** Page to subscribe. */
  newsletters: string;
}
