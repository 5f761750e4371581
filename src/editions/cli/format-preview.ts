/** What `daywire preview` prints. */
import { count, section, table } from '../../core/cli/text.ts';
import type { NewsletterConfig } from '../../core/config/config.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { localDateTime, rfc3339 } from '../../lib/time.ts';
import type { Preview } from '../preview.ts';
import type { LeftOutReason } from '../selection/left-out.ts';

type Minimum = Pick<NewsletterConfig, 'id' | 'minimumStories'>;

/** @param zone in which instants are shown */
export function formatPreview(preview: Preview, newsletter: Minimum, zone: string): string {
  const { slot, window, stories, isSkipped, earlierSlot, articles, leftOut, olderArticles } = preview;
  const { rejectedArticles } = preview;
  const [from, until] = [window.from, window.until].map((instant) => localDateTime(instant, zone));
  return [
    ...(preview.kind === 'written' ? [preview.htmlPath, ''] : []),
    `${newsletter.id} of ${slot.label}` +
      // An alert has its article, however old.
      (window.from === 0 ? '' : `: stories published from ${from} until ${until} (${zone})`),
    isSkipped ? formatSkipped(stories, newsletter.minimumStories) : count(stories, 'story', 'stories'),
    ...(earlierSlot === null
      ? []
      : [`the edition of ${earlierSlot} comes first and takes its stories from the same list`]),
    ...section('in it', table(articles.map(({ block, headline, id }) => [block, cutLine(headline), id]))),
    ...section(
      'not in it',
      table(leftOut.map(({ headline, id, reason }) => [formatReason(reason, zone), cutLine(headline ?? ''), id])),
    ),
    ...(olderArticles === 0 ? [] : [`  and ${count(olderArticles, 'older article')}`]),
    ...(rejectedArticles === 0
      ? []
      : ['', `${count(rejectedArticles, 'article was', 'articles were')} rejected: see "daywire rejected list"`]),
  ].join('\n');
}

/** `2 stories; the slot would be skipped below 3`. */
export function formatSkipped(stories: number, minimum: number): string {
  return `${count(stories, 'story', 'stories')}; the slot would be skipped below ${minimum}`;
}

/** For programs. */
export function previewJson(preview: Preview, { id, minimumStories }: Minimum): object {
  const { slot, window, stories, isSkipped, earlierSlot, articles, leftOut, olderArticles } = preview;
  const rendered =
    preview.kind === 'empty'
      ? { htmlPath: null, textPath: null }
      : {
          number: preview.composed.number,
          headline: preview.composed.headline,
          subject: preview.composed.subject,
          preheader: preview.composed.preheader,
          htmlPath: preview.htmlPath,
          textPath: preview.textPath,
        };
  return {
    newsletter: id,
    slot: slot.label,
    slotAt: slot.slotAt,
    window: { from: rfc3339(window.from), until: rfc3339(window.until) },
    ...{ stories, minimumStories, isSkipped, earlierSlot, articles, leftOut, olderArticles },
    rejectedArticles: preview.rejectedArticles,
    ...rendered,
  };
}

/** Why an article is not in the edition. */
export function formatReason(reason: LeftOutReason, zone: string): string {
  switch (reason.kind) {
    case 'draft':
      return 'is a draft';
    case 'retracted':
      return 'is retracted';
    case 'is-roundup':
      return 'is of kind roundup';
    case 'in-earlier-edition':
      return `was in the edition of ${reason.slot}`;
    case 'not-public-yet':
      return `is not public before ${localDateTime(reason.publicAt, zone)}`;
    case 'too-old':
      return `is too old: ${localDateTime(reason.publishedAt, zone)}`;
    case 'did-not-fit':
      return 'did not fit: its block is full';
    case 'not-picked':
      return 'was let in by a rule, but not by one of this newsletter: no editor has picked it';
    case 'dropped':
      return 'is dropped';
    case 'dropped-earlier':
      return `was dropped from the edition of ${reason.slot}`;
    case 'cannot-be-shown':
      return cutLine(reason.problem);
  }
}

/** A headline or a reason in a table. */
export function cutLine(text: string): string {
  return shorten(text, 60);
}
