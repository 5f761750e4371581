/** Invented exports of list managers, with the header lines that they write. */

import type { ListFormatName } from '../../../src/audience/csv/list-formats.ts';
import type { ImportStatus } from '../../../src/audience/csv/statuses.ts';

export interface ListExport {
  format: ListFormatName;
  header: string;
  /** The lines of people in each state that the export can tell, by what an import makes of them. */
  line: Partial<Record<ImportStatus, (email: string) => string>>;
  /** Options that the export needs. */
  status?: string[];
}

const MAILCHIMP_START = 'Email Address,First Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,TIMEZONE';
const MAILCHIMP_ROW = 'Ann,2,2023-04-21 11:16:57,,2023-04-21 11:16:57,192.0.2.1,America/Chicago';

export const MAILCHIMP = {
  subscribed: {
    header: `${MAILCHIMP_START},CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS`,
    line: (email: string) => `${email},${MAILCHIMP_ROW},US,il,2024-01-01 10:00:00,1,ab12,,"""Editors"""`,
  },
  unsubscribed: {
    header: `${MAILCHIMP_START},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,LEID,EUID,NOTES,TAGS`,
    line: (email: string) => `${email},${MAILCHIMP_ROW},2024-02-01 10:00:00,Weekly,c1,,1,ab12,,`,
  },
  cleaned: {
    header: `${MAILCHIMP_START},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS`,
    line: (email: string) => `${email},${MAILCHIMP_ROW},2024-02-01 10:00:00,Weekly,c1,1,ab12,,`,
  },
};

/** Exports that tell the states of people by their rows. Mailchimp's does so by the columns of the file. */
export const LIST_EXPORTS: ListExport[] = [
  {
    format: 'mailchimp',
    header: `${MAILCHIMP_START},UNSUB_TIME,CLEAN_TIME,LAST_CHANGED,LEID,EUID`,
    line: {
      subscribed: (email) => `${email},${MAILCHIMP_ROW},,,2024-01-01 10:00:00,1,ab12`,
      unsubscribed: (email) => `${email},${MAILCHIMP_ROW},2024-02-01 10:00:00,,2024-01-01 10:00:00,1,ab12`,
      bounced: (email) => `${email},${MAILCHIMP_ROW},,2024-02-01 10:00:00,2024-01-01 10:00:00,1,ab12`,
    },
  },
  {
    format: 'ghost',
    header:
      'id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers',
    line: {
      subscribed: (email) => `m1,${email},Ann,,true,false,cus_1,2024-01-15T10:00:00.000Z,,vip,Gold`,
      unsubscribed: (email) => `m1,${email},Ann,,false,true,cus_1,2024-01-15T10:00:00.000Z,,vip,Gold`,
    },
  },
  {
    format: 'substack',
    header: 'email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at',
    line: {
      subscribed: (email) => `${email},false,,other,false,2024-01-15T10:00:00.000Z,`,
      unsubscribed: (email) => `${email},true,2027-01-01T00:00:00.000Z,monthly,true,2024-01-15T10:00:00.000Z,`,
    },
  },
  {
    format: 'beehiiv',
    header:
      'email,First Name,Last Name,status,tier,created_at,stripe_customer_id,Free Tier,Premium Tier,unsubscribed_at',
    line: {
      subscribed: (email) => `${email},Ann,Lee,active,free,2023-03-24 10:23:10 UTC,,Yes,No,`,
      unsubscribed: (email) => `${email},Ann,Lee,inactive,premium,2023-03-24 10:23:10 UTC,cus_1,No,Yes,`,
      unconfirmed: (email) => `${email},Ann,Lee,pending,free,2023-03-24 10:23:10 UTC,,Yes,No,`,
    },
  },
  {
    format: 'listmonk',
    header: 'uuid,email,name,attributes,status,created_at,updated_at',
    line: {
      subscribed: (email) =>
        `u1,${email},Ann,{},enabled,2024-01-02 03:04:05.123 +0000 UTC,2024-01-02 03:04:05 +0000 UTC`,
      inactive: (email) => `u1,${email},Ann,{},disabled,2024-01-02 03:04:05 +0000 UTC,2024-01-02 03:04:05 +0000 UTC`,
      blocked: (email) => `u1,${email},Ann,{},blocklisted,2024-01-02 03:04:05 +0000 UTC,2024-01-02 03:04:05 +0000 UTC`,
    },
    status: ['enabled=subscribed'],
  },
  {
    format: 'mailpoet',
    header:
      '"Email","First name","Subscription IP","Subscription time","Confirmation time","List status","Global status","List"',
    line: {
      subscribed: (email) =>
        `"${email}","Ann","","2024-01-02 03:04:05","2024-01-02 03:04:05","subscribed","subscribed","News"`,
      unsubscribed: (email) => `"${email}","Ann","","2024-01-02 03:04:05","","unsubscribed","subscribed","News"`,
      unconfirmed: (email) => `"${email}","Ann","","2024-01-02 03:04:05","","subscribed","unconfirmed","News"`,
      inactive: (email) => `"${email}","Ann","","2024-01-02 03:04:05","","subscribed","inactive","News"`,
      bounced: (email) => `"${email}","Ann","","2024-01-02 03:04:05","","subscribed","bounced","News"`,
    },
  },
  {
    format: 'buttondown',
    header: 'email_address,notes,metadata,tags,referrer_url,type,creation_date',
    line: {
      subscribed: (email) => `${email},,{},,,regular,2024-01-02T03:04:05Z`,
      unsubscribed: (email) => `${email},,{},,,unsubscribed,2024-01-02T03:04:05Z`,
      unconfirmed: (email) => `${email},,{},,,unactivated,2024-01-02T03:04:05Z`,
      inactive: (email) => `${email},,{},,,spammy,2024-01-02T03:04:05Z`,
      bounced: (email) => `${email},,{},,,undeliverable,2024-01-02T03:04:05Z`,
      complained: (email) => `${email},,{},,,complained,2024-01-02T03:04:05Z`,
    },
  },
  {
    format: 'kit',
    header: 'id,first_name,email,state,created_at,tags',
    line: {
      subscribed: (email) => `1,Ann,${email},active,2024-01-02T03:04:05Z,vip`,
      unconfirmed: (email) => `1,Ann,${email},inactive,2024-01-02T03:04:05Z,`,
      unsubscribed: (email) => `1,Ann,${email},cancelled,2024-01-02T03:04:05Z,`,
      bounced: (email) => `1,Ann,${email},bounced,2024-01-02T03:04:05Z,`,
      complained: (email) => `1,Ann,${email},complained,2024-01-02T03:04:05Z,`,
    },
  },
];
