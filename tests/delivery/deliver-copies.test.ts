import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../scripts/smtp-servers.ts';
import { giveCopies, NOW, queueEdition, TEST_COPIES } from '../../scripts/test-edition.ts';
import { HOUR } from '../../src/lib/time.ts';
import { forEachDatabase } from '../support/databases.ts';
import { deliverOver } from './runs.ts';

afterEach(closeServers);

describe('delivering copies', () => {
  forEachDatabase((open) => {
    it('submits the same bytes again, although the subscriber has chosen other stories since', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 4);
      await giveCopies(store, editionId);
      let refusals = 4;
      const server = await startScripted((command) =>
        command === 'DATA-END' && refusals-- > 0 ? '451 4.3.0 try again later' : undefined,
      );
      expect(await deliverOver(store, server.url)).toMatchObject({ submitted: 0, deferred: 4 });
      await store.db.updateTable('subscriptions').set({ choice: TEST_COPIES[2]!.choice }).execute();
      await store.db
        .updateTable('deliveries')
        .set({ due_at: NOW + HOUR })
        .execute();
      expect(await deliverOver(store, server.url, { now: NOW + HOUR })).toMatchObject({ submitted: 4 });
      const [first, again] = [server.messages.slice(0, 4), server.messages.slice(4)];
      expect(again.toSorted()).toEqual(first.toSorted());
      const subjects = first.map((message) => /^Subject: (.*)/m.exec(message)?.[1]?.trim());
      const whole = 'Tech Roundup: Battery Makers Cut Prices, Chips Go East';
      expect(subjects.toSorted()).toEqual([...TEST_COPIES.map(({ subject }) => subject), whole].toSorted());
    });
  });
});
