/**
 * The checks of a composed edition. Pure: what the store and other servers know is among the facts. The reasons for
 * each severity are in docs/decisions/2026-11-27-edition-checks.md.
 */
import type { NewsletterConfig } from '../../core/config/config.ts';
import { hasVisibleCharacter } from '../../lib/text/clean-text.ts';
import { graphemeCount } from '../../lib/text/shorten.ts';
import type { ComposedEdition } from '../compose.ts';
import type { LinkState } from '../links/link-cache.ts';
import { placeholder } from '../rendering/placeholders.ts';
import { MAX_HTML_BYTES } from '../rendering/size-limit.ts';
import { type HtmlFacts, listLinks, readHtml } from './edition-links.ts';
import { type EditionProblem, shownStories } from './edition-problem.ts';
import { checkLeftoverWords } from './leftover-words.ts';
import { checkRepeatedStories, type StoryIdentity } from './repeated-stories.ts';

export interface CheckFacts {
  edition: Pick<ComposedEdition, 'view' | 'html' | 'text' | 'nonce' | 'size'>;
  blocks: NewsletterConfig['blocks'];
  /** Whether an editor wrote the subject. */
  isSubjectEdited: boolean;
  /** That every copy must show. */
  postalAddress: string;
  /** The URL that every copy must link to; null without an imprint. */
  imprint: string | null;
  /** In display order. */
  stories: readonly StoryIdentity[];
  /** Null before the newsletter's first edition. */
  last: { slot: string; stories: readonly StoryIdentity[] } | null;
  /** By URL; those of which nothing is known are missing. */
  links: ReadonlyMap<string, LinkState>;
}

/** Mail programs on phones show about as many graphemes of a subject. */
const MAX_SUBJECT = 60;
/** Percent of the maximum from which the size is reported. */
const LARGE = 90;

/** Finds the problems of an edition: errors first, then in the order of the email. */
export function checkEdition(facts: CheckFacts): EditionProblem[] {
  const html = readHtml(facts.edition.html);
  const problems = [
    ...checkRequiredParts(facts, html),
    ...checkSubject(facts),
    ...checkSize(facts),
    ...checkBlocks(facts),
    ...checkLeftoverWords(facts.edition.view),
    ...checkPictures(facts, html),
    ...checkLinks(facts, html),
    ...checkRepeatedStories(facts.stories, facts.last),
  ];
  return problems.sort((a, b) => rank(a) - rank(b));
}

function rank({ severity }: EditionProblem): number {
  return severity === 'error' ? 0 : 1;
}

function checkRequiredParts({ edition, postalAddress, imprint }: CheckFacts, html: HtmlFacts): EditionProblem[] {
  const unsubscribe = placeholder(edition.nonce, 'unsubscribe');
  const has = (content: string, part: string): boolean => compact(content).includes(compact(part));
  const required = (code: EditionProblem['code'], isIn: { HTML: boolean; text: boolean }, what: string) => {
    const missing = Object.entries(isIn).flatMap(([part, isThere]) => (isThere ? [] : [part]));
    if (missing.length === 0) return [];
    const message = `the ${missing.join(' and the ')} ${what} to the template`;
    return [{ code, severity: 'error', message, place: null } satisfies EditionProblem];
  };
  return [
    ...required(
      'no-unsubscribe-link',
      { HTML: html.links.includes(unsubscribe), text: edition.text.includes(unsubscribe) },
      'has no unsubscribe link: add placeholders.unsubscribe',
    ),
    ...required(
      'no-postal-address',
      { HTML: has(html.text, postalAddress), text: has(edition.text, postalAddress) },
      `does not show the postal address (${postalAddress}), which many countries require: add it`,
    ),
    ...required(
      'no-imprint-link',
      {
        HTML: imprint === null || html.links.includes(imprint),
        text: imprint === null || has(edition.text, imprint),
      },
      `has no link to the imprint (${imprint}): add site.imprint.url`,
    ),
  ];
}

/** Without white space: the text is wrapped, and an address may have several lines. */
function compact(text: string): string {
  return text.replace(/\s+/g, '');
}

