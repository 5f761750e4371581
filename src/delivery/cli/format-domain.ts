/**
 * Prints the sending domain: what is missing first.
 */
import type { BulkRule } from '../sending-domain/bulk-rules.ts';
import type { Judgement, JudgementVerdict } from '../sending-domain/judgement.ts';
import type { SendingDomain } from '../sending-domain/sending-domain.ts';
import { zoneLine } from '../sending-domain/zone-record.ts';

/** Columns; records are never wrapped, since they are pasted. */
const WIDTH = 100;

const HEADINGS: [JudgementVerdict, string][] = [
  ['fail', 'To repair'],
  ['unknown', 'Not known'],
  ['pass', 'Right'],
];

const MARKS: Record<JudgementVerdict, string> = { fail: 'FAIL', unknown: 'unknown', pass: 'pass' };

export function formatSendingDomain({ senders, judgements, rules }: SendingDomain): string {
  const of = (verdict: JudgementVerdict): Judgement[] => judgements.filter((one) => one.verdict === verdict);
  const [failed, unknown, passed] = [of('fail').length, of('unknown').length, of('pass').length];
  const lines = [`${senders.join(', ')}: ${failed} to repair, ${unknown} not known, ${passed} right`];
  // The record that repairs two things is pasted once.
  const printed = new Map<string, string>();
  for (const [verdict, heading] of HEADINGS) {
    const those = of(verdict);
    if (those.length > 0) lines.push('', heading, ...those.flatMap((one) => judgementLines(one, printed)));
  }
  lines.push('', 'Rules of Gmail and Yahoo for senders of 5,000 messages a day or more', ...rules.flatMap(ruleLines));
  return lines.join('\n');
}

const NAME_WIDTH = 13;

/** @param printed ids of the judgements below which records are printed, by line; is changed */
function judgementLines({ id, domain, message, record }: Judgement, printed: Map<string, string>): string[] {
  const lines = [`  ${id.padEnd(NAME_WIDTH)}${domain}`, ...wrap(message, NAME_WIDTH + 4)];
  if (record === undefined) return lines;
  const indent = ' '.repeat(NAME_WIDTH + 4);
  const above = printed.get(zoneLine(record));
  if (above !== undefined) return [...lines, `${indent}as ${above} above`];
  printed.set(zoneLine(record), id);
  const old = record.replaces.map((value) => zoneLine({ ...record, value }));
  return [...lines, ...old.map((line) => `${indent}delete  ${line}`), `${indent}add     ${zoneLine(record)}`];
}

function ruleLines({ verdict, rule, reason }: BulkRule): string[] {
  return [`  ${MARKS[verdict].padEnd(9)}${rule}`, ...wrap(reason, 13)];
}

/** Lines of at most WIDTH columns, where words allow it. */
function wrap(text: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${' '.repeat(indent)}${one}`);
}
