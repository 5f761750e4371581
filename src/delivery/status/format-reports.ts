/**
 * Text about complaints and bounces of an edition.
 */
import { count } from '../../core/cli/text.ts';
import { formatPercent } from '../rates/judge-rates.ts';
import type { EditionReports, ProviderReports, RateLevelReached } from './edition-reports.ts';

/** `2990 delivered, 9 complaints (0.3 %), 24 bounces (5 %; 20 rejected at once)`; empty if nothing was reported. */
export function formatReports(reports: EditionReports): string {
  const { delivered, softBounces } = reports;
  return [
    ...(delivered === null ? [] : [`${delivered} delivered`]),
    ...formatRates(reports),
    ...(softBounces === 0 ? [] : [count(softBounces, 'soft bounce')]),
  ].join(', ');
}

/** What counts in the rates, where there is any. */
export function formatRates({
  complaints,
  complaintPercent,
  bounces,
  bouncePercent,
  rejected,
}: EditionReports): string[] {
  const ofBounces = rejected === 0 ? '' : `; ${rejected} rejected at once`;
  return [
    ...(complaints === 0 ? [] : [`${count(complaints, 'complaint')} (${formatPercent(complaintPercent)} %)`]),
    ...(bounces === 0 ? [] : [`${count(bounces, 'bounce')} (${formatPercent(bouncePercent)} %${ofBounces})`]),
  ];
}

/** A line for each mailbox provider. */
export function formatProviderReports(reports: readonly ProviderReports[]): string[] {
  return reports.map(({ mailboxProvider, submitted, complaints, bounces }) =>
    [
      `${mailboxProvider}: ${submitted} submitted`,
      ...(complaints === 0 ? [] : [count(complaints, 'complaint')]),
      ...(bounces === 0 ? [] : [count(bounces, 'bounce')]),
    ].join(', '),
  );
}

/** `2026-11-24T08:00:00Z: complaints, 0.3 % of 3000 messages: pause`. */
export function formatLevels(levels: readonly RateLevelReached[]): string[] {
  return levels.map(({ kind, mailboxProvider, level, percent, messages, noticed }) => {
    const where = mailboxProvider === null ? '' : ` at ${mailboxProvider}`;
    return `${noticed}: ${kind}s${where}, ${formatPercent(percent)} % of ${count(messages, 'message')}: ${level}`;
  });
}
