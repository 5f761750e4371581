import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pollMailbox, verifyMailbox } from '../../../src/delivery/bounces/mailbox.ts';
import type { Store } from '../../../src/store/store.ts';
import { openMigrated } from '../../support/databases.ts';
import { NOW, SECRETS, testConfig } from '../fixture.ts';
import { standingOf, submitEditions } from './bounce-fixture.ts';
import { type About, bounceMessage, returnToken } from './bounce-messages.ts';
import { hasDovecot, type MailServer, startDovecot } from './dovecot.ts';

const NONE = { messages: 0, bounced: 0, unsubscribed: 0, ignored: 0, forged: 0, unclear: 0 };

function poll(store: Store, imapUrl: string | undefined, signal?: AbortSignal) {
  return pollMailbox(store, { ...testConfig(), secrets: { imapUrl } }, SECRETS, { clock: () => NOW, signal });
}

async function newsroom(): Promise<{ store: Store; about: About }> {
  const store = await openMigrated();
  const [about] = (await submitEditions(store, 1)) as [About];
  return { store, about };
}

describe('without a mailbox', () => {
  it('there is nothing to look through', async () => {
    const { store } = await newsroom();
    expect(await poll(store, undefined)).toEqual(NONE);
  });

  it('that answers, it says which one it was, and keeps the password to itself', async () => {
    const { store } = await newsroom();
    const refused = poll(store, 'imap://desk:secret-word@127.0.0.1:1/INBOX');
    await expect(refused).rejects.toThrow(/^the mailbox at imap:\/\/127\.0\.0\.1:1 cannot be read: .*ECONNREFUSED/);
    await expect(refused).rejects.not.toThrow(/secret-word/);
  });
});

describe.skipIf(!hasDovecot())('a mailbox on Dovecot (skipped where it is not installed, or not as root)', () => {
  let server: MailServer;
  beforeAll(async () => {
    server = await startDovecot();
  });
  afterAll(() => server.close());

  it('is looked through: what was understood goes to one folder, what was not to another', async () => {
    const { store, about } = await newsroom();
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
    expect(await standingOf(store, about)).toMatchObject({ suppressed: 'hard-bounce', bounces: ['hard 5.1.1'] });
    expect(await poll(store, server.urlOf('desk'))).toEqual(NONE);
  });

  it('keeps a message that was not acted on, for the next time', async () => {
    const { store, about } = await newsroom();
    server.deliver('crash', '1', bounceMessage('postfix-unknown-user', about));
    const closed = await openMigrated();
    await closed.close();
    await expect(poll(closed, server.urlOf('crash'))).rejects.toThrow();
    expect(server.count('crash', 'INBOX')).toMatchObject({ unread: 1 });
    expect(await poll(store, server.urlOf('crash'))).toMatchObject({ messages: 1, bounced: 1 });
  });

  it('holds one far too long of which only the head is read', async () => {
    const { store, about } = await newsroom();
    const long = bounceMessage('postfix-unknown-user', about).toString().replace('iOS 5.1.1', 'x '.repeat(3_000_000));
    server.deliver('long', '1', Buffer.from(long));
    expect(await poll(store, server.urlOf('long'))).toMatchObject({ messages: 1, bounced: 1 });
  });

  it('is left when the process ends', async () => {
    const { store, about } = await newsroom();
    server.deliver('ending', '1', bounceMessage('postfix-unknown-user', about));
    expect(await poll(store, server.urlOf('ending'), AbortSignal.abort())).toEqual(NONE);
    const soon = new AbortController();
    const polling = poll(store, server.urlOf('ending'), soon.signal);
    soon.abort();
    expect(await polling).toEqual(NONE);
    expect(server.count('ending', 'INBOX')).toMatchObject({ unread: 1 });
  });

  it('is tried without any change of what it holds', async () => {
    const { about } = await newsroom();
    server.deliver('tried', '1', bounceMessage('postfix-unknown-user', about));
    await verifyMailbox(server.urlOf('tried'));
    expect(server.count('tried', 'INBOX')).toEqual({ read: 0, unread: 1 });
    await expect(verifyMailbox(server.urlOf('tried').replace('/INBOX', '/nowhere'))).rejects.toThrow(/nowhere|exist/i);
  });

  it('says that there is no such mailbox', async () => {
    const { store } = await newsroom();
    await expect(poll(store, server.urlOf('desk').replace('/INBOX', '/nowhere'))).rejects.toThrow(/nowhere|exist/i);
  });

  // The last one: after it, Dovecot lets this client wait.
  it('says that a login is refused', async () => {
    const { store } = await newsroom();
    const wrong = server.urlOf('desk').replace(/desk:[^@]*@/, 'desk:wrong@');
    await expect(poll(store, wrong)).rejects.toThrow(/^the mailbox at imap:\/\/127\.0\.0\.1:\d+ cannot be read: .*/);
  });
});
