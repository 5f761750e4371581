/** What the log of an article's changes has of before, as text. Pure. */
import type { Article } from '../article.ts';
import type { FormerFields } from '../edits/edit-log.ts';

/** The fields of before, each with its name and its text; empty for none. */
export function formerTexts({ headline, kicker, dek, section, body, pinned, status }: FormerFields): FormerText[] {
  const texts: [string, string | null | undefined][] = [
    ['Headline', headline],
    ['Kicker', kicker],
    ['Dek', dek],
    ['Section', section],
    ['Body', body?.source],
    ['Pinned', pinned === undefined ? undefined : pinned ? 'yes' : 'no'],
    ['State', status === undefined ? undefined : stateText(status)],
  ];
  return texts.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text: text ?? '' }]));
}

interface FormerText {
  label: string;
  text: string;
}

function stateText(status: Article['status']): string {
  return 'note' in status ? `${status.state}: ${status.note}` : status.state;
}
