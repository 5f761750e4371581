import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { importSubscribers, type SubscriberImportOptions } from '../../../src/audience/csv/import.ts';
import { FORM_FIELDS } from '../../../src/audience/csv/import-words.ts';
import { IMPORT_STATUSES, type ImportStatus, parseStatusRules } from '../../../src/audience/csv/statuses.ts';
import { listSubscribers } from '../../../src/audience/subscriptions.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { runs } from '../../support/run-scope.ts';
import { SECRETS } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { LIST_EXPORTS, type ListExport, MAILCHIMP } from './list-exports.ts';

const NOW = Date.UTC(2026, 10, 24, 7, 30);

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function csv(text: string, name = 'list.csv'): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function importing(
  store: Store,
  file: string,
  { status, ...options }: Partial<Omit<SubscriberImportOptions, 'status'>> & { status?: string[] } = {},
) {
  return importSubscribers(store, SECRETS, file, {
    newsletters: ['daily'],
    known: ['daily', 'weekly'],
    clock: () => NOW,
    status: parseStatusRules(status ?? []),
    ...options,
  });
}

/** The states of all addresses, with the reasons of suppressions. */
async function statesOf(store: Store): Promise<Record<string, string>> {
  const all = await listSubscribers(store.db, { limit: 10_000 });
  return Object.fromEntries(
    all.map(({ email, subscriptions, suppressedReason }) => [
      email,
      [...subscriptions.map((one) => `${one.newsletter} ${one.state}`), suppressedReason]
        .filter((part) => part !== null)
        .join(', '),
    ]),
  );
}

async function isEmpty({ db }: Store): Promise<boolean> {
  const tables = ['subscribers', 'subscriptions', 'consent_events', 'suppressions'] as const;
  const counts = await Promise.all(tables.map((table) => db.selectFrom(table).selectAll().execute()));
  return counts.every((rows) => rows.length === 0);
}

/** What an import stores for a person of that status, or nothing. */
const STORED: Record<ImportStatus, string | undefined> = {
  subscribed: 'daily confirmed',
  inactive: undefined,
  unconfirmed: undefined,
  unsubscribed: 'daily unsubscribed',
  bounced: 'hard-bounce',
  blocked: 'daily unsubscribed, operator',
  complained: 'daily unsubscribed, complaint',
};

/** A file with one person of each status that the export can tell. */
function onePersonEach({ header, line }: ListExport): string {
  const lines = IMPORT_STATUSES.flatMap((status) => line[status]?.(`${status}@example.com`) ?? []);
  return `${[header, ...lines].join('\n')}\n`;
}

