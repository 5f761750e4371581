import { expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { formatSubscriber } from '../../../src/audience/cli/format-subscribers.ts';
import { consentTextOf } from '../../../src/audience/consent/consent-text.ts';
import { requestSubscription } from '../../../src/audience/consent/opt-in.ts';
import { subscriberHistory } from '../../../src/audience/history.ts';
import { changeToWeekly } from '../../../src/audience/preferences.ts';
import { findSubscriber } from '../../../src/audience/subscriptions.ts';
import { changeZone } from '../../../src/audience/zone.ts';
import { DAY, localDate } from '../../../src/lib/time.ts';
import { PASSWORD } from '../../app/desk/test-desk.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { addCopy, CHOICE, FORM, OPERATOR, OPTIONS } from '../fixtures.ts';
import { JUN, openAudience } from './audience-fixtures.ts';

const HOSTILE = `"><script>alert(1)</script>&amp;'`;

forEachDatabase((open) => {
  it('each act is an event with the name of the account, and a row of the audit log without an address', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const { id, app } = desk;
    const path = `/audience/${id}`;
    const act = (name: string, fields: Record<string, string> = {}) => desk.act('audience', `${path}/${name}`, fields);
    const until = localDate(app.now + 9 * DAY, app.config.publication.zone);
    expect(await act('pause', { until })).toContain('No edition is mailed before');
    expect(await act('resume')).toContain('The pause is over');
    expect(await act('preferences-link')).toContain('is queued');
    expect(await act('suppress')).toContain('Nothing is mailed to this address');
    expect(await act('lift', { reason: `asked by phone, says ${JUN}` })).toContain('off the list');
    expect(await act('unsubscribe', { newsletter: 'daily-roundup' })).toContain('Unsubscribed from');
    const events = await store.db.selectFrom('consent_events').selectAll().orderBy('id').execute();
    const ofDesk = events.filter(({ source }) => source === 'desk: Auden Vale');
    expect(ofDesk.map(({ change }) => change)).toEqual([
      'paused',
      'resumed',
      'suppressed',
      'unsuppressed',
      'unsubscribed',
    ]);
    expect(ofDesk.every(({ channel }) => channel === 'operator')).toBe(true);
    const audit = await desk.audit();
    expect(audit.map(({ act: name, subject }) => `${name} ${subject}`)).toEqual(
      ['pause', 'resume', 'send-preferences-link', 'suppress', 'lift', 'unsubscribe'].map(
        (name) => `subscriber.${name} subscriber/${id}`,
      ),
    );
    expect(JSON.stringify(audit)).not.toContain('jun.li');
    expect(JSON.stringify(audit)).toContain('asked by phone');
    expect(desk.log.lines.join('\n')).not.toContain('jun.li');
  });

  it('an act has an Undo, except one that would record a consent which nobody has given', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const { id, app } = desk;
    const path = `/audience/${id}`;
    const act = (name: string, fields: Record<string, string> = {}) => desk.act('audience', `${path}/${name}`, fields);
    const noticeOf = (page: string): string => /<section id="notice".*?<\/section>/s.exec(page)?.[0] ?? '';
    const until = localDate(app.now + 9 * DAY, app.config.publication.zone);
    await act('pause', { until });
    const resumed = noticeOf(await act('resume'));
    expect(resumed).toContain(`action="/desk${path}/pause">`);
    expect(resumed).toContain(`<input type="hidden" name="until" value="${until}">`);
    await act('suppress');
    const lifted = noticeOf(await act('lift', { reason: 'by mistake' }));
    expect(lifted).toMatch(new RegExp(`action="/desk${path}/suppress">.*Suppress it again`));
    // Moved since the page was opened: the notice names what ended.
    const key = { subscriberId: id, newsletter: 'daily-roundup' };
    await changeToWeekly(store.db, key, 'weekly-roundup', OPERATOR, app.now);
    const left = noticeOf(await act('unsubscribe', { newsletter: 'daily-roundup' }));
    const weekly = app.config.newsletters.find((one) => one.id === 'weekly-roundup');
    expect(left).toContain(`Unsubscribed from ${weekly?.title}.`);
    expect(left).toContain('Only the person can subscribe again.');
    expect([...left.matchAll(/action="([^"]*)"/g)].map(([, action]) => action)).toEqual([
      `/desk${path}/preferences-link`,
    ]);
  });

  it('an act that changes nothing says so, and is not in the audit log', async () => {
    const desk = await openAudience(await open());
    const act = (name: string, fields: Record<string, string> = {}) =>
      desk.act('audience', `/audience/${desk.id}/${name}`, fields);
    expect(await act('resume')).toContain('There was no pause');
    expect(await act('lift', { reason: 'why not' })).toContain('was not on the list');
    expect(await act('unsubscribe', { newsletter: 'weekly' })).toContain('There is no subscription');
    expect(await act('confirmation')).toContain('No subscription waits');
    expect(await desk.audit()).toEqual([]);
  });

  it('sends the request to confirm again, with the wording that was agreed to in the ledger', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const consent = consentTextOf({
      ...desk.app.config,
      signup: { ...desk.app.config.signup, consent: { version: '7', text: HOSTILE } },
    });
    const request = { email: JUN, newsletters: ['weekly'] };
    await requestSubscription(store.db, SECRETS, request, { ...FORM, consent }, OPTIONS, desk.app.now);
    const page = await desk.act('audience', `/audience/${desk.id}/confirmation`);
    expect(page).toContain('is queued');
    expect(page).toContain('Wording 7');
    expect(page).toContain('192.0.2.7');
    expect(page).not.toContain('<script>alert');
    expect((await desk.audit()).map(({ act }) => act)).toEqual(['subscriber.send-confirmation']);
  });

  it('shows deliveries with the words of the server, masked for operators', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const { editionId, subscriberIds } = await queueEdition(store, 1);
    const id = subscriberIds[0] as number;
    const reply = `550 5.1.1 <SUBSCRIBER1@example.com> ${HOSTILE} forwarded to x.y@home.example.com`;
    await store.db.updateTable('deliveries').set({ state: 'failed', reply }).execute();
    await store.db
      .insertInto('bounces')
      .values({
        edition_id: editionId,
        subscriber_id: id,
        kind: 'hard',
        status: '5.1.1',
        detail: reply,
        at: desk.app.now,
      })
      .execute();
    const full = await desk.read('audience', `/audience/${id}`);
    expect(full).toContain('SUBSCRIBER1@example.com&gt;');
    expect(full).not.toContain('<script>alert');
    const masked = await desk.read('operator', `/audience/${id}`);
    expect(masked).toContain('s…@example.com');
    expect(masked).toContain('550 5.1.1');
    expect(masked.toLowerCase()).not.toContain('subscriber1@');
    expect(masked).not.toContain('x.y@');
  });

  it('shows what a person chose, the private feed, and which stories each delivery had', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const { subscriberIds } = await queueEdition(store, 3);
    const [one = 0, other = 0, none = 0] = subscriberIds;
    expect(await desk.read('audience', `/audience/${one}`)).not.toContain('stories');
    await addCopy(store, [one, none]);
    const suppressed = { state: 'suppressed', reason: 'too few chosen stories: 1 of at least 3' } as const;
    await store.db.updateTable('deliveries').set(suppressed).where('subscriber_id', '=', none).execute();
    await store.db
      .updateTable('subscriptions')
      .set({ choice: CHOICE, feed_since: desk.app.now })
      .where('subscriber_id', '=', one)
      .execute();
    const page = await desk.read('audience', `/audience/${one}`);
    expect(page).toMatch(/<p class="hint">sections health, private feed since <time/);
    expect(page).toContain('<details><summary>2 of 3 stories</summary> <a href="/desk/articles/first">first</a>');
    const whole = await desk.read('audience', `/audience/${other}`);
    expect(whole).toContain('<summary>whole edition</summary>');
    expect(whole).not.toContain('private feed');
    const nothing = await desk.read('audience', `/audience/${none}`);
    expect(nothing).toContain('too few chosen stories: 1 of at least 3');
    expect(nothing).not.toContain('of 3 stories');
    const subscriber = await findSubscriber(store.db, one);
    const history = await subscriberHistory(store.db, one);
    if (subscriber === null) throw new Error('the subscriber is stored');
    const shown = formatSubscriber(subscriber, history, 50, 'UTC');
    expect(shown).toMatch(/daily-roundup confirmed since .*, sections health, private feed since .*2026/);
    expect(shown).toMatch(/daily-roundup 2026-11-24 pending, 2 of 3 stories$/m);
    const event = { at: desk.app.now, newsletter: 'weekly-roundup', channel: 'preferences', source: null } as const;
    const unworded = { ...event, consentVersion: null, consentText: null };
    const consent = [
      { ...unworded, change: 'choice' as const, detail: CHOICE },
      { ...unworded, change: 'choice' as const, detail: null },
      { ...unworded, change: 'moved' as const, detail: 'daily-roundup' },
    ];
    expect(
      formatSubscriber(subscriber, { ...history, consent }, 50, 'UTC').match(/weekly-roundup .*(?=, by)/g),
    ).toEqual([
      'weekly-roundup choice sections health',
      'weekly-roundup choice everything',
      'weekly-roundup moved from daily-roundup',
    ]);
    const kept = formatSubscriber(subscriber, await subscriberHistory(store.db, none), 50, 'UTC');
    expect(kept).toMatch(/suppressed: too few chosen stories: 1 of at least 3$/m);
  });

  it('exports the data of a person after the password, and records that', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const path = `/audience/${desk.id}/export`;
    const asked = await desk.post('audience', path);
    expect(await asked.text()).toContain('Export all data of this person: your password again');
    expect((await desk.post('audience', path, { password: 'wrong' })).status).toBe(422);
    expect(await desk.audit()).toEqual([]);
    const response = await desk.post('audience', path, { password: PASSWORD });
    expect(response.headers.get('Content-Disposition')).toMatch(/^attachment; filename="subscriber-\d+-[\d-]+\.json"$/);
    const data = (await response.json()) as { address: string; consent: { change: string; source: string }[] };
    expect(data.address).toBe(JUN);
    expect(data.consent[0]).toMatchObject({ change: 'exported', source: 'desk: Auden Vale' });
    expect(await desk.audit()).toMatchObject([{ act: 'subscriber.export', subject: `subscriber/${desk.id}` }]);
  });

  it('deletes a person after a page that says what goes and what stays, and the password', async () => {
    const store = await open();
    const desk = await openAudience(store);
    const path = `/audience/${desk.id}`;
    const page = await desk.read('audience', `${path}/erase`);
    expect(page).toContain('cannot be\nundone');
    expect(page).toContain('Subscriptions: The Daily Roundup');
    expect(page).toContain('a keyed hash of the address');
    expect((await desk.post('audience', `${path}/erase`, { password: 'wrong' })).status).toBe(422);
    expect((await desk.get('audience', path)).status).toBe(200);
    const done = await desk.act('audience', `${path}/erase`, { password: PASSWORD });
    expect(done).toContain(`All data of subscriber ${desk.id} is deleted`);
    expect((await desk.get('audience', path)).status).toBe(404);
    expect(await desk.audit()).toMatchObject([{ act: 'subscriber.erase', actor: 'Auden Vale' }]);
  });
});

