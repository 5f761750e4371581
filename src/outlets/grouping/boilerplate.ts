/** Summaries without what an outlet puts under many reports: it tells nothing of the event. Pure. */
import { normalise } from './words.ts';

/** "June 11, 2020 5:00 AM", "ORLEN, June 10 (Northwind Press) -", "ORLEN - JUNE 10:", "OPINION:" */
const DATELINE =
  /^(?:\p{L}+\.? \d\d?, \d{4} [\d:]+ .M )?(?:\p{Lu}[\p{Lu}\d. ]+(?:,[^(–—:-]{0,24})?(?:\([^()]*\))? ?[-–—:]+ ){0,2}/u;
/** Ends of sentences. Links, addresses, hashtags and names of accounts are removed with them. */
const ENDS = /(?:https?:|www\.)\S+|(?<!\S)\S{0,64}[#@]\S+|(?<=[\p{Ll}\d][.!?…]["”’)]?)\s+|(?<=[。！？])|\n|\s[|•*]\s/u;
const CALL =
  /^(?:subscribe|follow us|(?:for|watch|get|read|to watch) more(?! than)|(?:watch|read) the full|continue reading)\b/i;
const BYLINE_OR_LABEL =
  /^$|^by \p{Lu}\S+ \p{Lu}\S+(?: (?:of|for) .{1,30})?$|^watch\b.*\bhere\b|\bclick (?:here|the)\b|:$/iu;

/** @returns for each item of a window, up to 300 UTF-16 units of its summary; null where nothing is left */
export function cleanSummaries(items: readonly { outlet: string; summary: string | null }[]): (string | null)[] {
  const counts = new Map<string, number>();
  const summaries = items.map(({ outlet, summary }) => {
    const text = (summary ?? '').slice(0, 1000).trimStart().replace(DATELINE, '');
    const sentences = new Map<string, string>();
    for (const sentence of text.split(ENDS).map((part) => part.trim())) {
      const isCall = CALL.test(sentence);
      if (isCall && sentences.size > 0) break;
      if (isCall || BYLINE_OR_LABEL.test(sentence)) continue;
      // Feeds cut summaries at a length, so that only the beginning of a sentence counts.
      sentences.set(`${outlet}\n${normalise(sentence.slice(0, 60)).replace(/\d+/g, '0')}`, sentence);
    }
    for (const key of sentences.keys()) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...sentences];
  });
  return summaries.map((sentences) => {
    const kept = sentences.filter(([key]) => (counts.get(key) ?? 0) < 3).map(([, sentence]) => sentence);
    return kept.join(' ').slice(0, 300) || null;
  });
}
