import type { PersonalTables } from '../core/capability.ts';

const WHILE_SUBSCRIBED = 'until `retention.consentDays` after the last newsletter was left';

export const AUDIENCE_DATA: PersonalTables = {
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
};
