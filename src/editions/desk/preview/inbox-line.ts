/** How an inbox shows an edition before it is opened. Programs differ. Pure. */
import { html } from 'hono/html';
import { graphemeCount, shorten } from '../../../lib/text/shorten.ts';
import type { Html } from '../../../web/desk/html.ts';

interface InboxTexts {
  subject: string;
  preheader: string;
}

/** The mail in the inbox of a phone and of a wide window, with counters. @param from the name of the sender */
export function inboxLines(from: string, texts: InboxTexts): Html {
  const line = (place: 'phone' | 'desktop', title: string): Html => {
    const { subject, preheader } = inboxLine(place, texts);
    return html`<h2>${title}</h2><p class="${place}" dir="auto"><b>${from}</b> <span class="subject">${subject}</span>
<span class="preheader">${preheader}</span></p>`;
  };
  return html`${line('phone', 'On a phone')}${line('desktop', 'In a wide window')}
<p>Subject: ${countLine(texts.subject, PHONE_SUBJECT)}. Preheader: ${countLine(
    texts.preheader,
    PHONE_PREHEADER,
  )}. Programs differ.</p>`;
}

/** Graphemes of the subject that phones show, as in the check of the subject. */
export const PHONE_SUBJECT = 60;
/** Graphemes of the preheader that phones show, in two lines. */
export const PHONE_PREHEADER = 90;
/** Graphemes of subject and preheader together, in one line of a wide window. */
const DESKTOP_LINE = 120;

/** The texts as an inbox cuts them, on a phone or in a wide window. */
export function inboxLine(place: 'phone' | 'desktop', { subject, preheader }: InboxTexts): InboxTexts {
  if (place === 'phone') {
    return { subject: shorten(subject, PHONE_SUBJECT), preheader: shorten(preheader, PHONE_PREHEADER) };
  }
  const shown = shorten(subject, DESKTOP_LINE);
  return { subject: shown, preheader: shorten(preheader, DESKTOP_LINE - graphemeCount(shown)) };
}

/** `47 characters; phones show about 60`. */
export function countLine(text: string, limit: number): string {
  const count = graphemeCount(text);
  return `${count} ${count === 1 ? 'character' : 'characters'}; phones show about ${limit}`;
}
