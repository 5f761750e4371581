/** The mail of one copy, from the parts of its edition. Pure. */
import type { Choice } from '../../articles/choice.ts';
import type { Locale } from '../../lib/locale/locale.ts';
import { fillHtml, fillText } from '../rendering/placeholders.ts';
import {
  COPY_PLACEHOLDERS,
  type CopySubjects,
  copyContent,
  copyPreheader,
  type EditionSegments,
  openCopies,
} from './copy.ts';
import { chooseParts, joinLines } from './segments.ts';

/**
 * Makes the mail of those who made a choice. Its `suppressed` says why it is not mailed; null if it is.
 * @param locale of the edition
 * @param links values of the personal placeholders
 * @throws Error as `fillPlaceholders`
 */
export function fillCopy(
  edition: { segments: EditionSegments; subjects: CopySubjects; nonce: string },
  locale: Locale,
  choice: Choice,
  links: Readonly<Record<string, string>>,
) {
  const { segments, nonce } = edition;
  const { stories, subject, suppressed } = openCopies(edition, locale)(choice);
  const content = copyContent(segments, stories);
  const preheader = copyPreheader(segments, content.stories);
  const values = { ...links, [COPY_PLACEHOLDERS.preheader]: preheader, [COPY_PLACEHOLDERS.headline]: subject };
  const html = fillHtml(chooseParts(segments.html, content).join(''), nonce, values);
  const text = fillText(joinLines(chooseParts(segments.text, content)).join(''), nonce, values);
  return { subject, preheader, html, text, suppressed };
}
