import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { eraseSubscriber } from '../../src/audience/erasure.ts';
import { findSubscriptionState } from '../../src/audience/subscriptions.ts';
import {
  mailboxToken,
  messageToken,
  preferencesToken,
  readMailboxToken,
  readMessageToken,
  readPreferencesToken,
  readUnsubscribeAddressToken,
  readUnsubscribeToken,
  unsubscribeAddressToken,
  unsubscribeToken,
} from '../../src/audience/tokens.ts';
import {
  deleteOldUnsubscribeKeys,
  keepUnsubscribeKey,
  listUnsubscribeKeys,
  UNSUBSCRIBE_KEY_LIFETIME,
} from '../../src/audience/unsubscribe-keys.ts';
import type { Config } from '../../src/core/config/config.ts';
import { fingerprintOf, type SigningSecrets } from '../../src/core/config/signing-secrets.ts';
import { backupStore, restoreStore } from '../../src/core/store/backup/backup.ts';
import type { Store } from '../../src/core/store/store.ts';
import { handleIncomingMail } from '../../src/delivery/bounces/mail.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { NOW, openTestSite, preferencesPath } from '../app/test-site.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS, sampleConfig } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { openTestApp } from '../support/test-app.ts';
import { addConfirmed } from './fixtures.ts';

/** Without the secret with which the messages were signed. */
const REPLACED: SigningSecrets = ['a secret that replaced a lost one, made after the loss'];
const NEWSLETTER = 'daily-roundup';
const SECRET = 'r'.repeat(40);

