/** The form of a report. Pure. */

const FORM = /^(?:video|watch|live|opinion|editorial|podcast)(?: ?[:|]| - )/i;
const PLACE = /^https?:\/\/(?:[^/]*\byoutube\.com\/|[^/]+\/(?:videos?|live|live-updates|opinions?)\/)/i;

/** Whether it is a video, a live blog or an opinion piece: a report of the event itself is named before it. */
export function isSecondary({ title, url }: { title: string; url: string }): boolean {
  return FORM.test(title) || PLACE.test(url);
}