forEachDatabase((open) => {
  it.each(LIST_EXPORTS.map((one) => [one.format, one] as const))(
    'recognises an export of %s, and imports each person by the status that it says',
    async (format, one) => {
      const store = await open();
      const report = await importing(store, csv(onePersonEach(one)), { status: one.status ?? [] });
      const told = IMPORT_STATUSES.filter((status) => one.line[status] !== undefined);
      expect(report).toMatchObject({ format, rows: told.length, rejected: 0, rejectsFile: null });
      expect(Object.keys(report.statuses).sort()).toEqual([...told].sort());
      const expected = told.flatMap((status) => {
        const stored = STORED[status];
        return stored === undefined ? [] : [[`${status}@example.com`, stored]];
      });
      expect(await statesOf(store)).toEqual(Object.fromEntries(expected));
      const skipped = told.filter((status) => STORED[status] === undefined);
      expect(report.notImported).toBe(skipped.length);
      expect(report.skipped).toHaveLength(skipped.length);
      const again = await importing(store, csv(onePersonEach(one)), { status: one.status ?? [] });
      expect(again).toMatchObject({ added: 0, changed: 0 });
      expect(await statesOf(store)).toEqual(Object.fromEntries(expected));
    },
  );

  it('imports the three files of Mailchimp by their columns, with any names and in any order', async () => {
    const store = await open();
    const { subscribed, unsubscribed, cleaned } = MAILCHIMP;
    const left = csv(`${unsubscribed.header}\n${unsubscribed.line('ben@example.com')}\n`);
    expect(await importing(store, left)).toMatchObject({
      format: 'mailchimp',
      statuses: { unsubscribed: { rows: 1 } },
    });
    const bounced = csv(`${cleaned.header}\n${cleaned.line('cyd@example.com')}\n`);
    expect(await importing(store, bounced)).toMatchObject({ statuses: { bounced: { rows: 1, effective: 1 } } });
    const all = ['ada', 'ben', 'cyd'].map((name) => subscribed.line(`${name}@example.com`));
    const list = csv(`${subscribed.header}\n${all.join('\n')}\n`, 'unsubscribed_members_export.csv');
    await expect(importing(store, list)).rejects.toThrow(/the name of the file says "unsubscribed"/);
    expect(await importing(store, list, { status: ['subscribed'] })).toMatchObject({ added: 1, suppressed: 1 });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily confirmed',
      'ben@example.com': 'daily unsubscribed',
      'cyd@example.com': 'hard-bounce',
    });
    const [ada] = await listSubscribers(store.db, { limit: 1, afterId: 2 });
    expect(ada?.zone).toBe('America/Chicago');
  });

  it('lets a decision to leave win over another row of the address, however far away and in any order', async () => {
    const store = await open();
    const many = Array.from({ length: 600 }, (_, n) => `${n},Ann,subscriber${n}@example.com,active,2024-01-02,`);
    const person = (email: string, state: string): string => `1,Ann,${email},${state},2024-01-02,`;
    const lines = [
      person('ada@example.com', 'active'),
      person('ben@example.com', 'cancelled'),
      person('cyd@example.com', 'active'),
      person('dora@example.com', 'active'),
      ...many,
      person('ADA@example.com', 'cancelled'),
      person('ben@example.com', 'active'),
      person('cyd@example.com', 'bounced'),
      person('dora@example.com', 'complained'),
    ];
    const report = await importing(store, csv(`id,first_name,email,state,created_at,tags\n${lines.join('\n')}\n`));
    expect(report).toMatchObject({ rows: 608, added: 604, rejected: 0 });
    const states = await statesOf(store);
    expect(Object.values(states).filter((state) => state === 'daily confirmed')).toHaveLength(600);
    expect(states).toMatchObject({
      'ADA@example.com': 'daily unsubscribed',
      'ben@example.com': 'daily unsubscribed',
      'cyd@example.com': 'hard-bounce',
      'dora@example.com': 'daily unsubscribed, complaint',
    });
    const proofs = store.db.selectFrom('consent_events').select('source').where('change', '=', 'confirmed');
    expect(await proofs.execute()).toHaveLength(600);
  });

  it('counts in a dry run what an import then does, and stores nothing', async () => {
    const store = await open();
    const kit = LIST_EXPORTS.find(({ format }) => format === 'kit') as ListExport;
    const file = csv(`${onePersonEach(kit)}1,Ann,nobody,active,2024-01-02,\n`);
    const dry = await importing(store, file, { dryRun: true });
    expect(await isEmpty(store)).toBe(true);
    expect(existsSync(`${file}.rejects.csv`)).toBe(false);
    expect(dry).toMatchObject({ dryRun: true, rows: 6, added: 4, rejected: 1, notImported: 1, rejectsFile: null });
    const real = await importing(store, file);
    expect({ ...real, dryRun: true, rejectsFile: null }).toEqual(dry);
    expect(await isEmpty(store)).toBe(false);
  });

  it('stops before anything is stored where a column may be a consent, until it is mapped or ignored', async () => {
    const store = await open();
    const file = csv(
      'email,State\nada@example.com,active\nben@example.com,gone\ncyd@example.com,active\ndora@example.com,\n',
    );
    await expect(importing(store, file)).rejects.toThrow(
      /nothing was imported: the column "State" looks like a status or a consent.*"active" \(2\), "gone" \(1\), empty \(1\)\. If it says who is subscribed, add --map status="State" --status "active=…,gone=…,=…".*--ignore "State"/,
    );
    const map = { status: ['State'] };
    await expect(importing(store, file, { map, status: ['active=subscribed'] })).rejects.toThrow(
      /"State" says who is subscribed.* "gone" \(1\), empty \(1\)\. Say what they mean: add --status "gone=…,=…"/,
    );
    expect(await isEmpty(store)).toBe(true);
    const status = ['active=subscribed,gone=unsubscribed', '=unconfirmed'];
    expect(await importing(store, file, { map, status })).toMatchObject({
      format: 'plain',
      statuses: { subscribed: { rows: 2, effective: 2 }, unsubscribed: { rows: 1 }, unconfirmed: { rows: 1 } },
    });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily confirmed',
      'cyd@example.com': 'daily confirmed',
      'ben@example.com': 'daily unsubscribed',
    });
    const other = await open();
    expect(await importing(other, file, { ignore: ['state'] })).toMatchObject({ added: 4, ignoredColumns: [] });
  });

  it('names the fields of the form where the file was uploaded at the desk', async () => {
    const store = await open();
    const said = (content: string, options = {}) =>
      importing(store, csv(content), { words: FORM_FIELDS, ...options }).catch((error: Error) => error.message);
    const plans = 'email,State\nada@example.com,active\n';
    expect(await said(plans)).toMatch(
      /If it says who is subscribed, add "State" to “Columns that say the status” and "active=…" to “What the values of the status say”, where … is one of .*\. If it does not, add "State" to “Columns that say nothing about consent”$/,
    );
    expect(await said(plans, { map: { status: ['State'] } })).toMatch(
      /Say what they mean: add "active=…" to “What the values of the status say”, where … is one of /,
    );
    for (const content of [plans, plans.replace('email', 'mail,e-mail'), plans.replace('email', 'name')]) {
      expect(await said(content)).not.toContain('--');
    }
    expect(await said(plans, { ignore: ['Stat'] })).toContain('there is no column "Stat", which the form names');
    const { rejects } = await importing(store, csv('email,list,zone\na@example.com,x,\nb@example.com,daily,x\n'), {
      words: FORM_FIELDS,
    });
    for (const { reason } of rejects) expect(reason).toMatch(/; or add "(?:list|zone)" to “Columns that say nothing/);
  });
});

