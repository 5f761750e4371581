import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { confirmRequest } from '../../../src/audience/consent/opt-in.ts';
import { exportSubscribers } from '../../../src/audience/csv/export.ts';
import { importSubscribers } from '../../../src/audience/csv/import.ts';
import { changePreferences } from '../../../src/audience/preferences.ts';
import { listSubscribers } from '../../../src/audience/subscriptions.ts';
import { hashAddress, suppressAddress, unsuppressByOperator } from '../../../src/audience/suppression.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { addConfirmed, NOW, OPERATOR, removeSubscriber, requestNewsletters, unsubscribe } from '../fixtures.ts';

const PREFERENCES = { channel: 'preferences' } as const;

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function csv(text: string): string {
  const file = join(folder, 'list.csv');
  writeFileSync(file, text);
  return file;
}

function importing(store: Store, file: string, newsletters = ['daily']) {
  return importSubscribers(store, SECRETS, file, { newsletters, known: ['daily', 'weekly'], clock: () => NOW });
}

async function exported(store: Store): Promise<string> {
  let text = '';
  for await (const part of exportSubscribers(store.db)) text += part;
  return text;
}

async function statesOf(store: Store): Promise<Record<string, string>> {
  const all = await listSubscribers(store.db, { limit: 10_000 });
  return Object.fromEntries(
    all.map((one) => [one.email, one.subscriptions.map((s) => `${s.newsletter} ${s.state}`).join(', ')]),
  );
}

