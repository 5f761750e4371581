import { describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { recordRejectedRecipients } from '../../../src/delivery/bounces/rejected-recipients.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { setDeliveries, testConfig } from '../fixture.ts';

const UNKNOWN = '550 5.1.1 no such user';

/** Ends an edition: the addresses with a reply have failed, all others are submitted. @returns the suppressed ones */
async function endEdition(store: Store, replies: Record<string, string | null>): Promise<string[]> {
  const emails = Object.keys(replies);
  const { editionId, subscriberIds } = await queueEdition(store, emails);
  for (const [n, id] of subscriberIds.entries()) {
    const reply = replies[emails[n] as string] ?? null;
    const state = reply === null ? 'submitted' : 'failed';
    await setDeliveries(store, { state, reply }, { subscriber_id: id });
  }
  const submitted = Object.values(replies).filter((reply) => reply === null).length;
  const record = () => recordRejectedRecipients(store, testConfig(), SECRETS, { editionId, submitted }, NOW);
  const count = await record();
  expect(await record()).toBe(0);
  const rows = await store.db
    .selectFrom('subscribers')
    .select('email')
    .where('suppressed_reason', '=', 'hard-bounce')
    .orderBy('id')
    .execute();
  expect(rows).toHaveLength(count);
  return rows.map(({ email }) => email);
}

function accepted(count: number, domain: string): Record<string, null> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`reader${n}@${domain}`, null]));
}

describe('recipients that a server rejects during the submission', () => {
  forEachDatabase((open) => {
    it('are suppressed as by a report, with the reply as its detail', async () => {
      const store = await open();
      const replies = {
        ...accepted(40, 'large.example'),
        'gone@large.example': UNKNOWN,
        'gone@only.example': '550 5.2.1 disabled',
      };
      expect(await endEdition(store, replies)).toEqual(['gone@large.example', 'gone@only.example']);
      const bounces = await store.db.selectFrom('bounces').select(['kind', 'status', 'detail']).orderBy('id').execute();
      expect(bounces).toEqual([
        { kind: 'hard', status: '5.1.1', detail: UNKNOWN },
        { kind: 'hard', status: '5.2.1', detail: '550 5.2.1 disabled' },
      ]);
    });

    it.each([
      ['the server refuses everyone', { 'a@one.example': UNKNOWN, 'b@two.example': UNKNOWN }],
      [
        'more than a few are rejected',
        { ...accepted(20, 'x.example'), 'a@one.example': UNKNOWN, 'b@two.example': UNKNOWN },
      ],
      [
        'the refusal is not about the address',
        {
          ...accepted(60, 'x.example'),
          'a@one.example': '550 5.7.1 denied',
          'b@two.example': '550 relay not permitted',
          'c@three.example': '552 5.2.2 mailbox full',
        },
      ],
    ] as [string, Record<string, string | null>][])('are not suppressed if %s', async (_case, replies) => {
      expect(await endEdition(await open(), replies)).toEqual([]);
    });
  });
});