describe('the statuses of an export', () => {
  it('confirm nobody of whom any row says anything but subscribed or unconfirmed', async () => {
    const person = fc.constantFrom('ada', 'ben', 'cyd', 'dora', 'emil', 'fay');
    const files = fc.constantFrom(...LIST_EXPORTS).chain((one) => {
      const told = IMPORT_STATUSES.filter((status) => one.line[status] !== undefined);
      const rows = fc.array(fc.record({ person, status: fc.constantFrom(...told) }), { minLength: 1, maxLength: 20 });
      return rows.map((all) => ({ one, all }));
    });
    await fc.assert(
      fc.asyncProperty(files, async ({ one, all }) => {
        const store = await openMigrated();
        try {
          const lines = all.map((row) => one.line[row.status]?.(`${row.person}@example.com`));
          await importing(store, csv([one.header, ...lines, ''].join('\n')), { status: one.status ?? [] });
          const stored = await store.db
            .selectFrom('subscriptions')
            .select('subscriber_id')
            .where('state', '=', 'confirmed')
            .execute();
          const people = Map.groupBy(all, (row) => row.person);
          const agreed = [...people.values()].filter(
            (rows) =>
              rows.some(({ status }) => status === 'subscribed') &&
              rows.every(({ status }) => STORED[status] === undefined || status === 'subscribed'),
          );
          expect(stored).toHaveLength(agreed.length);
        } finally {
          await store.close();
        }
      }),
      { numRuns: runs(40) },
    );
  });

  it.each([
    ['ghost', 'deleted_at', 'm1,ada@example.com,,,true,false,,2024-01-15T10:00:00.000Z,2024-02-01T10:00:00.000Z,,'],
    [
      'beehiiv',
      'unsubscribed_at',
      'ada@example.com,,,active,free,2023-03-24 10:23:10 UTC,,Yes,No,2024-03-13 11:33:53 UTC',
    ],
    ['mailpoet', 'Global status', '"ada@example.com","","","","","subscribed","unsubscribed","News"'],
  ])('of %s count %s too', async (format, _, line) => {
    const store = await openMigrated();
    const { header } = LIST_EXPORTS.find((one) => one.format === format) as ListExport;
    await importing(store, csv(`${header}\n${line}\n`));
    expect(await statesOf(store)).toEqual({ 'ada@example.com': 'daily unsubscribed' });
  });

  it('stop the import at a value that is not known, with the place to say what it means', async () => {
    const store = await openMigrated();
    for (const [format, from, to] of [
      ['ghost', ',false,', ',maybe,'],
      ['kit', 'cancelled', 'maybe'],
      ['beehiiv', 'inactive', 'maybe'],
      ['buttondown', ',unsubscribed,', ',maybe,'],
      ['mailpoet', '"unsubscribed"', '"maybe"'],
      ['substack', ',true,2024', ',maybe,2024'],
    ] as const) {
      const one = LIST_EXPORTS.find((each) => each.format === format) as ListExport;
      const file = csv(onePersonEach(one).replaceAll(from, to));
      await expect(importing(store, file), format).rejects.toThrow(
        /"maybe" \(1\)\. Say what they mean: add --status "maybe=…"/,
      );
    }
    expect(await isEmpty(store)).toBe(true);
  });

  it('of MailPoet are read behind names with quotation marks, which it writes with a backslash', async () => {
    const store = await openMigrated();
    const lines = ['ada,Ann \\"A\\"', 'ben,\\"B\\", Ben', 'cyd,C\\D'].map((person) => person.split(/,(.*)/s));
    const rows = lines.map(([name, first], index) => {
      const status = index === 1 ? 'unsubscribed' : 'subscribed';
      return `"${name}@example.com","${first}","${status}","subscribed","News"`;
    });
    const file = csv(`"Email","First name","List status","Global status","List"\n${rows.join('\n')}\n`);
    expect(await importing(store, file)).toMatchObject({ format: 'mailpoet', rows: 3, rejected: 0 });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily confirmed',
      'ben@example.com': 'daily unsubscribed',
      'cyd@example.com': 'daily confirmed',
    });
  });

  it('of listmonk do not tell who has left a list, which the message explains', async () => {
    const store = await openMigrated();
    const one = LIST_EXPORTS.find(({ format }) => format === 'listmonk') as ListExport;
    await expect(importing(store, csv(onePersonEach(one)))).rejects.toThrow(
      /"enabled" \(1\).*an address stays "enabled" when its owner leaves a list/,
    );
    expect(await isEmpty(store)).toBe(true);
  });

  it('cannot be turned into subscriptions by the operator, nor ignored', async () => {
    const store = await openMigrated();
    const kit = csv(onePersonEach(LIST_EXPORTS.find(({ format }) => format === 'kit') as ListExport));
    await expect(importing(store, kit, { status: ['cancelled=subscribed'] })).rejects.toThrow(
      /the status "cancelled" means unsubscribed: an import cannot make it subscribed; leave out "cancelled=subscribed"$/,
    );
    await expect(importing(store, kit, { status: ['inactive=subscribed'] })).rejects.toThrow(/means unconfirmed/);
    await expect(importing(store, kit, { ignore: ['state'] })).rejects.toThrow(
      /"state".*cannot be ignored; say what its values mean: add --status "value=status"$/,
    );
    await expect(importing(store, kit, { format: 'plain' })).rejects.toThrow(/the column "state" looks like a status/);
    expect(await isEmpty(store)).toBe(true);
    const mailpoet = csv(onePersonEach(LIST_EXPORTS.find(({ format }) => format === 'mailpoet') as ListExport));
    const report = await importing(store, mailpoet, { status: ['inactive=subscribed'] });
    expect(report.statuses.subscribed).toEqual({ rows: 2, effective: 2 });
  });
});

