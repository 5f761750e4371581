/**
 * The exports of list managers, recognised by their headers. docs/migrating.md says where each header line is from.
 *
 * Header names are plain: lower case, letters and digits only, as `plainName` makes them.
 */
import type { ImportStatus } from './statuses.ts';

export type ListFormatName =
  | 'mailchimp'
  | 'ghost'
  | 'substack'
  | 'buttondown'
  | 'beehiiv'
  | 'kit'
  | 'listmonk'
  | 'mailpoet';

/** How a column says a status: by its values, or by being filled, usually with a time. */
export type StatusColumn = { values: Readonly<Record<string, ImportStatus>> } | { filled: ImportStatus };

export interface ListFormat {
  name: ListFormatName;
  /** As its makers write it. */
  title: string;
  /** A file has this format if it has at least `least` (default: all) of these groups; one name of a group suffices. */
  signature: { groups: readonly (readonly string[])[]; least?: number; without?: readonly string[] };
  email: readonly string[];
  /** Instant of the subscription: the first of these columns that the file has. */
  since: readonly string[];
  zone?: string;
  /** Columns that say the status. A column that the file does not have says nothing. */
  status: Readonly<Record<string, StatusColumn>>;
  /** Whether a file must have one of the columns of `status`. Otherwise the file says of all rows what `all` says. */
  needsStatus: boolean;
  /** The status of every row of a file, from its columns alone. */
  all?: (has: (name: string) => boolean) => ImportStatus;
  /** Columns whose name looks like a status or a consent, but which say nothing about it. */
  harmless?: readonly string[];
  /** What is put before a quotation mark within a field, if not another one. */
  escape?: '\\';
  /** What to do about a value that is not in `status`, for values that the export cannot tell apart. */
  hint?: string;
}

const UNSUBSCRIBED_BY_MAILCHIMP = [
  'unsubtime',
  'unsubcampaigntitle',
  'unsubcampaignid',
  'unsubreason',
  'unsubreasonother',
] as const;
const CLEANED_BY_MAILCHIMP = ['cleantime', 'cleancampaigntitle', 'cleancampaignid'] as const;

/** Statuses in one list. */
const MEMBERSHIP: Readonly<Record<string, ImportStatus>> = {
  subscribed: 'subscribed',
  confirmed: 'subscribed',
  unsubscribed: 'unsubscribed',
  unconfirmed: 'unconfirmed',
};

/** The same meaning of several columns: exports of different years name them differently. */
function sameStatus(names: readonly string[], values: Readonly<Record<string, ImportStatus>>): ListFormat['status'] {
  return Object.fromEntries(names.map((name) => [name, { values }]));
}

