import { expect, it } from 'vitest';
import { confirmRequest } from '../../../src/audience/consent/opt-in.ts';
import { type ResendResult, resendConfirmation } from '../../../src/audience/consent/resend-confirmation.ts';
import { suppressAddress, suppressByOperator } from '../../../src/audience/suppression.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import {
  ADA,
  addConfirmed,
  consentEvents,
  MAIL,
  NOW,
  OPTIONS,
  requestNewsletters,
  subscriptionStates,
} from '../fixtures.ts';

const resend = ({ db }: Store, id: number): Promise<ResendResult> =>
  resendConfirmation(db, SECRETS, id, OPTIONS, NOW + 5);

forEachDatabase((open) => {
  it('mails another link for what is unconfirmed, with zone and choices, and records no consent', async () => {
    const store = await open();
    const id = await addConfirmed(store);
    const choice = '{"sections":["world"]}';
    await requestNewsletters(store, ['weekly'], { zone: 'Asia/Tokyo', choices: { daily: choice, weekly: choice } });
    await requestNewsletters(store, ['monthly'], { zone: 'Asia/Tokyo' });
    const before = await consentEvents(store);
    expect(await resend(store, id)).toEqual({ kind: 'queued', newsletters: ['monthly', 'weekly'] });
    expect(await consentEvents(store)).toEqual(before);
    const messages = await store.db.selectFrom('service_messages').selectAll().orderBy('id').execute();
    const last = messages.at(-1);
    expect(messages).toHaveLength(3);
    expect(last).toMatchObject({
      kind: 'confirm',
      zone: 'Asia/Tokyo',
      state: 'pending',
      choices: JSON.stringify({ weekly: choice }),
    });
    const key = { messageId: last?.id as number, subscriberId: id };
    expect(await confirmRequest(store.db, SECRETS, key, MAIL, NOW + 9)).toMatchObject({ kind: 'confirmed' });
    expect(await subscriptionStates(store, id)).toEqual({
      ...{ daily: 'confirmed', monthly: 'confirmed', weekly: 'confirmed' },
    });
  });

  it('counts towards the limit of the mailbox', async () => {
    const store = await open();
    const { subscriberId } = await requestNewsletters(store, ['daily']);
    const kinds: string[] = [];
    for (let time = 0; time < OPTIONS.perAddressPerDay; time++) kinds.push((await resend(store, subscriberId)).kind);
    expect(kinds).toEqual(['queued', 'queued', 'limited']);
  });

  it('mails nobody whom only the operator can lift from the list, or who has nothing to confirm', async () => {
    const store = await open();
    const confirmed = await addConfirmed(store, 'grace@example.com');
    expect(await resend(store, confirmed)).toEqual({ kind: 'nothing-open' });
    expect(await resend(store, 999)).toEqual({ kind: 'unknown' });
    const { subscriberId } = await requestNewsletters(store, ['daily']);
    await suppressByOperator(store.db, SECRETS, ADA, NOW);
    expect(await resend(store, subscriberId)).toEqual({ kind: 'suppressed', reason: 'operator' });
    const other = await requestNewsletters(store, ['daily'], { email: 'kay@example.com' });
    await suppressAddress(store.db, SECRETS, other.subscriberId, 'complaint', { channel: 'complaint' }, NOW);
    expect(await resend(store, other.subscriberId)).toMatchObject({ reason: 'complaint' });
  });
});