describe('a file without a known status', () => {
  it.each([
    ['Zustimmung', 'nein'],
    ['Wants emails', 'no'],
    ['Email OK?', 'no'],
    ['Withdrawn on', '2024-02-01'],
    ['unsubscribed', '2024-02-01 10:00'],
    ['unconfirmed', 'yes'],
    ['EMAIL_BLACKLISTED', 'TRUE'],
    ['Status', 'subscribed'],
    ['Wants the newsletter', 'no'],
    ['No emails', 'x'],
    ['HasOptedOutOfEmail', '1'],
    ['Confirmation', ''],
  ])('is not imported with a column %s, as %j in it', async (header, value) => {
    const store = await openMigrated();
    const file = csv(`email,${header}\nada@example.com,${value}\n`);
    await expect(importing(store, file)).rejects.toThrow(`the column "${header}"`);
    expect(await isEmpty(store)).toBe(true);
  });

  it.each(['Name', 'OPTIN_IP', 'Tags', 'Last Active At', 'Mailing Address'])(
    'is imported with a column %s, which is reported as ignored',
    async (header) => {
      const store = await openMigrated();
      const report = await importing(store, csv(`email,${header}\nada@example.com,x\n`));
      expect(report).toMatchObject({ format: 'plain', added: 1, ignoredColumns: [header] });
    },
  );

  it.each(['unsubscribed_members_export_1.csv', 'nonsubscribed_email_audience_export.csv', 'Opt-outs.csv'])(
    'is not imported under the name %s, before the operator has said who is in it',
    async (name) => {
      const store = await openMigrated();
      const file = csv('email,name\nada@example.com,Ada\n', name);
      await expect(importing(store, file)).rejects.toThrow(/the name of the file says .* add --status unsubscribed/);
      expect(await isEmpty(store)).toBe(true);
      await importing(store, file, { status: ['unsubscribed'] });
      expect(await statesOf(store)).toEqual({ 'ada@example.com': 'daily unsubscribed' });
    },
  );

  it('can have a time of leaving, and several columns', async () => {
    const store = await openMigrated();
    const file = csv(
      'email,Opted out,Bounce type\nada@example.com,,\nben@example.com,2024-02-01,\ncyd@example.com,,hard\n',
    );
    const map = { status: ['Opted out', 'bounce type'] };
    await importing(store, file, { map, status: ['=subscribed,hard=bounced,*=unsubscribed'] });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily confirmed',
      'ben@example.com': 'daily unsubscribed',
      'cyd@example.com': 'hard-bounce',
    });
  });
});

