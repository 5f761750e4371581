/** What the form of a report tells: whether it is of one event, and whether a roundup may name it first. Pure. */
import { normalise } from './words.ts';

const WEEKDAY = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';
const MONTH = '(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,7}\\.?';
const DATE = `(?:${WEEKDAY},? )?(?:\\d{1,2} ${MONTH}|${MONTH} \\d{1,2})(?:,? \\d{4})?`;
const TIME = `(?:daily|weekly|monthly|early|morning|midday|noon|afternoon|evening|late|weekend|${WEEKDAY})`;
const KIND = '(?:briefing|brief|digest|round-?up|wrap|wrap-up|headlines|bulletin|newsletter|recap|links|reads)';
const MARKET =
  '(?:asx|wall st(?:reet)?|dow jones|nasdaq|ftse|(?:\\S+ )?(?:stocks|(?:stock|share) ?markets?)|(?:asian|us) shares)';
const MOVE =
  '(?:up|down|higher|lower|flat|mixed|set (?:to|for)|(?:rise|fall|gain|slip|slide|dip|climb|' +
  'edge|inch|advance|retreat|recover|rebound|stumble|swing|close|end|finishe|open|fluctuate|drift|ease|waver)[sd]?)';
const NO_SPEECH = '(?!.*\\b(?:holds?|delivers?|speaks?|address\\w*|gives?|testif\\w+|speech|hearing|conference)\\b)';

const DIGESTS: readonly RegExp[] = [
  // "10 things to know today", "Your morning briefing", "Market wrap: …"; but "BRIEF: …" is of one event
  /^(?:the |top ){0,2}(?:\d\d?|three|four|five|six|seven|eight|nine|ten) (?:\w+ ){0,2}(?:things|stories|takeaways)\b/,
  new RegExp(`^(?:the |your |our )?${TIME} (?:\\w+ )?${KIND}\\b|\\byour ${TIME} briefing$|\\bin (?:brief|review)$`),
  /^(?:(?:\S+ ){0,2}(?:round-?up|wrap|recap)(?: (?:for )?[^:]{1,20})?|digest|briefing|the papers)(?: ?[:–—|]| - |$)/,
  /早报|晚报|早知道|要闻|新闻汇总|まとめ読み|ニュースまとめ|(?:今日|今朝|今週)の(?:主な)?ニュース|ニュース一覧|ライブ更新|(?:文字|图文)直播|直播回顾/,
  // "Live: …", "Northwind news live: …", "Contoso keynote: as it happened"; but a live speech is one event
  new RegExp(`^live(?: ?[:–—|]| - |$)${NO_SPEECH}`),
  /\b(?:updates?|news|blog|coverage) live\b|^(?:\S+ ){1,4}(?<!watch |we )live: |\blive ?blog\b|\bas the day unfolded:/,
  /\blive (?:[\w-]+ ){0,3}(?:updates|tracker|graphics|coverage:)|: (?:as it happened|live coverage)\b|as it happened:/,
  /^(?:en (?:directo?|vivo)|ao vivo|in diretta) ?[:|–—]|\b(?:live|news)-?ticker\b|\bminuto a minuto\b|^börse aktuell/,
  // "The Orlen Report | Full Episode", "Orlen Tonight | Channel 9 (16 July 2021)", "Town cartoons, Monday, July 21"
  /\bfull (?:episode|newscast|bulletin)\b|\blive ?stream(?:ing)? (?:replay|\w+ \d)|^(?:replay|livestream) ?[:|]/,
  new RegExp(`^${NO_SPEECH}(?:\\S+ ){1,10}(?:\\| |\\(|[-–—] )${DATE} ?\\)?(?: ?[|/(-] ?.{1,40})?$`),
  new RegExp(`^(?:\\S+ ){0,4}\\S+(?<!day)[,:] ${DATE}$|^tv for ${DATE}$`),
  // "ASX set to fall" (but a crash is an event: "Stocks plunge"), "What we know so far", "What happened today", quizzes
  new RegExp(`^(?:\\S+: )?${MARKET} (?:\\d+ |futures |(?:tipped |poised )?to |\\w+ly )?${MOVE}\\b`),
  /\bwhat we (?:do )?know\b|^(?:\S+ ){0,4}(?:here's )?(?:what|everything|all) (?:else )?(?:\w+ needs? )?to know\b/,
  new RegExp(`\\bwhat happened (?:today|overnight|(?:in .{1,40} )?on ${DATE})|^explainer:|[,:] explained$| at close$`),
  /^(?:\S+ ){0,4}(?:(?:super)?quiz(?:[:,]|$)|quiz of |crossword\b|horoscopes?\b)|(?:^|- |day's )(?:football )?gossip\b/,
  /^(?:the )?best of (?:the )?(?:cartoons|week)\b|^(?:\S+ )?cartoons?: |^(?:what's on tv|tv guide)\b|^gallery ?[:|]/,
  /^(?:\S+ ){0,2}(?:photos|pictures) of the (?:week|day)\b|^(?:week |day )?in (?:pictures|photos)\b|\bin pictures$/,
  /postcode check|in (?:my|your) area\?|\binteractive map:|^from the archives?\b|^market close:|\band other questions$/,
];
const DIGEST_SUMMARY =
  /\b(?:what else|\w+ things) you need to know\b|\btip sheet\.?$|^follow our (?:rolling|live) |^.{0,40}\bpodcast \| /;
const SECONDARY: readonly RegExp[] = [
  /^(?:watch(?: live)?|video|live|listen|podcast|gallery|photos|opinion|editorial|letters|column|comment) ?[:|–—]/,
  /[|([–—] ?(?:video|watch|podcast|opinion|gallery|photos)[)\]]?$|\blive (?:updates|blog)\b|\b(?:podcast|column): /,
  /^https?:\/\/(?:(?:www|m)\.)?(?:youtube\.com|youtu\.be|vimeo\.com)\//,
  /^http[^?#]*\/(?:videos?|av|gallery|podcasts?|live(?:-\w+|blog)?|opinions?|commentisfree|editorials?|columnists?)\//,
];

/** Whether a report is of many events, so that it belongs to no story group. @param summary plain text */
export function isDigest(title: string, summary: string | null): boolean {
  return hasForm(title, DIGESTS) || hasForm(summary ?? '', [DIGEST_SUMMARY]);
}

/** Whether a report is a video, a live report or an opinion, so that a roundup names another one first. */
export function isSecondary({ title, url }: { title: string; url: string | null }): boolean {
  return hasForm(title, SECONDARY) || hasForm(url ?? '', SECONDARY);
}

function hasForm(text: string, forms: readonly RegExp[]): boolean {
  // Compatible forms of a character may be 18 times as long.
  const line = normalise(text.slice(0, 300)).slice(0, 300).replaceAll('’', "'").replace(/\s+/g, ' ').trim();
  return forms.some((form) => form.test(line));
}
