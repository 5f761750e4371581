/**
 * The header fields that all copies of an edition share.
 */
import type { NewsletterConfig } from '../../config/config.ts';
import { type HeaderField, headerField, headerPhrase, headerText } from './header-field.ts';
import type { Sender } from './sender.ts';

export function editionFields(
  subject: string,
  newsletter: Pick<NewsletterConfig, 'id' | 'title'>,
  sender: Sender,
  contentType: string,
): HeaderField[] {
  return [
    ...sender.fields,
    headerField('Subject', headerText(subject)),
    headerField('MIME-Version', '1.0'),
    headerField('Content-Type', contentType),
    // RFC 2919
    headerField('List-ID', `${headerPhrase(newsletter.title)} <${newsletter.id}.${sender.domain}>`),
    ...AUTOMATIC,
    headerField('Precedence', 'bulk'),
  ];
}

/** RFC 3834 §5.1, and what holiday responders heed in practice. */
export const AUTOMATIC: readonly HeaderField[] = [
  headerField('Auto-Submitted', 'auto-generated'),
  headerField('X-Auto-Response-Suppress', 'OOF, AutoReply'),
];