describe('unsubscribing from an email that was sent before', () => {
  forEachDatabase((open) => {
    let store: Store;
    let subscriberId: number;
    const key = () => ({ subscriberId, newsletter: NEWSLETTER });
    const state = (): Promise<unknown> => findSubscriptionState(store.db, key());
    const path = (): string => `/unsubscribe/${unsubscribeToken(SECRETS, key())}`;
    beforeEach(async () => {
      store = await open();
      subscriberId = await addConfirmed(store, 'ada@example.com', [NEWSLETTER, 'weekly-roundup']);
      await keepUnsubscribeKey(store.db, SECRETS, NOW - HOUR);
    });
    const site = (config: Config = sampleConfig()) => openTestSite(store, config, { secrets: REPLACED });
    const mail = (token: string, mailbox = 'bounces@example.com') => {
      const to = mailbox.replace('@', `+${token}@`);
      const raw = `From: ada@example.com\r\nTo: ${to}\r\nSubject: unsubscribe\r\n\r\n`;
      return handleIncomingMail(store, sampleConfig(), REPLACED, Buffer.from(raw), {}, NOW);
    };

    it('works by the page and in one click after the secret was replaced', async () => {
      const page = await site().read(path());
      expect(page).toContain('Unsubscribe from The Daily Roundup');
      expect(await state()).toBe('confirmed');
      const response = await site().post(path(), [['List-Unsubscribe', 'One-Click']]);
      expect([response.status, await state()]).toEqual([200, 'unsubscribed']);
      expect(await findSubscriptionState(store.db, { ...key(), newsletter: 'weekly-roundup' })).toBe('confirmed');
    });

    it('works by mail after the secret was replaced, at any return path, for that newsletter alone', async () => {
      const token = unsubscribeAddressToken(SECRETS, key()).toUpperCase();
      expect(await mail(token, 'former@example.org')).toMatchObject({
        kind: 'unsubscribed',
        newsletters: [NEWSLETTER],
      });
      expect(await mail(token)).toMatchObject({ kind: 'ignored' });
    });

    it('works for a newsletter that is no longer configured', async () => {
      const config = { ...sampleConfig(), newsletters: [] };
      expect(await site(config).read(path())).toContain('Unsubscribe from this newsletter');
      await site(config).post(path(), [['unsubscribe', 'yes']]);
      expect(await state()).toBe('unsubscribed');
    });

    it('never concerns a person who was added after the restore of an older backup', async () => {
      const [file, restored] = [join(temporaryFolder(), 'backup.sqlite'), await open()];
      await backupStore(store, file, NOW - HOUR);
      const grace = await addConfirmed(store, 'grace@example.com', [NEWSLETTER]);
      await restoreStore(file, restored, NOW);
      const eve = await addConfirmed(restored, 'eve@example.com', [NEWSLETTER]);
      expect(eve).toBeGreaterThan(grace);
      const { post, get } = openTestSite(restored);
      const graces = { subscriberId: grace, newsletter: NEWSLETTER };
      expect((await post(`/unsubscribe/${unsubscribeToken(SECRETS, graces)}`, [['unsubscribe', 'yes']])).status).toBe(
        200,
      );
      await handleIncomingMail(
        restored,
        sampleConfig(),
        SECRETS,
        Buffer.from(`To: bounces+${unsubscribeAddressToken(SECRETS, graces)}@example.com\r\n\r\n`),
        {},
        NOW,
      );
      expect(await (await get(preferencesPath(grace))).text()).not.toContain('eve@example.com');
      expect(await findSubscriptionState(restored.db, { ...graces, subscriberId: eve })).toBe('confirmed');
      // Those whom the backup holds can still leave.
      await post(path(), [['List-Unsubscribe', 'One-Click']]);
      expect(await findSubscriptionState(restored.db, key())).toBe('unsubscribed');
    });

    it('is answered kindly for an erased subscriber, and changes nothing', async () => {
      await eraseSubscriber(store.db, SECRETS, subscriberId, NOW);
      expect(await site().read(path())).toContain('You are unsubscribed');
      const response = await site().post(path(), [['List-Unsubscribe', 'One-Click']]);
      expect([response.status, await store.db.selectFrom('subscriptions').selectAll().execute()]).toEqual([200, []]);
      const ignored = { kind: 'ignored', reason: 'the subscriber no longer exists' };
      expect(await mail(unsubscribeAddressToken(SECRETS, key()))).toMatchObject(ignored);
    });

    it('does not work with a token of a key that the store never had', async () => {
      const foreign: SigningSecrets = ['a secret of somebody else, who knows the scheme'];
      expect((await site().get(`/unsubscribe/${unsubscribeToken(foreign, key())}`)).status).toBe(404);
      expect((await site().post(`/unsubscribe/${unsubscribeToken(foreign, key())}`)).status).toBe(404);
      expect(await mail(unsubscribeAddressToken(foreign, key()))).toMatchObject({ kind: 'forged' });
      expect(await state()).toBe('confirmed');
    });

    it('works for more than a year after the last delivery with that secret, then the key is deleted', async () => {
      await keepUnsubscribeKey(store.db, REPLACED, NOW + UNSUBSCRIBE_KEY_LIFETIME - HOUR);
      expect(await deleteOldUnsubscribeKeys(store.db, NOW - HOUR + UNSUBSCRIBE_KEY_LIFETIME)).toBe(0);
      expect((await site().get(path())).status).toBe(200);
      expect(await deleteOldUnsubscribeKeys(store.db, NOW + UNSUBSCRIBE_KEY_LIFETIME)).toBe(1);
      expect((await site().get(path())).status).toBe(404);
      expect(await listUnsubscribeKeys(store.db)).toHaveLength(1);
    });

    it('has its key kept by each delivery, with the day of its last use', async () => {
      const usedAt = () => store.db.selectFrom('unsubscribe_keys').select(['fingerprint', 'used_at']).execute();
      const app = openTestApp(store, { feeds: [], env: { DAYWIRE_SECRET: SECRET } });
      const fingerprint = fingerprintOf(SECRET);
      await deliverDue(app);
      expect(await usedAt()).toContainEqual({ fingerprint, used_at: app.now });
      const first = app.now;
      app.now += DAY - 1;
      await deliverDue(app);
      expect(await usedAt()).toContainEqual({ fingerprint, used_at: first });
      app.now += 1;
      await deliverDue(app);
      expect(await usedAt()).toContainEqual({ fingerprint, used_at: app.now });
    });

    it('is all that a kept key allows: no other token is made with it, and it reveals no secret', async () => {
      const [stored = ''] = await listUnsubscribeKeys(store.db);
      expect(stored).toMatch(/^[\w-]{43}$/);
      const stolen: SigningSecrets = [stored];
      const message = { messageId: 1, subscriberId };
      expect(
        readPreferencesToken(SECRETS, preferencesToken(stolen, { subscriberId, version: 1, expiresAt: 1 })),
      ).toBeNull();
      expect(readMessageToken(SECRETS, 'confirm', messageToken(stolen, 'confirm', message))).toBeNull();
      expect(readMessageToken(SECRETS, 'erase', messageToken(stolen, 'erase', message))).toBeNull();
      expect(readMessageToken(SECRETS, 'export', messageToken(stolen, 'export', message))).toBeNull();
      const returnPath = mailboxToken(stolen, { purpose: 'bounce', editionId: 1, subscriberId });
      expect(readMailboxToken(SECRETS, returnPath)).toBeNull();
      expect(readUnsubscribeToken(SECRETS, unsubscribeToken(stolen, key()), stolen)).toBeNull();
      expect(readUnsubscribeAddressToken(SECRETS, unsubscribeAddressToken(stolen, key()), stolen)).toBeNull();
      // What it is for.
      expect(readUnsubscribeToken(REPLACED, unsubscribeToken(SECRETS, key()), stolen)).toEqual(key());
    });
  });
});
