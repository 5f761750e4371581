import { describe, expect, it } from 'vitest';
import { startCountingSink } from '../../scripts/counting-sink.ts';
import { NOW, queueEdition } from '../../scripts/test-edition.ts';
import { pauseDomain } from '../../src/delivery/control/paused-domains.ts';
import { deliver } from '../../src/delivery/deliver.ts';
import { openTransport } from '../../src/delivery/transport/open-transport.ts';
import { openTemplates } from '../../src/lib/templates.ts';
import { forEachDatabase } from '../support/databases.ts';
import { SECRETS } from '../support/sample.ts';
import { deliveriesOf, testConfig } from './fixture.ts';

const TEMPLATES = openTemplates('templates', 'UTC');
/** What two workers claim first: see queue/claim-buffer.ts. */
const FIRST_CLAIM = 10;

describe('a run', () => {
  forEachDatabase((open) => {
    it('ends only when all is submitted that may be, though a domain is paused meanwhile', async () => {
      const store = await open();
      // One domain in the first claim: a worker has its whole share, and the other one searches for other domains.
      const emails = Array.from({ length: 60 }, (_, n) =>
        n >= FIRST_CLAIM && n % 3 === 0 ? `a${n}@paused.example` : `a${n}@slow.example`,
      );
      const { editionId } = await queueEdition(store, emails);
      const pause = { editionId, domain: 'paused.example', reason: 'complaints', since: NOW };
      const submitted = Promise.withResolvers<void>();
      let count = 0;
      const sink = await startCountingSink(0, () => {
        count += 1;
        if (count === FIRST_CLAIM) submitted.resolve();
      });
      // The search takes longer than the submission of what was claimed.
      const reports = store.reports.withPlugin({
        transformQuery: ({ node }) => node,
        async transformResult({ result }) {
          await submitted.promise;
          await store.db.transaction().execute((tx) => pauseDomain(tx, pause));
          return result;
        },
      });
      const config = testConfig({ delivery: { transport: 'smtp', connections: 2 } });
      const transport = openTransport({ ...config, secrets: { smtpUrl: sink.url } });
      const options = { clock: () => NOW, secrets: SECRETS, signers: [], templates: TEMPLATES, random: () => 0 };
      expect(await deliver({ ...store, reports }, config, transport, options)).toMatchObject({ stopped: null });
      await sink.close();
      const pending = (await deliveriesOf(store)).filter(({ state }) => state === 'pending');
      expect(pending.length).toBeGreaterThan(0);
      const waiting = 'waits for the operator: paused.example is paused for this edition';
      expect(new Set(pending.map(({ reason }) => reason))).toEqual(new Set([waiting]));
    });
  });
});