it('is closed to editors, and operators change nothing', async () => {
  const desk = await openAudience(await openMigrated());
  for (const path of ['/audience', '/audience/suppressions', `/audience/${desk.id}`, '/audience/import']) {
    expect([path, (await desk.get('editor', path)).status]).toEqual([path, 403]);
  }
  for (const act of ['unsubscribe', 'pause', 'suppress', 'lift', 'confirmation', 'export', 'erase']) {
    expect([act, (await desk.post('operator', `/audience/${desk.id}/${act}`)).status]).toEqual([act, 403]);
  }
  const page = await desk.read('operator', `/audience/${desk.id}`);
  expect(page).toContain('j…@example.com');
  expect(page).not.toContain('jun.li');
  expect(page).not.toContain('/unsubscribe"');
});

it('says what is wrong with a day and a reason beside the field, and keeps what was typed', async () => {
  const desk = await openAudience(await openMigrated());
  const path = `/audience/${desk.id}`;
  for (const until of ['', '2026-02-30', '2020-01-01', '9999-12-31', HOSTILE]) {
    const response = await desk.post('audience', `${path}/pause`, { until });
    expect([until, response.status]).toEqual([until, 422]);
    const page = await response.text();
    expect(page).toContain('Choose a day after today');
    expect(page).not.toContain('<script>alert');
  }
  await desk.act('audience', `${path}/suppress`);
  const refused = await desk.post('audience', `${path}/lift`, { reason: '  ' });
  expect(refused.status).toBe(422);
  expect(await refused.text()).toContain('Say why');
});

it('keeps the address out of the title, and answers 404 for a number that nobody has', async () => {
  const store = await openMigrated();
  const desk = await openAudience(store);
  const page = await desk.read('audience', `/audience/${desk.id}`);
  expect(page.match(/<title>(.*)<\/title>/)?.[1]).not.toContain('@');
  expect(page).toContain('<bdi class="break">jun.li@example.com</bdi>');
  for (const id of ['0', '999', '99999999999999999999']) {
    expect([id, (await desk.get('audience', `/audience/${id}`)).status]).toEqual([id, 404]);
  }
  await store.db.transaction().execute((tx) => changeZone(tx, { id: desk.id, zone: null }, 'Asia/Tokyo', FORM, 1));
  expect(await desk.read('audience', `/audience/${desk.id}`)).toContain('Chose the time zone Asia/Tokyo');
});
