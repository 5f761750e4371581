import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatSubscriberImport } from '../../../src/audience/cli/format-subscribers.ts';
import { moveSubscription, setChoice } from '../../../src/audience/consent/changes.ts';
import { choiceValues, openChoices } from '../../../src/audience/csv/choices.ts';
import { exportSubscribers } from '../../../src/audience/csv/export.ts';
import { importSubscribers } from '../../../src/audience/csv/import.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { ADA, addConfirmed, consentEvents, NOW, OPERATOR, removeSubscriber } from '../fixtures.ts';

const config = sampleConfig();
const [roundup] = config.newsletters as [Config['newsletters'][number]];
const OFFERS: Pick<Config, 'sections' | 'newsletters'> = {
  sections: [
    { id: 'finance', title: 'Finance & Märkte' },
    { id: 'world', title: 'World' },
  ] as Config['sections'],
  newsletters: [
    { ...roundup, id: 'daily', select: {}, choices: { sections: true, tags: ['AI', 'Food, Drink'], reporters: true } },
    {
      ...roundup,
      id: 'weekly',
      select: { sections: ['world'] },
      choices: { sections: true, tags: [], reporters: false },
    },
    { ...roundup, id: 'plain', choices: undefined },
  ],
};
const MAILCHIMP =
  'Email Address,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,Interests,LAST_CHANGED,LEID,EUID';
const GHOST = 'id,email,name,note,subscribed_to_emails,created_at,labels,tiers';
const LISTMONK = 'uuid,email,name,attributes,status,created_at,updated_at';

function importing(
  store: Store,
  text: string,
  options: {
    choices?: string[];
    choice?: string[];
    newsletters?: string[];
    status?: Record<string, 'subscribed'>;
  } = {},
) {
  const file = join(temporaryFolder(), 'list.csv');
  writeFileSync(file, text);
  return importSubscribers(store, SECRETS, file, {
    newsletters: options.newsletters ?? ['daily'],
    known: ['daily', 'weekly', 'plain'],
    map: { choices: options.choices },
    choices: { ...OFFERS, values: options.choice ?? [] },
    status: { words: options.status ?? {}, all: null },
    clock: () => NOW,
  });
}

/** The stored choices by address and newsletter. */
async function choicesOf({ db }: Store): Promise<Record<string, string | null>> {
  const rows = await db
    .selectFrom('subscriptions')
    .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriber_id')
    .select(['email', 'newsletter', 'choice'])
    .orderBy('email')
    .orderBy('newsletter')
    .execute();
  return Object.fromEntries(rows.map(({ email, newsletter, choice }) => [`${email} ${newsletter}`, choice]));
}

async function exported({ db }: Store): Promise<string> {
  let text = '';
  for await (const part of exportSubscribers(db)) text += part;
  return text;
}

