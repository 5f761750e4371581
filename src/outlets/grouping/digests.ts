/** Titles of digests and live reports: they tell of many events, so that they belong to none. Pure. */
import { normalise } from './words.ts';

const NUMBER = '(?:\\d{1,2}|three|four|five|six|seven|eight|nine|ten|twelve)';
const PARTS = '(?:things|stories|headlines|takeaways|charts|numbers)';
const DAY = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)';
const TIME = `(?:daily|weekly|monthly|early|morning|midday|noon|afternoon|evening|late|weekend|${DAY})`;
const KIND = '(?:briefing|brief|digest|round-?up|wrap|wrap-up|headlines|bulletin|newsletter|recap)';
const SUBJECT = '(?:news|markets?|stocks?|tech|business|media|earnings|week|day)';

const DIGESTS: readonly RegExp[] = [
  // "10 things to know today", "The top five tech stories"
  new RegExp(`^(?:the )?(?:top )?${NUMBER} (?:\\w+ ){0,2}${PARTS}\\b`),
  // "Your morning briefing", "Friday tech roundup"
  new RegExp(`^(?:the |your |our )?${TIME} (?:\\w+ )?(?:${KIND}|links|reads)\\b`),
  // "Market wrap: …", "The week in review"
  new RegExp(`\\b${SUBJECT} (?:${KIND}|in brief|in review)\\b`),
  // "Round-up: …", "Live: …"; but news agencies write "BRIEF: …" before reports of one event
  /^(?:round-?up|digest|briefing|live)(?: ?[:–—|]| - |$)/,
  /\b(?:live ?blog|live updates|as it happened)\b/,
  /(?:早报|晚报|早知道|要闻|新闻汇总|直播回顾|文字直播|图文直播)/,
  /(?:まとめ読み|ニュースまとめ|(?:今日|今朝|今週)の(?:主な)?ニュース|ニュース一覧|ライブ更新)/,
];

/** What is read of a title, in UTF-16 units. */
const LENGTH = 300;

export function isDigest(title: string): boolean {
  const text = normalise(title.slice(0, LENGTH)).replace(/\s+/g, ' ').trim();
  return DIGESTS.some((pattern) => pattern.test(text));
}
