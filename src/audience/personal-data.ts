/**
 * The tables with data about subscribers: what they are for, where the export has them, what an erasure does, and for
 * how long rows are kept. A test compares this list with the schema, and docs/law.md with this list.
 */
import type { Tables } from '../core/store/tables.ts';

interface PersonalData {
  /** What is stored of a person. */
  what: string;
  why: string;
  /** How long without an erasure; names the key of the configuration that decides. */
  kept: string;
  /** The key of the export that has it, or null with the reason in `notExported`. */
  exportedAs: string | null;
  notExported?: string;
  /**
   * What an erasure does with the rows of the person. `anonymised`: they remain as numbers, without text and without a
   * person who could be found by them.
   */
  erasure: 'deleted' | 'anonymised' | 'remains';
  /** Why rows remain. */
  remains?: string;
}

const WHILE_SUBSCRIBED = 'until `retention.consentDays` after the last newsletter was left';
const DELIVERIES = '`retention.deliveriesDays`';

export const PERSONAL_DATA = {
  subscribers: {
    what: 'address, time zone, pause, suppression',
    why: 'delivering what was asked for',
    kept: `${WHILE_SUBSCRIBED}; never confirmed: \`signup.deleteUnconfirmedAfterDays\``,
    exportedAs: 'address',
    erasure: 'deleted',
  },
  subscriptions: {
    what: 'newsletters and their states',
    why: 'delivering what was asked for',
    kept: WHILE_SUBSCRIBED,
    exportedAs: 'subscriptions',
    erasure: 'deleted',
  },
  consent_events: {
    what: 'each change of consent: time, channel, wording, IP address',
    why: 'proof of consent (GDPR, article 7)',
    kept: `${WHILE_SUBSCRIBED}; IP addresses: \`retention.consentIpsDays\``,
    exportedAs: 'consent',
    erasure: 'deleted',
  },
  deliveries: {
    what: 'each edition: state, times, reply of the mail server',
    why: 'delivering once, and finding faults',
    kept: DELIVERIES,
    exportedAs: 'deliveries',
    erasure: 'anonymised',
    remains: 'they count in the totals of an edition',
  },
  service_messages: {
    what: 'confirmations and links that were requested',
    why: 'double opt-in, access and erasure',
    kept: DELIVERIES,
    exportedAs: 'serviceMessages',
    erasure: 'deleted',
  },
  bounces: {
    what: 'bounces and complaints, with the words of the mail server',
    why: 'mailing no address that fails or complains',
    kept: DELIVERIES,
    exportedAs: 'bounces',
    erasure: 'anonymised',
    remains: 'they count in the rates of an edition',
  },
  edition_refusals: {
    what: 'refusals by the domain of the address',
    why: 'pausing domains that refuse an edition',
    kept: 'until the domain accepts a message, or the edition ends',
    exportedAs: 'refusals',
    erasure: 'deleted',
  },
  service_refusals: {
    what: 'refusals of service messages',
    why: 'pausing service messages',
    kept: 'until a message is accepted',
    exportedAs: 'refusals',
    erasure: 'deleted',
  },
  paused_domains: {
    what: 'domains that refuse all recipients of an edition',
    why: 'not submitting to a domain that refuses',
    kept: 'until the domain is resumed, or the edition ends',
    exportedAs: null,
    notExported: 'a domain, of others too; the refusals of the person are in `refusals`',
    erasure: 'deleted',
  },
  suppressions: {
    what: 'keyed hash of an address, reason, time',
    why: 'never mailing the address again',
    kept: 'without limit: the address cannot be read from it',
    exportedAs: null,
    notExported: 'a keyed hash; the reason is in `suppressed`',
    erasure: 'remains',
    remains: 'the address must not be imported and mailed again',
  },
  subscriber_imports: {
    what: 'uploads of accounts: name of the file, counts, and why lines were rejected, which may quote them',
    why: 'checking an import before it, and correcting its lines',
    kept: 'a week',
    exportedAs: null,
    notExported: 'lines that are not of a subscriber',
    erasure: 'remains',
    remains: 'they are deleted within a week',
  },
  rate_limits: {
    what: 'keyed hashes of addresses, domains and clients; numbers of subscribers; domains with a limit',
    why: 'limiting the abuse of forms, and deliveries to a domain',
    kept: 'hours, at most a day after the last request',
    exportedAs: null,
    notExported: 'keyed hashes, numbers, domains, and instants',
    erasure: 'deleted',
    remains: 'those of the domain and of the client expire within a day',
  },
} as const satisfies Partial<Record<keyof Tables, PersonalData>>;

export type PersonalTable = keyof typeof PERSONAL_DATA;

/** The list as rows of a Markdown table: table, what, why, kept, export, erasure. */
export function personalDataTable(): string[] {
  return Object.entries<PersonalData>(PERSONAL_DATA).map(([table, data]) => {
    const exported = data.exportedAs === null ? `no: ${data.notExported}` : `\`${data.exportedAs}\``;
    const erased = data.remains === undefined ? data.erasure : `${data.erasure}: ${data.remains}`;
    return `| \`${table}\` | ${data.what} | ${data.why} | ${data.kept} | ${exported} | ${erased} |`;
  });
}
