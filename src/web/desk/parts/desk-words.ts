/**
 * What the desk has in place of the commands that messages for operators name: alerts and refusals are written once,
 * for the command line and the desk alike. Pure.
 */

/** Of the command without the word `daywire`: the first pattern that it matches. */
const COMMANDS: readonly (readonly [command: RegExp, words: string])[] = [
  [/^editions pause\b/, '“Pause” under Deliveries'],
  [/^editions resume\b/, '“Resume” under Deliveries'],
  [/^editions cancel\b/, '“Cancel” under Deliveries'],
  [/^editions retry\b.* --cancelled/, '“Deliver it after all” under Deliveries'],
  [/^editions retry\b/, '“Retry failed” under Deliveries'],
  [/^editions settle\b.* --as retry/, '“Submit it again” under Deliveries'],
  [/^editions settle\b/, '“It was submitted” under Deliveries'],
  [/^editions show\b/, 'its page under Editions'],
  [/^editions log\b/, 'the log on its page'],
  [/^editions hold\b/, '“Hold” on its page'],
  [/^editions unhold\b/, '“Release” on its page'],
  [/^editions approve\b/, '“Approve” on its page'],
  [/^editions send\b/, '“Send now” on its page'],
  [/^editions note\b/, '“Note” on the page of its reissue'],
  [/^roundup(?: list)?$/, 'the page Roundup'],
  [/^sources accept\b/, '“Accept” on the page Sources'],
  [/^sources resume\b/, '“Resume” on the page Sources'],
  [/^sources withdraw\b/, '“Retract the articles” on the page Sources'],
];

/** Options and short names of commands that messages give without the command. */
const OPTIONS: readonly (readonly [option: RegExp, words: string])[] = [
  [/\bwith "unhold"/g, 'with “Release”'],
  [/\bwith "pin"/g, 'with “Pin”'],
  [/\bwith --keep\b/g, 'with “Keep the articles”'],
  [/\bwith --as-correction\b/g, 'as a correction'],
  // Numbers of reports, which the desk does not show.
  [/\bthere is no group with report \d[\d, ]*/g, 'the group is not there any more'],
  [/\breport \d+ is not in this group: it has \d[\d, ]*/g, 'the report is not in this group any more'],
  [/\buse --auto\b/g, 'use “Back to automatic”'],
  // Of an import.
  [/--map status=/g, 'to “Columns that say the status” '],
  [/Say what they mean: (.{0,120}?)--status "/g, 'Say what they mean: $1in “What the values of the status say” "'],
  [/--ignore "/g, 'to “Columns that say nothing about consent” "'],
  [/\badd --status unsubscribed\b/g, 'write unsubscribed'],
  [/, or --status subscribed\b/g, ', or subscribed, into “What the values of the status say”'],
  [/--status "/g, 'and into “What the values of the status say” "'],
  [/ \(--format [a-z-]{1,40}\)/g, ''],
  [/, or choose it with --map email="…"/g, ''],
  [/choose one with --map [a-z]{1,40}="…"/g, 'rename one of them'],
];

/** What only somebody at the machine can do. */
const ELSEWHERE = 'the command line of the server';

/** A command in quotation marks, as messages write it. */
const COMMAND = /"daywire ([^"]{1,500})"/g;

/** The same words in a row, for commands that differed by the edition. */
const REPEATED = /(“[^”]{1,40}” under Deliveries)(?:(?:,| and| or) \1)+/g;

/** The text with what to use at the desk in place of each command that it names. */
export function deskWords(text: string): string {
  const named = text.replace(COMMAND, (_, command: string) => wordsFor(command) ?? ELSEWHERE);
  return OPTIONS.reduce((all, [option, words]) => all.replace(option, words), named).replace(REPEATED, '$1');
}

/** @param command without the word `daywire` @returns null for one that the desk does not have */
export function wordsFor(command: string): string | null {
  return COMMANDS.find(([pattern]) => pattern.test(command))?.[1] ?? null;
}
