import { describe, expect, it } from 'vitest';
import { NOW } from '../../../scripts/test-edition.ts';
import { mailboxToken } from '../../../src/audience/tokens.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { type BounceReport, recordBounceReports } from '../../../src/delivery/bounces/webhook.ts';
import { forBothDatabases } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { queueConfirmation, testConfig } from '../fixture.ts';
import { type About, submitEditions, subscriberState } from './bounce-fixture.ts';

const EMAIL = 'subscriber1@example.com';
const OLD: typeof SECRETS = ['the secret before the last rotation, thirty-two'];

function report(store: Store, reports: BounceReport[]) {
  return recordBounceReports(store, testConfig(), [...SECRETS, ...OLD], reports, NOW);
}

function token(about: About, secrets = SECRETS): string {
  return mailboxToken(secrets, { purpose: 'bounce', ...about });
}

describe('a message that is reported more than once', () => {
  forBothDatabases((open) => {
    it.each(['hard', 'soft', 'complaint'] as const)('counts one %s bounce under any of its tokens', async (kind) => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const reports: BounceReport[] = [
        { kind, token: token(about) },
        { kind, token: token(about, OLD) },
        { kind, returnPath: `bounces+${token(about).toUpperCase()}@example.com` },
        { kind, email: EMAIL },
      ];
      expect(await report(store, reports)).toMatchObject({ [kind]: 1, ignored: 3 });
      expect((await subscriberState(store, about)).bounces).toEqual([`${kind} -`]);
      expect(await report(store, reports.reverse())).toMatchObject({ [kind]: 0, ignored: 4 });
    });

    it('counts once where the first report names no message', async () => {
      const store = await open();
      const { messageId, subscriberId } = await queueConfirmation(store, EMAIL);
      const named = {
        kind: 'hard',
        token: mailboxToken(SECRETS, { purpose: 'service-bounce', messageId, subscriberId }),
      };
      expect(await report(store, [{ kind: 'hard', email: EMAIL }])).toMatchObject({ hard: 1 });
      expect(await report(store, [named as BounceReport])).toMatchObject({ hard: 0, ignored: 1 });
      // Another message that bounces is another bounce.
      const [about] = (await submitEditions(store, 1)) as [About];
      expect(await report(store, [{ kind: 'hard', token: token(about) }])).toMatchObject({ hard: 1 });
      expect((await subscriberState(store, about)).bounces).toEqual(['hard -', 'hard -']);
    });

    it('counts the final failure after a soft bounce instead of it, and no soft bounce after that', async () => {
      const store = await open();
      const [about] = (await submitEditions(store, 1)) as [About];
      const reports: BounceReport[] = (['soft', 'hard', 'soft'] as const).map((kind) => ({
        kind,
        token: token(about),
      }));
      expect(await report(store, reports)).toMatchObject({ soft: 1, hard: 1, ignored: 1 });
      expect(await subscriberState(store, about)).toMatchObject({ bounces: ['hard -'], suppressed: 'hard-bounce' });
    });
  });
});
