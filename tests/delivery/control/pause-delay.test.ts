import { afterEach, describe, expect, it } from 'vitest';
import { NOW, queueEdition } from '../../../scripts/test-edition.ts';
import { pauseEdition } from '../../../src/delivery/control/edition-control.ts';
import { deliver } from '../../../src/delivery/deliver.ts';
import { openTransport } from '../../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { SECOND } from '../../../src/lib/time.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS } from '../../support/sample.ts';
import { deliveriesOf, testConfig } from '../fixture.ts';
import { closeServers, startScripted } from '../servers.ts';

afterEach(closeServers);

const CONNECTIONS = 4;
/** Of the reply to each message: long enough for submissions to be in progress at the pause. */
const REPLY_AFTER = 20;

describe('a pause during a delivery', () => {
  forEachDatabase((open) => {
    it('lets no submission begin more than a second after it, whatever has been claimed', async () => {
      const store = await open();
      const { editionId } = await queueEdition(store, 300);
      const begun: number[] = [];
      let pausedAt = Number.POSITIVE_INFINITY;
      let pausing: Promise<unknown> | null = null;
      const server = await startScripted((command, socket) => {
        if (command.startsWith('MAIL')) {
          begun.push(performance.now());
          if (begun.length === 40) {
            pausing = pauseEdition(store.db, editionId, 'a mistake').then(() => {
              pausedAt = performance.now();
            });
          }
        }
        if (command !== 'DATA-END') return undefined;
        setTimeout(() => socket.write('250 2.0.0 ok\r\n'), REPLY_AFTER);
        return '';
      });
      const config = {
        ...testConfig({ delivery: { transport: 'smtp', connections: CONNECTIONS } }),
        secrets: { smtpUrl: server.url },
      };
      const templates = openTemplates('templates', 'UTC');
      const options = { clock: () => NOW, secrets: SECRETS, signers: [], templates, random: () => 0 };
      await deliver(store, config, openTransport(config), options);
      await pausing;
      const late = begun.filter((at) => at > pausedAt);
      // Those that were marked just before, at most one on each connection.
      expect(late.length).toBeLessThanOrEqual(CONNECTIONS);
      for (const at of late) expect(at - pausedAt).toBeLessThan(SECOND);
      const states = (await deliveriesOf(store)).map(({ state }) => state);
      expect(states.filter((state) => state === 'submitted')).toHaveLength(begun.length);
      expect(states.filter((state) => state === 'pending')).toHaveLength(300 - begun.length);
      expect(begun.length).toBeGreaterThanOrEqual(40);
      expect(begun.length).toBeLessThan(100);
    });
  });
});