describe('the format of a file', () => {
  it('must be named where the header can be that of two, and exist', async () => {
    const store = await openMigrated();
    const file = csv('uuid,email,attributes,status,tier\nu1,ada@example.com,{},active,free\n');
    await expect(importing(store, file)).rejects.toThrow(
      /beehiiv \(--format beehiiv\) or listmonk \(--format listmonk\)/,
    );
    expect(await importing(store, file, { format: 'beehiiv' })).toMatchObject({ format: 'beehiiv', added: 1 });
    await expect(importing(store, file, { format: 'ghost' })).rejects.toThrow(
      /none of the columns that say the status.*read it as a plain file \(--format plain\)$/,
    );
    await expect(importing(store, file, { format: 'mailwhale' })).rejects.toThrow(/it must be one of mailchimp, ghost/);
  });
});

describe('the values of --status', () => {
  it('are pairs with a known status, or one status for all rows', () => {
    expect(parseStatusRules(['Active = subscribed,GONE=unsubscribed', 'a=b=bounced', '=unconfirmed'])).toEqual({
      words: { active: 'subscribed', gone: 'unsubscribed', 'a=b': 'bounced', '': 'unconfirmed' },
      all: null,
    });
    expect(parseStatusRules(['unsubscribed'])).toEqual({ words: {}, all: 'unsubscribed' });
    expect(() => parseStatusRules(['gone=away'])).toThrow(/the status "gone=away": it must be value=status/);
    expect(() => parseStatusRules(['gone'])).toThrow(/a status is one of subscribed, inactive/);
  });
});