/** The automatic subject is cut where mail programs cut it, and nobody should be warned of it every day. */
function checkSubject({ edition, isSubjectEdited }: CheckFacts): EditionProblem[] {
  if (!isSubjectEdited) return [];
  const { subject } = edition.view;
  const length = graphemeCount(subject);
  if (length <= MAX_SUBJECT) return [];
  const message =
    `the subject has ${length} characters, and phones show about ${MAX_SUBJECT}: ` +
    `put what matters first, or write a shorter one: “${subject}”`;
  return [{ code: 'long-subject', severity: 'warning', message, place: null }];
}

function checkSize({ edition }: CheckFacts): EditionProblem[] {
  const { bytes, shortExcerpts, leftOut } = edition.size;
  const percent = Math.floor((100 * bytes) / MAX_HTML_BYTES);
  const effects = [
    ...(shortExcerpts ? ['excerpts are shorter than usual'] : []),
    ...(leftOut === 0 ? [] : [`${leftOut === 1 ? '1 story waits' : `${leftOut} stories wait`} for the next edition`]),
  ];
  if (percent < LARGE && effects.length === 0) return [];
  const size = `the HTML takes ${bytes} of ${MAX_HTML_BYTES} bytes (${percent}%)`;
  if (bytes >= MAX_HTML_BYTES) {
    const message = `${size}, and mail programs clip it, with its unsubscribe link: drop stories, or shorten the note`;
    return [{ code: 'large-html', severity: 'error', message, place: null }];
  }
  const message =
    effects.length === 0
      ? `${size}: with a little more, excerpts are shortened and stories left out`
      : `${size} because ${effects.join(' and ')}: drop stories to choose those that stay`;
  return [{ code: 'large-html', severity: 'warning', message, place: null }];
}

/**
 * Reports an empty block where the last edition had stories in it, and a missing lead always. A newsletter that seldom
 * has analyses gets no warning every day, and the latest stories are those that no other block took.
 */
function checkBlocks({ edition, blocks, last }: CheckFacts): EditionProblem[] {
  const { view } = edition;
  const problem = (block: 'lead' | 'news' | 'analysis' | 'roundup', message: string): EditionProblem => ({
    code: 'empty-block',
    severity: 'warning',
    message,
    place: { block, articleId: null, headline: null },
  });
  const problems = [];
  if (view.lead === null) {
    problems.push(problem('lead', "there is no lead: none of the stories is the newsroom's own"));
  }
  for (const block of ['news', 'analysis', 'roundup'] as const) {
    const before = last?.stories.filter((story) => story.block === block).length ?? 0;
    if (blocks[block] === 0 || view[block].length > 0 || before === 0) continue;
    const had = before === 1 ? '1 story' : `${before} stories`;
    problems.push(
      problem(block, `the block ${block} is empty, and the last edition had ${had} in it: is one missing?`),
    );
  }
  return problems;
}

function checkPictures({ edition }: CheckFacts, html: HtmlFacts): EditionProblem[] {
  const problems: EditionProblem[] = [];
  for (const { place, story } of shownStories(edition.view)) {
    const { image } = story as { image?: { url: string; alt: string } | null };
    if (!image || hasVisibleCharacter(image.alt)) continue;
    const message = `its picture has no alternative text: describe it in the article's image.alt (${image.url})`;
    problems.push({ code: 'missing-alt-text', severity: 'warning', message, place });
  }
  for (const url of new Set(html.withoutAlt)) {
    const message = `a picture has no alt attribute: add one to the template, empty if it only decorates (${url})`;
    problems.push({ code: 'missing-alt-text', severity: 'warning', message, place: null });
  }
  return problems;
}

function checkLinks({ edition, links }: CheckFacts, html: HtmlFacts): EditionProblem[] {
  return listLinks(edition.view, html.links).flatMap(({ url, place }) => {
    const state = links.get(url) ?? { kind: 'works' };
    if (state.kind === 'works') return [];
    const found: Pick<EditionProblem, 'code' | 'severity' | 'message'> =
      state.kind === 'dead'
        ? { code: 'dead-link', severity: 'error', message: `a link is dead: ${url} (${state.reason}): correct it` }
        : {
            code: 'unchecked-link',
            severity: 'warning',
            message: `a link could not be checked: ${url} (${state.reason}): open it in a browser`,
          };
    return { ...found, place };
  });
}
