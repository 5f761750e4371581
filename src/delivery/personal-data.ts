import type { PersonalTables } from '../core/capability.ts';

const DELIVERIES = '`retention.deliveriesDays`';

export const DELIVERY_DATA: PersonalTables = {
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
};