forEachDatabase((open) => {
  it('imports addresses with zones and newsletters, and records file and line as the source', async () => {
    const store = await open();
    const file = csv(
      'Email,Time Zone,Newsletters,Opt-in time\n' +
        'Ada@example.com,Europe/Berlin,daily weekly,2024-01-02 03:04:05\n' +
        'ben+news@bücher.example,,weekly,\n',
    );
    const report = await importing(store, file);
    expect(report).toMatchObject({ rows: 2, added: 2, changed: 0, unchanged: 0, rejected: 0, rejectsFile: null });
    expect(await statesOf(store)).toEqual({
      'Ada@example.com': 'daily confirmed, weekly confirmed',
      'ben+news@bücher.example': 'weekly confirmed',
    });
    const events = await store.db.selectFrom('consent_events').selectAll().orderBy('id').execute();
    expect(
      events.map(({ newsletter, change, channel, source, detail, at }) => [
        newsletter,
        change,
        channel,
        source,
        detail,
        at,
      ]),
    ).toEqual([
      ['daily', 'confirmed', 'import', 'list.csv:2', 'since 2024-01-02T03:04:05.000Z', NOW],
      ['weekly', 'confirmed', 'import', 'list.csv:2', 'since 2024-01-02T03:04:05.000Z', NOW],
      ['weekly', 'confirmed', 'import', 'list.csv:3', null, NOW],
    ]);
  });

  it('uses the first of several rows with the same address, also across batches', async () => {
    const store = await open();
    const many = Array.from({ length: 1_100 }, (_, n) => `subscriber${n}@example.com,\n`).join('');
    const file = csv(
      `email,zone\nAda@example.com,Europe/Berlin\nada@EXAMPLE.com,Asia/Tokyo\n${many}ada@example.com,Asia/Tokyo\n`,
    );
    expect(await importing(store, file)).toMatchObject({ rows: 1_103, added: 1_101, unchanged: 2 });
    const [ada] = await listSubscribers(store.db, { limit: 1 });
    expect(ada).toMatchObject({ email: 'Ada@example.com', zone: 'Europe/Berlin' });
  });

  it('merges rows of one address, with unsubscribing before subscribing in any order', async () => {
    const store = await open();
    const file = csv(
      'email,newsletters,unsubscribed\nada@example.com,daily,\nben@example.com,,daily\nAda@example.com,weekly,\n' +
        'ben@example.com,daily,\ncleo@example.com,daily,\ncleo@example.com,,daily\n' +
        'dora@example.com,"weekly,daily",daily\n',
    );
    expect(await importing(store, file)).toMatchObject({ rows: 7, added: 4, changed: 2, unchanged: 1 });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily confirmed, weekly confirmed',
      'ben@example.com': 'daily unsubscribed',
      'cleo@example.com': 'daily unsubscribed',
      'dora@example.com': 'daily unsubscribed, weekly confirmed',
    });
    const events = await store.db.selectFrom('consent_events').select(['newsletter', 'source']).execute();
    expect(events).toContainEqual({ newsletter: 'weekly', source: 'list.csv:4' });
    expect(await importing(store, file)).toMatchObject({ rows: 7, added: 0, changed: 0, unchanged: 7 });
  });

  it('does not resubscribe an address that somebody has requested again, before the confirmation', async () => {
    const store = await open();
    const list = csv('email,newsletters\nada@example.com,"daily,weekly"\nben@example.com,weekly\n');
    await importing(store, list);
    await removeSubscriber(store.db, 'ada@example.com', OPERATOR, NOW, 'daily');
    await requestNewsletters(store, ['daily'], { email: 'ada@example.com' });
    // Ben has requested it for the first time: the file proves the consent.
    await requestNewsletters(store, ['daily'], { email: 'ben@example.com' });
    const file = csv('email,newsletters\nada@example.com,daily\nben@example.com,daily\n');
    expect(await importing(store, file)).toMatchObject({ changed: 1, unchanged: 1, keptUnsubscribed: 1 });
    expect(await statesOf(store)).toEqual({
      'ada@example.com': 'daily unconfirmed, weekly confirmed',
      'ben@example.com': 'daily confirmed, weekly confirmed',
    });
    const ending = csv('email,unsubscribed\nada@example.com,daily\n');
    expect(await importing(store, ending)).toMatchObject({ changed: 1 });
    expect(await statesOf(store)).toMatchObject({ 'ada@example.com': 'daily unsubscribed, weekly confirmed' });
  });

  it('adds nobody who has left every newsletter to another one, and says so, until the operator lifts it', async () => {
    const store = await open();
    const CLICK = { channel: 'one-click' } as const;
    for (const name of ['ada', 'ben', 'cleo']) {
      const newsletters = name === 'ben' ? ['daily', 'monthly'] : ['daily'];
      const subscriberId = await addConfirmed(store, `${name}@example.com`, newsletters);
      await unsubscribe(store.db, { subscriberId, newsletter: 'daily' }, CLICK, NOW);
    }
    // Ben is still subscribed to another one; Dora left only according to an earlier file.
    await importing(store, csv('email,unsubscribed\ndora@example.com,daily\n'));
    const file = csv(
      'email,newsletters,unsubscribed,paused_until\nada@example.com,weekly,,2026-12-24\nben@example.com,weekly,,\n' +
        'dora@example.com,weekly,,\ncleo@example.com,,daily,\n',
    );
    expect(await importing(store, file)).toMatchObject({
      rows: 4,
      added: 0,
      changed: 2,
      unchanged: 1,
      suppressed: 0,
      left: 1,
      skipped: [{ line: 2, reason: 'the subscriber has left every newsletter' }],
    });
    const kept = {
      'ada@example.com': 'daily unsubscribed',
      'ben@example.com': 'daily unsubscribed, monthly confirmed, weekly confirmed',
      'cleo@example.com': 'daily unsubscribed',
      'dora@example.com': 'daily unsubscribed, weekly confirmed',
    };
    expect(await statesOf(store)).toEqual(kept);
    const paused = store.db.selectFrom('subscribers').select('email').where('paused_until', 'is not', null);
    expect(await paused.execute()).toEqual([]);

    expect(await unsuppressByOperator(store.db, SECRETS, 'ada@example.com', NOW)).toEqual({ kind: 'lifted' });
    expect(await unsuppressByOperator(store.db, SECRETS, 'ada@example.com', NOW)).toEqual({ kind: 'already' });
    expect(await importing(store, file)).toMatchObject({ changed: 1, left: 0, skipped: [] });
    expect(await statesOf(store)).toEqual({ ...kept, 'ada@example.com': 'daily unsubscribed, weekly confirmed' });
  });

  it('does not add a subscriber who has left, but one who has come back since', async () => {
    const store = await open();
    const key = await requestNewsletters(store, ['daily'], { email: 'ada@example.com' });
    await confirmRequest(store.db, SECRETS, key, OPERATOR, NOW);
    await removeSubscriber(store.db, 'ada@example.com', OPERATOR, NOW);
    const fileFor = (newsletter: string) => csv(`email,newsletters\nada@example.com,${newsletter}\n`);
    for (const newsletter of ['daily', 'weekly']) {
      expect(await importing(store, fileFor(newsletter))).toMatchObject({
        added: 0,
        changed: 0,
        unchanged: 0,
        left: 1,
      });
      expect(await statesOf(store)).toEqual({ 'ada@example.com': 'daily unsubscribed' });
    }
    const again = await requestNewsletters(store, ['daily'], { email: 'ada@example.com' });
    expect(await importing(store, fileFor('weekly'))).toMatchObject({ left: 1 });
    await confirmRequest(store.db, SECRETS, again, OPERATOR, NOW);
    expect(await importing(store, fileFor('weekly'))).toMatchObject({ left: 0, changed: 1 });
  });

  it('skips suppressed addresses, hashed with any secret', async () => {
    const store = await open();
    const before = 'the secret before the rotation, long enough for it';
    for (const [secret, key] of [
      [SECRETS[0], 'ada@example.com'],
      [before, 'ben@example.com'],
    ] as const) {
      await store.db
        .insertInto('suppressions')
        .values({ address_hash: hashAddress(secret, key), reason: 'erased', at: NOW })
        .execute();
    }
    const file = csv('email\nADA@example.com\nben@example.com\ncleo@example.com\n');
    const options = { newsletters: ['daily'], known: ['daily'], clock: () => NOW };
    const report = await importSubscribers(store, [SECRETS[0], before], file, options);
    const reason = 'the address is on the suppression list (erased)';
    expect(report).toMatchObject({
      added: 1,
      suppressed: 2,
      skipped: [
        { line: 2, reason },
        { line: 3, reason },
      ],
    });
    expect(Object.keys(await statesOf(store))).toEqual(['cleo@example.com']);
  });

  it('imports only the unsubscription of a suppressed address', async () => {
    const store = await open();
    await suppressAddress(store.db, SECRETS, await addConfirmed(store), 'hard-bounce', OPERATOR, NOW);
    const header = 'email,newsletters,unsubscribed,paused_until';
    const report = await importing(store, csv(`${header}\nada@example.com,weekly,daily,2026-12-24T05:00:00Z\n`));
    expect(report).toMatchObject({ rows: 1, added: 0, changed: 0, unchanged: 0, suppressed: 1 });
    expect(await statesOf(store)).toEqual({ 'ada@example.com': 'daily unsubscribed' });
    const [known] = await listSubscribers(store.db, { limit: 1 });
    expect(known).toMatchObject({ suppressedReason: 'hard-bounce', pausedUntil: null });
  });

  it('imports the suppression list of another system, and ends all subscriptions for a complaint', async () => {
    const store = await open();
    await addConfirmed(store, 'ada@example.com', ['weekly']);
    const file = 'email,newsletters,suppressed\nada@example.com,daily,complaint\nben@example.com,,yes\n';
    expect(await importing(store, csv(`${file}cleo@example.com,daily,no\n`))).toMatchObject({ rows: 3, changed: 1 });
    expect(await statesOf(store)).toMatchObject({ 'ada@example.com': 'daily unsubscribed, weekly unsubscribed' });
    const all = await listSubscribers(store.db, { limit: 10 });
    expect(all.map((one) => one.suppressedReason)).toEqual(['complaint', 'operator', null]);
  });

  describe('a pause', () => {
    const UNTIL = Date.UTC(2026, 11, 24, 5);
    const pausesOf = async (store: Store): Promise<Record<string, number | null>> => {
      const all = await listSubscribers(store.db, { limit: 10_000 });
      return Object.fromEntries(all.map((one) => [one.email, one.pausedUntil]));
    };
    const events = (store: Store): Promise<object[]> =>
      store.db
        .selectFrom('consent_events')
        .select(['change', 'newsletter', 'channel', 'source', 'detail', 'at'])
        .where('change', '<>', 'confirmed')
        .orderBy('id')
        .execute();

    it('is imported for new subscribers if it ends in the future, and recorded', async () => {
      const store = await open();
      const file = csv(
        'email,paused_until\nada@example.com,2026-12-24T05:00:00.000Z\nben@example.com,\n' +
          'cleo@example.com,2026-11-24T07:30:00Z\ndora@example.com,2027-01-01\n' +
          'emil@example.com,2026-12-24T00:00:00-05:00\n',
      );
      expect(await importing(store, file)).toMatchObject({ rows: 5, added: 5, changed: 0, rejected: 0 });
      expect(await pausesOf(store)).toEqual({
        'ada@example.com': UNTIL,
        'ben@example.com': null,
        'cleo@example.com': null,
        'dora@example.com': Date.UTC(2027, 0, 1),
        'emil@example.com': UNTIL,
      });
      const recorded = await events(store);
      expect(recorded).toHaveLength(3);
      expect(recorded).toContainEqual({
        change: 'paused',
        newsletter: null,
        channel: 'import',
        source: 'list.csv:2',
        detail: 'until 2026-12-24T05:00:00Z',
        at: NOW,
      });
      expect(await importing(store, file)).toMatchObject({ rows: 5, added: 0, changed: 0, unchanged: 5 });
      expect(await events(store)).toEqual(recorded);
    });

    it('is imported for known subscribers subscriber never paused or resumed', async () => {
      const store = await open();
      await addConfirmed(store);
      const [ben, cleo] = [await addConfirmed(store, 'ben@example.com'), await addConfirmed(store, 'cleo@example.com')];
      const soon = NOW + 3_600_000;
      await changePreferences(store.db, ben, { pausedUntil: soon }, PREFERENCES, NOW);
      await changePreferences(store.db, cleo, { pausedUntil: soon }, PREFERENCES, NOW);
      await changePreferences(store.db, cleo, { pausedUntil: null }, PREFERENCES, NOW);
      const line = (name: string): string => `${name}@example.com,2026-12-24T05:00:00Z\n`;
      const file = csv(`email,paused_until\n${['ada', 'ben', 'cleo'].map(line).join('')}`);
      expect(await importing(store, file)).toMatchObject({ rows: 3, added: 0, changed: 1, unchanged: 2 });
      expect(await pausesOf(store)).toEqual({
        'ada@example.com': UNTIL,
        'ben@example.com': soon,
        'cleo@example.com': null,
      });
    });

    it('is the first one in any row of an address', async () => {
      const store = await open();
      const file = csv(
        'email,newsletters,paused_until\nada@example.com,daily,\nAda@example.com,weekly,2026-12-24T05:00:00Z\n' +
          'ada@example.com,weekly,2027-02-01\n',
      );
      expect(await importing(store, file)).toMatchObject({ rows: 3, added: 1, changed: 1, unchanged: 1 });
      expect(await pausesOf(store)).toEqual({ 'ada@example.com': UNTIL });
      expect(await events(store)).toMatchObject([{ change: 'paused', source: 'list.csv:3' }]);
    });

    it('that is not an instant is rejected, with an example', async () => {
      const store = await open();
      const file = csv('email,paused_until\nada@example.com,yes\nben@example.com,2026-02-30\ncleo@example.com,\n');
      const report = await importing(store, file);
      expect(report).toMatchObject({ rows: 3, added: 1, rejected: 2 });
      const rule = 'the end of a pause must be a date that exists, like 2026-11-24 07:30';
      expect(report.rejects).toEqual([
        { line: 2, reason: expect.stringContaining(`yes: ${rule}`) },
        { line: 3, reason: expect.stringContaining(`2026-02-30: ${rule}`) },
      ]);
      expect(await pausesOf(store)).toEqual({ 'cleo@example.com': null });
    });
  });

  it('rejects an invalid row with line and reason, and imports the rest', async () => {
    const store = await open();
    const file = csv(
      'email,zone,newsletters,note\nada@example.com,,daily,\n"not, an address",,daily,"two\nlines"\n' +
        'ben@example.com,Mars/Olympus,daily,\ncleo@example.com,,monthly,x\ndora@example.com,,daily,\n',
    );
    const report = await importing(store, file);
    expect(report).toMatchObject({ rows: 5, added: 2, rejected: 3, ignoredColumns: ['note'] });
    expect(report.rejects.map(({ line }) => line)).toEqual([3, 5, 6]);
    const [, zone = '', newsletter = ''] = report.rejects.map(({ reason }) => reason);
    expect(zone).toMatch(/Mars\/Olympus: it must be an IANA time zone .*; or add --ignore "zone"$/);
    expect(newsletter).toMatch(/has daily, weekly; or add --ignore "newsletters" --newsletter ID$/);
    const quoted = (reason: string): string => `"${reason.replaceAll('"', '""')}"`;
    const rejectedRows = readFileSync(report.rejectsFile as string, 'utf8');
    expect(rejectedRows).toBe(
      'email,zone,newsletters,note,line,reason\n' +
        `"not, an address",,daily,"two\nlines",3,${quoted(report.rejects[0]?.reason ?? '')}\n` +
        `ben@example.com,Mars/Olympus,daily,,5,${quoted(zone)}\n` +
        `cleo@example.com,,monthly,x,6,${quoted(newsletter)}\n`,
    );
  });

  it('keeps fields beyond the header in rejected rows', async () => {
    const store = await open();
    const report = await importing(store, csv('email,zone\nada@example.com,+05:30,Ada,Lovelace\n'));
    expect(report.rejects).toMatchObject([{ line: 2, reason: expect.stringContaining('+05:30: it must be an IANA') }]);
    expect(readFileSync(report.rejectsFile as string, 'utf8')).toMatch(
      /^email,zone,line,reason\nada@example\.com,'\+05:30,2,"'\+05:30: it must be .*",Ada,Lovelace\n$/,
    );
  });

  it('reads files of spreadsheets: UTF-16 with tabs, byte order mark and CR LF', async () => {
    const store = await open();
    const file = csv('');
    writeFileSync(file, Buffer.from('\ufeffemail\tzone\r\nada@bücher.example\tAsia/Tokyo\r\nnobody\t\r\n', 'utf16le'));
    const report = await importing(store, file);
    expect(report).toMatchObject({ rows: 2, added: 1, rejects: [{ line: 3 }] });
    expect(Object.keys(await statesOf(store))).toEqual(['ada@bücher.example']);
  });

  it('refuses a file in another encoding before anything of it is imported, and says what to do', async () => {
    const store = await open();
    const file = csv('');
    const rows = Array.from({ length: 5_000 }, (_, n) => `subscriber${n}@example.com,\n`).join('');
    for (const bytes of [
      Buffer.from(`email,name\n${rows}ada@example.com,Jörg\n`, 'latin1'),
      Buffer.from('\ufeffemail,name\n', 'utf16le').swap16(),
    ]) {
      writeFileSync(file, bytes);
      await expect(importing(store, file)).rejects.toThrow(/list\.csv: it is not UTF-8: save it as UTF-8, which/);
    }
    expect(await statesOf(store)).toEqual({});
  });

  it.each([
    ['2021-03-04 10:11:12 +0200', '2021-03-04T08:11:12.000Z'],
    ['2021-03-04 10:11:12 UTC', '2021-03-04T10:11:12.000Z'],
    ['2021-03-04 10:11:12.123 +0000 UTC', '2021-03-04T10:11:12.123Z'],
    ['2021-03-04T10:11:12-04:00', '2021-03-04T14:11:12.000Z'],
    ['12/31/2021 10:11 AM', '2021-12-31T10:11:00.000Z'],
    ['2021-03-04', '2021-03-04T00:00:00.000Z'],
  ])('reads %j as the time of a subscription', async (written, expected) => {
    const store = await open();
    expect(await importing(store, csv(`email,Subscribed at\nada@example.com,${written}\n`))).toMatchObject({
      added: 1,
    });
    const events = await store.db.selectFrom('consent_events').select('detail').execute();
    expect(events).toEqual([{ detail: `since ${expected}` }]);
  });

  it('refuses a time of a subscription that can be two, and says how to go on without it', async () => {
    const store = await open();
    const { rejects } = await importing(store, csv('email,Subscribed at\nada@example.com,03/04/2021 10:11 AM\n'));
    expect(rejects[0]?.reason).toMatch(
      /^03\/04\/2021 10:11 AM: .* can be 2021-03-04 or 2021-04-03: .*; or add --ignore "Subscribed at"$/,
    );
  });

  it('imports the corrected file of rejected rows, and deletes the one of an earlier import', async () => {
    const store = await open();
    const { rejectsFile } = await importing(store, csv('email\nada@example\n'));
    const corrected = readFileSync(rejectsFile as string, 'utf8').replace('ada@example,', 'ada@example.com,');
    expect(await importing(store, csv(corrected))).toMatchObject({ rows: 1, added: 1, ignoredColumns: [] });
    expect(existsSync(rejectsFile as string)).toBe(false);
  });

  it('reports an unclosed quotation mark, and imports the rows before it', async () => {
    const store = await open();
    const rows = Array.from({ length: 5_000 }, (_, n) => `subscriber${n}@example.com\n`).join('');
    await expect(importing(store, csv(`email\nada@example.com\n"ben@example.com\n${rows}`))).rejects.toThrow(
      /list\.csv: after line 2: a quotation mark is not closed/,
    );
    expect(Object.keys(await statesOf(store))).toEqual(['ada@example.com']);
  });

  it('gives the reason of a rejection without the control characters that a field holds', async () => {
    const store = await open();
    const { rejects } = await importing(store, csv('email\n"\u001b[2Jada\n@example.com"\n'));
    expect(rejects).toEqual([{ line: 2, reason: '[2Jada @example.com: it contains control characters' }]);
  });

  it('rejects an oversized field with its row alone, and stops at a line of more than a megabyte', async () => {
    const store = await open();
    const notes = `"${'a note of many lines\n'.repeat(5_000)}"`;
    const rows = ['email,notes', 'ada@example.com,', `eve@example.com,${notes}`, 'ben@example.com,'];
    const report = await importing(store, csv(rows.join('\r\n')));
    expect(report).toMatchObject({ rows: 3, added: 2, rejected: 1 });
    expect(report.rejects).toEqual([{ line: 3, reason: expect.stringMatching(/64 KB/) }]);
    const long = csv([...rows, `mallory@example.com,${'x'.repeat(1_200_000)}`].join('\r\n'));
    await expect(importing(store, long)).rejects.toThrow(/after line 5004: .*a line has more than a megabyte/);
  });

  it('imports an export with zones, pauses, unsubscriptions and suppressions unchanged', async () => {
    const store = await open();
    await importing(store, csv('email,zone\nada@example.com,Asia/Tokyo\nben@example.com,\ncleo@example.com,\n'));
    const [ada, ben, cleo] = await listSubscribers(store.db, { limit: 3 });
    await changePreferences(store.db, ada!.id, { pausedUntil: NOW + 1_234_567 }, PREFERENCES, NOW);
    await removeSubscriber(store.db, 'ben@example.com', OPERATOR, NOW);
    await changePreferences(store.db, cleo!.id, { pausedUntil: NOW + 7_654_321 }, PREFERENCES, NOW);
    await suppressAddress(store.db, SECRETS, cleo!.id, 'hard-bounce', OPERATOR, NOW);
    expect(ben!.pausedUntil).toBeNull();
    const other = await open();
    const text = await exported(store);
    expect(await importing(other, csv(text))).toMatchObject({ rows: 3, added: 3, rejected: 0, ignoredColumns: [] });
    expect(await exported(other)).toBe(text);
    expect(text.match(/2026-11-24T0[78]:50:34\.567Z|2026-11-24T09:37:34\.321Z/g)).toHaveLength(2);
  });
});
