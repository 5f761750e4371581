/** The mail of one copy, from the parts of its edition. Pure. */
import { fillHtml, fillText } from '../rendering/placeholders.ts';
import { copyContent, copyPreheader, type EditionCopy, type EditionSegments } from './copy.ts';
import { chooseParts, chooseText } from './segments.ts';

/** What a mail shows in an inbox and when it is opened. */
interface CopyMail {
  subject: string;
  preheader: string;
  html: string;
  text: string;
}

/**
 * Makes the mail of a copy.
 * @param nonce of the edition
 * @param links values of the personal placeholders
 * @throws Error as `fillPlaceholders`
 */
export function fillCopy(
  segments: EditionSegments,
  { stories, subject }: Pick<EditionCopy, 'stories' | 'subject'>,
  nonce: string,
  links: Readonly<Record<string, string>>,
): CopyMail {
  const content = copyContent(segments, stories);
  const preheader = copyPreheader(segments, content.stories);
  const values = { ...links, preheader, headline: subject };
  const html = fillHtml(chooseParts(segments.html, content).join(''), nonce, values);
  const text = fillText(chooseText(segments.text, content), nonce, values);
  return { subject, preheader, html, text };
}
