import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jobsOf } from '../../src/app/jobs.ts';
import type { AppContext } from '../../src/core/app-context.ts';
import type { JobOutcome } from '../../src/core/schedule/job.ts';
import { deliverDue } from '../../src/delivery/deliver-due.ts';
import { BUILT_IN_TEMPLATES } from '../../src/lib/templates.ts';
import { startWebServer } from '../core/schedule/web-server.ts';
import { forEachDatabase } from '../support/databases.ts';
import { openSampleApp, openTestApp } from '../support/test-app.ts';
import { closeEdition } from './steps.ts';

const SLOT = Date.parse('2026-11-23T23:30:00Z');

forEachDatabase((open) => {
  describe("a newsletter's job", () => {
    it('closes its slot with the slot as the cut-off, and leaves the heartbeat to the delivery', async () => {
      const server = await startWebServer();
      const app = await openSampleApp(await open(), { env: { DAYWIRE_HEARTBEAT_URL: server.url } });
      expect(await runNewsletter(app)).toEqual({ kind: 'done', note: 'edition 1, 7 deliveries queued' });
      const edition = await app.store.db.selectFrom('editions').selectAll().executeTakeFirstOrThrow();
      expect(edition).toMatchObject({ slot: '2026-11-24', slot_at: SLOT, cutoff_at: SLOT });
      expect(server.requests).toEqual([]);
      await deliverDue(app);
      expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
    });

    it('reports an edition that the operator closed before', async () => {
      const app = await openSampleApp(await open());
      await closeEdition(app);
      expect(await runNewsletter(app)).toEqual({
        kind: 'done',
        note: 'edition 1 had been closed at 2026-11-24T12:00:00Z',
        unchanged: true,
      });
    });

    it('calls no heartbeat when there is no edition', async () => {
      const server = await startWebServer();
      const app = openTestApp(await open(), { env: { DAYWIRE_HEARTBEAT_URL: server.url } });
      expect(await runNewsletter(app)).toMatchObject({ kind: 'skipped' });
      await deliverDue(app);
      expect(server.requests).toEqual([]);
    });

    it('fails with a broken template, and succeeds once the template is corrected', async () => {
      const app = await openSampleApp(await open());
      const builtIn = join(BUILT_IN_TEMPLATES, 'daily-roundup.mjml');
      const file = join(app.folder, 'templates/daily-roundup.mjml');
      mkdirSync(join(app.folder, 'templates'));
      writeFileSync(file, readFileSync(builtIn, 'utf8').replace(/<mj-body[^>]*>/, '$&{{ no.such.thing }}'));
      await expect(runNewsletter(app)).rejects.toThrow(/no\.such\.thing|undefined variable/);
      cpSync(builtIn, file);
      expect(await runNewsletter(app)).toMatchObject({ kind: 'done' });
    });
  });
});

function runNewsletter(app: AppContext): Promise<JobOutcome> {
  const job = jobsOf(app).find(({ id }) => id === 'newsletter:daily-roundup');
  if (job === undefined) throw new Error('the sample has a newsletter');
  return job.run(SLOT, app.clock());
}