export const LIST_FORMATS: readonly ListFormat[] = [
  {
    name: 'mailchimp',
    title: 'Mailchimp',
    signature: {
      groups: [
        ['memberrating'],
        ['optintime', 'optinip'],
        ['confirmtime', 'confirmip'],
        ['lastchanged', 'unsubtime', 'cleantime'],
        ['leid', 'euid'],
      ],
      least: 2,
    },
    email: ['emailaddress', 'email'],
    since: ['confirmtime', 'optintime'],
    zone: 'timezone',
    status: {
      ...Object.fromEntries(UNSUBSCRIBED_BY_MAILCHIMP.map((name) => [name, { filled: 'unsubscribed' }] as const)),
      ...Object.fromEntries(CLEANED_BY_MAILCHIMP.map((name) => [name, { filled: 'bounced' }] as const)),
      status: {
        values: {
          subscribed: 'subscribed',
          unsubscribed: 'unsubscribed',
          cleaned: 'bounced',
          pending: 'unconfirmed',
          nonsubscribed: 'unconfirmed',
          'non-subscribed': 'unconfirmed',
          transactional: 'unconfirmed',
          archived: 'inactive',
        },
      },
    },
    needsStatus: false,
    // The file of unsubscribed contacts has UNSUB_TIME, that of cleaned ones CLEAN_TIME; both lack LAST_CHANGED. A row
    // without the time is still one of that file.
    all: (has) => {
      if (has('lastchanged')) return 'subscribed';
      if (UNSUBSCRIBED_BY_MAILCHIMP.some(has)) return 'unsubscribed';
      return CLEANED_BY_MAILCHIMP.some(has) ? 'bounced' : 'subscribed';
    },
    harmless: ['optintime', 'optinip', 'confirmtime', 'confirmip'],
  },
  {
    name: 'ghost',
    title: 'Ghost',
    signature: { groups: [['email'], ['subscribedtoemails']] },
    email: ['email'],
    since: ['createdat'],
    status: {
      subscribedtoemails: { values: { true: 'subscribed', false: 'unsubscribed' } },
      deletedat: { filled: 'unsubscribed' },
    },
    needsStatus: true,
  },
  {
    name: 'substack',
    title: 'Substack',
    signature: { groups: [['email'], ['activesubscription'], ['emaildisabled']] },
    email: ['email'],
    since: ['createdat'],
    status: { emaildisabled: { values: { false: 'subscribed', true: 'unsubscribed' } } },
    needsStatus: true,
    // Whether somebody pays.
    harmless: ['activesubscription'],
  },
  {
    name: 'beehiiv',
    title: 'beehiiv',
    signature: { groups: [['email'], ['status'], ['tier', 'subscriptiontier']] },
    email: ['email'],
    since: ['createdat', 'subscribedat', 'created'],
    status: {
      status: {
        values: {
          active: 'subscribed',
          inactive: 'unsubscribed',
          pending: 'unconfirmed',
          validating: 'unconfirmed',
          'needs approval': 'unconfirmed',
          needs_approval: 'unconfirmed',
          paused: 'inactive',
          invalid: 'inactive',
          needs_attention: 'inactive',
        },
      },
      unsubscribedat: { filled: 'unsubscribed' },
    },
    needsStatus: true,
    harmless: ['subscriptiontier', 'subscriptionid', 'subscriberid', 'subscriptiondatesubstack'],
  },
  {
    name: 'listmonk',
    title: 'listmonk',
    signature: { groups: [['uuid'], ['email'], ['attributes', 'attribs'], ['status']] },
    email: ['email'],
    since: ['createdat'],
    status: {
      status: { values: { disabled: 'inactive', blocklisted: 'blocked', blacklisted: 'blocked' } },
      ...sameStatus(['subscriptionstatus', 'liststatus'], MEMBERSHIP),
    },
    needsStatus: true,
    hint:
      'In listmonk an address stays "enabled" when its owner leaves a list. Export the subscribers of one list that ' +
      'are confirmed, and import that file with the status enabled=subscribed; export those that have unsubscribed ' +
      'from it, and import that file with the status enabled=unsubscribed.',
  },
  {
    name: 'mailpoet',
    title: 'MailPoet',
    signature: { groups: [['email'], ['liststatus', 'globalstatus']] },
    email: ['email'],
    since: ['confirmationtime', 'subscriptiontime'],
    status: {
      // Empty: not on the list.
      liststatus: { values: { ...MEMBERSHIP, '': 'inactive' } },
      globalstatus: { values: { ...MEMBERSHIP, inactive: 'inactive', bounced: 'bounced' } },
    },
    needsStatus: true,
    escape: '\\',
    harmless: ['subscriptionip', 'subscriptiontime', 'confirmationtime', 'confirmationip'],
  },
  {
    name: 'buttondown',
    title: 'Buttondown',
    signature: { groups: [['emailaddress', 'email'], ['type', 'subscribertype'], ['creationdate']] },
    email: ['emailaddress', 'email'],
    since: ['creationdate'],
    status: sameStatus(['type', 'subscribertype'], {
      regular: 'subscribed',
      premium: 'subscribed',
      gifted: 'subscribed',
      trialed: 'subscribed',
      churning: 'subscribed',
      past_due: 'subscribed',
      unactivated: 'unconfirmed',
      unsubscribed: 'unsubscribed',
      removed: 'unsubscribed',
      spammy: 'inactive',
      blocked: 'inactive',
      undeliverable: 'bounced',
      complained: 'complained',
    }),
    needsStatus: true,
    harmless: ['unsubscriptionreason', 'confirmationdate'],
  },
  {
    name: 'kit',
    title: 'Kit (ConvertKit)',
    signature: {
      groups: [['email', 'emailaddress'], ['firstname'], ['state', 'status'], ['createdat', 'subscribedat']],
      without: ['tier', 'subscriptiontier', 'uuid', 'memberrating'],
    },
    email: ['emailaddress', 'email'],
    since: ['createdat', 'subscribedat'],
    status: sameStatus(['state', 'status'], {
      active: 'subscribed',
      inactive: 'unconfirmed',
      cancelled: 'unsubscribed',
      bounced: 'bounced',
      complained: 'complained',
    }),
    needsStatus: true,
    harmless: ['subscriberid'],
  },
];

export function findListFormat(name: string): ListFormat | undefined {
  return LIST_FORMATS.find((format) => format.name === name);
}

/** The formats that a header line has the columns of. @param names plain names */
export function matchingFormats(names: ReadonlySet<string>): ListFormat[] {
  return LIST_FORMATS.filter(({ signature: { groups, least = groups.length, without = [] } }) => {
    const found = groups.filter((group) => group.some((name) => names.has(name)));
    return found.length >= least && !without.some((name) => names.has(name));
  });
}