forEachDatabase((open) => {
  it('imports groups of Mailchimp, with commas in their names', async () => {
    const store = await open();
    const row = (email: string, groups: string) =>
      `${email},2,2024-01-01 10:00:00,,,,"${groups}",2024-01-01 10:00:00,1,ab\n`;
    const text = `${MAILCHIMP}\n${row(ADA, 'finance  märkte, Food\\, Drink')}${row('ben@example.com', '')}`;
    const report = await importing(store, text, { choices: ['interests'] });
    expect(report).toMatchObject({ format: 'mailchimp', added: 2, rejected: 0, unusedChoices: [] });
    expect(await choicesOf(store)).toEqual({
      'ada@example.com daily': '{"sections":["finance"],"tags":["food-drink"]}',
      'ben@example.com daily': null,
    });
    expect(await consentEvents(store)).toEqual([
      'confirmed daily by import from list.csv:2',
      'confirmed daily by import from list.csv:3',
      'choice daily by import from list.csv:2 ({"sections":["finance"],"tags":["food-drink"]})',
    ]);
  });

  it('imports labels of Ghost by mapping, and names the values that choose nothing', async () => {
    const store = await open();
    const row = (email: string, labels: string) => `m1,${email},Ann,,true,2024-01-15T10:00:00.000Z,"${labels}",\n`;
    const text = `${GHOST}\n${row(ADA, 'Markets,VIP,Mei,Sports')}${row('ben@example.com', 'Sports,\u001b[2J')}`;
    const choice = ['markets=section:finance', 'MARKETS=section:world', 'Mei=reporter:Mei Tan', 'VIP='];
    const report = await importing(store, text, { choices: ['labels'], choice });
    expect(report).toMatchObject({
      format: 'ghost',
      added: 2,
      rejected: 0,
      ignoredColumns: ['id', 'name', 'note', 'tiers'],
    });
    expect(report.unusedChoices).toEqual([
      ['Sports', 2],
      [expect.not.stringContaining('\u001b'), 1],
    ]);
    expect(formatSubscriberImport(report, 'list.csv').problems.join()).toContain('choose nothing: "Sports" (2), ');
    expect(await choicesOf(store)).toEqual({
      'ada@example.com daily': '{"sections":["finance","world"],"reporters":["mei-tan"]}',
      'ben@example.com daily': null,
    });
  });

  it('imports an attribute of listmonk, which is a text or a list', async () => {
    const store = await open();
    const fields = [
      '{"topics":["World","ai",7,"","Finance & Markte"]}',
      '{"topics":"world"}',
      '{"city":"Rome"}',
      'no JSON',
      '',
    ];
    const quoted = fields.map((field) => field.replaceAll('"', '""'));
    const rows = quoted.map((field, n) => `u${n},s${n}@example.com,Ann,"${field}",enabled,2024-01-15T10:00:00Z,\n`);
    const report = await importing(store, `${LISTMONK}\n${rows.join('')}`, {
      ...{
        choices: ['attributes.topics'],
        newsletters: ['daily', 'weekly', 'plain'],
        status: { enabled: 'subscribed' },
      },
    });
    expect(report).toMatchObject({ format: 'listmonk', added: 5, rejected: 0 });
    expect(report.unusedChoices).toEqual([
      ['7', 1],
      ['no JSON', 1],
    ]);
    const stored = Object.entries(await choicesOf(store)).filter(([, choice]) => choice !== null);
    expect(Object.fromEntries(stored)).toEqual({
      's0@example.com daily': '{"sections":["finance","world"],"tags":["ai"]}',
      's0@example.com weekly': '{"sections":["world"]}',
      's1@example.com daily': '{"sections":["world"]}',
      's1@example.com weekly': '{"sections":["world"]}',
    });
  });

  it('never changes what a person chose, went back from, or left', async () => {
    const store = await open();
    const emails = ['chose', 'undid', 'moved', 'left', 'silent', 'new'].map((name) => `${name}@example.com`);
    const add = (email: string) => addConfirmed(store, email, [email.startsWith('moved') ? 'weekly' : 'daily']);
    const [chose = 0, undid = 0, moved = 0] = await Promise.all(emails.slice(0, 5).map(add));
    const WORLD = '{"sections":["world"]}';
    await store.db.transaction().execute(async (tx) => {
      const via = { channel: 'preferences' } as const;
      for (const id of [chose, undid]) await setChoice(tx, id, 'daily', WORLD, via, NOW);
      await setChoice(tx, undid, 'daily', null, via, NOW);
      // Went back to everything before.
      await moveSubscription(tx, moved, { from: 'weekly', to: 'daily' }, via, NOW);
    });
    await removeSubscriber(store.db, 'left@example.com', OPERATOR, NOW);
    const text = `email,groups\n${emails.map((email) => `${email},Finance\n`).join('')}`;
    const options = { choices: ['groups'], choice: ['finance=section:finance'] };
    expect(await importing(store, text, options)).toMatchObject({ added: 1, changed: 1, unchanged: 3, left: 1 });
    const FINANCE = '{"sections":["finance"]}';
    expect(await choicesOf(store)).toEqual({
      'chose@example.com daily': WORLD,
      'undid@example.com daily': null,
      'moved@example.com daily': null,
      'moved@example.com weekly': null,
      'left@example.com daily': null,
      'silent@example.com daily': FINANCE,
      'new@example.com daily': FINANCE,
    });
    const events = await consentEvents(store);
    expect(await importing(store, text.replaceAll('Finance', 'World'), options)).toMatchObject({
      added: 0,
      changed: 0,
    });
    expect(await consentEvents(store)).toEqual(events);
  });

  it('reads back the choices of an export', async () => {
    const store = await open();
    const text = `email,newsletters,choices\n${ADA},daily weekly,"daily/section:finance,daily/tag:ai,daily/reporter:陈思,daily/at-least:3,weekly/section:world"\nben@example.com,daily,\n`;
    expect(await importing(store, text)).toMatchObject({ added: 2, unusedChoices: [], ignoredColumns: [] });
    const choices = await choicesOf(store);
    expect(choices).toEqual({
      'ada@example.com daily': '{"sections":["finance"],"tags":["ai"],"reporters":["陈思"],"atLeast":3}',
      'ada@example.com weekly': '{"sections":["world"]}',
      'ben@example.com daily': null,
    });
    const other = await openMigrated();
    const file = await exported(store);
    expect(await importing(other, file)).toMatchObject({ added: 2, unusedChoices: [] });
    expect(await choicesOf(other)).toEqual(choices);
    expect(await exported(other)).toBe(file);
  });
});

