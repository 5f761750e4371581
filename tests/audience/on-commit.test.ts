import { expect, it, vi } from 'vitest';
import { requestLink } from '../../src/audience/account-links.ts';
import { resendConfirmation } from '../../src/audience/consent/resend-confirmation.ts';
import { eraseSubscriber } from '../../src/audience/erasure.ts';
import { recordExport } from '../../src/audience/export-data.ts';
import { changePreferences } from '../../src/audience/preferences.ts';
import { endSubscriptions } from '../../src/audience/subscriptions.ts';
import { suppressByOperator, unsuppressByOperator } from '../../src/audience/suppression.ts';
import type { InTransaction, Store, Tx } from '../../src/core/store/store.ts';
import { DAY } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { ADA, addConfirmed, NOW, OPTIONS, requestNewsletters, unsubscribe } from './fixtures.ts';

const VIA = { channel: 'operator', source: 'desk: Ada Admin' } as const;

/** Each act of an operator, on a subscriber of `daily` who has requested `weekly`. */
const ACTS: Record<string, (store: Store, id: number, onCommit: InTransaction) => Promise<unknown>> = {
  'an end of one subscription': ({ db }, subscriberId, onCommit) =>
    unsubscribe(db, { subscriberId, newsletter: 'daily' }, VIA, NOW, onCommit),
  'an end of all subscriptions': ({ db }, id, onCommit) => endSubscriptions(db, id, 'all', VIA, NOW, onCommit),
  'a pause': ({ db }, id, onCommit) => changePreferences(db, id, { pausedUntil: NOW + DAY }, VIA, NOW, onCommit),
  'a suppression': ({ db }, _, onCommit) => suppressByOperator(db, SECRETS, ADA, NOW, { onCommit }),
  'an erasure': ({ db }, id, onCommit) => eraseSubscriber(db, SECRETS, id, NOW, onCommit),
};

/** Acts that can be repeated, up to a limit. */
const REPEATED: typeof ACTS = {
  'an export': ({ db }, id, onCommit) => recordExport(db, id, VIA, NOW, onCommit),
  'a link to the preferences': ({ db }, id, onCommit) => requestLink(db, SECRETS, id, 'preferences', NOW, onCommit),
  'another request to confirm': ({ db }, id, onCommit) => resendConfirmation(db, SECRETS, id, OPTIONS, NOW, onCommit),
};

async function stored({ db }: Store): Promise<unknown> {
  return Promise.all(
    (['subscribers', 'subscriptions', 'consent_events', 'service_messages', 'suppressions'] as const).map((table) =>
      db.selectFrom(table).selectAll().execute(),
    ),
  );
}

async function addAda(store: Store): Promise<number> {
  const id = await addConfirmed(store);
  await requestNewsletters(store, ['weekly']);
  return id;
}

forEachDatabase((open) => {
  it.each(Object.entries({ ...ACTS, ...REPEATED }))('%s is undone if what is added to it fails', async (_, act) => {
    const store = await open();
    const id = await addAda(store);
    const before = await stored(store);
    await expect(act(store, id, () => Promise.reject(new Error('no record')))).rejects.toThrow('no record');
    expect(await stored(store)).toEqual(before);
  });

  it.each(Object.entries(ACTS))('%s adds its record once, and nothing when nothing changes', async (_, act) => {
    const store = await open();
    const id = await addAda(store);
    const added: Tx[] = [];
    const onCommit: InTransaction = async (tx) => void added.push(tx);
    await act(store, id, onCommit);
    expect(added).toEqual([expect.objectContaining({ isTransaction: true })]);
    await act(store, id, onCommit);
    expect(added).toHaveLength(1);
  });

  it.each(Object.entries(REPEATED))('%s adds its record each time', async (_, act) => {
    const store = await open();
    const id = await addAda(store);
    const onCommit = vi.fn(async () => {});
    await act(store, id, onCommit);
    await act(store, id, onCommit);
    expect(onCommit).toHaveBeenCalledTimes(2);
  });

  it('the end of a suppression adds its record once', async () => {
    const store = await open();
    const id = await addAda(store);
    await suppressByOperator(store.db, SECRETS, ADA, NOW, { source: 'desk: Ada Admin' });
    const onCommit = vi.fn(async () => {});
    const act = { source: 'desk: Grace Operator', onCommit };
    expect(await unsuppressByOperator(store.db, SECRETS, ADA, NOW, act)).toEqual({ kind: 'lifted' });
    expect(await unsuppressByOperator(store.db, SECRETS, ADA, NOW, act)).toEqual({ kind: 'already' });
    expect(onCommit).toHaveBeenCalledTimes(1);
    const events = await store.db
      .selectFrom('consent_events')
      .select(['change', 'channel', 'source'])
      .where('subscriber_id', '=', id)
      .where('change', 'in', ['suppressed', 'unsuppressed'])
      .orderBy('id')
      .execute();
    expect(events).toEqual([
      { change: 'suppressed', channel: 'operator', source: 'desk: Ada Admin' },
      { change: 'unsuppressed', channel: 'operator', source: 'desk: Grace Operator' },
    ]);
  });
});
