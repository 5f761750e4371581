import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startScripted } from '../../../scripts/smtp-servers.ts';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { pauseEdition } from '../../../src/delivery/control/edition-control.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { deliveriesOf } from '../fixture.ts';
import { deliverOver } from '../runs.ts';

afterEach(closeServers);

const CONNECTIONS = 4;

describe('a pause during a delivery', () => {
  forEachDatabase((open) => {
    it('lets at most one more submission begin on each connection, although others have been claimed', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 300);
      let begun = 0;
      let begunAtPause = Number.POSITIVE_INFINITY;
      let pausing: Promise<unknown> | null = null;
      const server = await startScripted((command, socket) => {
        if (command.startsWith('MAIL')) {
          begun++;
          if (begun === 40) {
            pausing = pauseEdition(store.db, editionId, 'a mistake').then(() => {
              begunAtPause = begun;
            });
          }
        }
        if (command !== 'DATA-END') return undefined;
        if (pausing === null) return undefined;
        // Those in progress at the pause.
        void pausing.then(() => socket.write('250 2.0.0 ok\r\n'));
        return '';
      });
      await deliverOver(store, server.url, { delivery: { connections: CONNECTIONS } });
      await pausing;
      // Those that were marked just before.
      expect(begun - begunAtPause).toBeLessThanOrEqual(CONNECTIONS);
      const states = (await deliveriesOf(store)).map(({ state }) => state);
      expect(states.filter((state) => state === 'submitted')).toHaveLength(begun);
      expect(states.filter((state) => state === 'pending')).toHaveLength(300 - begun);
      expect(begun).toBeLessThan(300);
    });
  });
});