describe('the choices of an import', () => {
  it.each([
    [
      { choices: ['groups'], newsletters: ['plain'] },
      /plain: nothing can be chosen: the configuration has no "choices"/,
    ],
    [{ choices: ['topics'] }, /there is no column "topics", which --map, --ignore or --choices names/],
    [{ choice: ['a=section:finance'] }, /no column has choices/],
    [
      { choices: ['groups'], choice: ['a=section:sports'] },
      /the choice "a=section:sports": it must be value=section:ID/,
    ],
    [{ choices: ['groups'], choice: ['section:finance'] }, /the choice "section:finance": it must be/],
  ])('say what is wrong with %j, before anything is stored', async (options, message) => {
    const store = await openMigrated();
    await expect(importing(store, `email,groups\n${ADA},a\n`, options)).rejects.toThrow(message);
    expect(await choicesOf(store)).toEqual({});
  });

  it('cannot be in a column that says who has left', async () => {
    const ghost = `${GHOST}\nm1,${ADA},Ann,,false,,,\n`;
    const importAs = importing(await openMigrated(), ghost, { choices: ['subscribed_to_emails'] });
    await expect(importAs).rejects.toThrow(/"subscribed_to_emails" says who must not get mail/);
  });

  it('are read from hostile fields in bounded memory', () => {
    const { read, unused } = openChoices(
      [
        { position: 0, path: ['a', 'b'] },
        { position: 0, path: [] },
      ],
      { ...OFFERS, values: [] },
      [],
    );
    const fields = ['{"a":[]}', '{"a":{"b":{"c":1}}}', '{"a":null}', '{"__proto__":{"b":"x"}}', ','.repeat(60_000)];
    const many = Array.from({ length: 200 }, (_, n) => `${'é'.repeat(100)}${n}`.slice(0, 300));
    for (const field of [...fields, ...Array.from({ length: 200 }, (_, n) => `value ${n}`), ...many])
      read([field], ['daily']);
    expect(unused.size).toBe(21);
    expect(unused.get('others')).toBeGreaterThan(300);
    expect([...unused.keys()].every((key) => key.length <= 40)).toBe(true);
  });

  it('are written as values of one newsletter that is subscribed', () => {
    const one = { newsletter: 'daily', state: 'confirmed', changedAt: 0, feedSince: null, movedTo: null } as const;
    const choice = '{"tags":["ai"],"atLeast":2}';
    expect(choiceValues({ ...one, choice: null })).toEqual([]);
    expect(choiceValues({ ...one, choice })).toEqual(['daily/tag:ai', 'daily/at-least:2']);
    expect(choiceValues({ ...one, choice, state: 'unsubscribed' })).toEqual([]);
  });
});
