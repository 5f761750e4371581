import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { pollMailbox, verifyMailbox } from '../../../src/delivery/bounces/mailbox.ts';
import { openMigrated } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';
import { type About, bounceMessage, returnToken, submitEditions, subscriberState } from './bounce-fixture.ts';
import { hasDovecot, type MailServer, startDovecot } from './dovecot.ts';

const NONE = { messages: 0, bounced: 0, unsubscribed: 0, ignored: 0, forged: 0, unclear: 0 };

function poll(store: Store, imapUrl: string | undefined, signal?: AbortSignal) {
  return pollMailbox(store, { ...testConfig(), secrets: { imapUrl } }, SECRETS, { clock: () => NOW, signal });
}

async function storeWithEdition(): Promise<{ store: Store; about: About }> {
  const store = await openMigrated();
  const [about] = (await submitEditions(store, 1)) as [About];
  return { store, about };
}

describe('pollMailbox', () => {
  it('does nothing if no mailbox is configured', async () => {
    const { store } = await storeWithEdition();
    expect(await poll(store, undefined)).toEqual(NONE);
  });

  it('names the mailbox that it cannot reach, without its password', async () => {
    const { store } = await storeWithEdition();
    const refused = poll(store, 'imap://desk:secret-word@127.0.0.1:1/INBOX');
    await expect(refused).rejects.toThrow(/^the mailbox at imap:\/\/127\.0\.0\.1:1 cannot be read: .*ECONNREFUSED/);
    await expect(refused).rejects.not.toThrow(/secret-word/);
  });
});

describe.skipIf(!hasDovecot())('pollMailbox on Dovecot (skipped without Dovecot and root)', () => {
  let server: MailServer;
  beforeAll(async () => {
    server = await startDovecot();
  });
  afterAll(() => server.close());

  it('moves recognised messages to one folder and the others to another', async () => {
    const { store, about } = await storeWithEdition();
    server.deliver('desk', '1', bounceMessage('postfix-unknown-user', about));
    server.deliver('desk', '2', bounceMessage('postfix-unknown-user', about));
    server.deliver('desk', '3', bounceMessage('vacation', about));
    server.deliver('desk', '4', bounceMessage('letter-to-return-path', about));
    const forged = bounceMessage('amazon-like', about)
      .toString()
      .replaceAll(returnToken(about), `b${'a'.repeat(39)}`);
    server.deliver('desk', '5', Buffer.from(forged));
    server.deliver('desk', '6', bounceMessage('mailto-unsubscribe', about));
    expect(await poll(store, server.urlOf('desk'))).toEqual({
      messages: 6,
      bounced: 1,
      unsubscribed: 1,
      ignored: 2,
      forged: 1,
      unclear: 1,
    });
    expect(server.count('desk', 'INBOX')).toEqual({ read: 0, unread: 0 });
    expect(server.count('desk', 'daywire-processed')).toEqual({ read: 4, unread: 0 });
    expect(server.count('desk', 'daywire-unknown')).toEqual({ read: 2, unread: 0 });
    expect(await subscriberState(store, about)).toMatchObject({ suppressed: 'hard-bounce', bounces: ['hard 5.1.1'] });
    expect(await poll(store, server.urlOf('desk'))).toEqual(NONE);
  });

  it('handles a message in the next poll if the store failed', async () => {
    const { store, about } = await storeWithEdition();
    server.deliver('crash', '1', bounceMessage('postfix-unknown-user', about));
    const closed = await openMigrated();
    await closed.close();
    await expect(poll(closed, server.urlOf('crash'))).rejects.toThrow();
    expect(server.count('crash', 'INBOX')).toMatchObject({ unread: 1 });
    expect(await poll(store, server.urlOf('crash'))).toMatchObject({ messages: 1, bounced: 1 });
  });

  it('reads only the beginning of a message that is too long', async () => {
    const { store, about } = await storeWithEdition();
    const long = bounceMessage('postfix-unknown-user', about).toString().replace('iOS 5.1.1', 'x '.repeat(3_000_000));
    server.deliver('long', '1', Buffer.from(long));
    expect(await poll(store, server.urlOf('long'))).toMatchObject({ messages: 1, bounced: 1 });
  });

  it('stops when it is aborted, before or during the poll', async () => {
    const { store, about } = await storeWithEdition();
    server.deliver('ending', '1', bounceMessage('postfix-unknown-user', about));
    expect(await poll(store, server.urlOf('ending'), AbortSignal.abort())).toEqual(NONE);
    const soon = new AbortController();
    const polling = poll(store, server.urlOf('ending'), soon.signal);
    soon.abort();
    expect(await polling).toEqual(NONE);
    expect(server.count('ending', 'INBOX')).toMatchObject({ unread: 1 });
  });

  it('is preceded by verifyMailbox, which changes nothing in the mailbox', async () => {
    const { about } = await storeWithEdition();
    server.deliver('verified', '1', bounceMessage('postfix-unknown-user', about));
    const url = server.urlOf('verified');
    await verifyMailbox(url);
    expect(server.count('verified', 'INBOX')).toEqual({ read: 0, unread: 1 });
    await expect(verifyMailbox(url.replace('/INBOX', '/nowhere'))).rejects.toThrow(/nowhere|exist/i);
  });

  // The last test: after a refused login Dovecot delays this client.
  it('fails if the login is refused', async () => {
    const { store } = await storeWithEdition();
    const wrong = server.urlOf('desk').replace(/desk:[^@]*@/, 'desk:wrong@');
    await expect(poll(store, wrong)).rejects.toThrow(/^the mailbox at imap:\/\/127\.0\.0\.1:\d+ cannot be read: .*/);
  });
});
