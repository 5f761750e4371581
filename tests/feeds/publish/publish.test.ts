import { describe, expect, it } from 'vitest';
import { resumeEdition } from '../../../src/delivery/control/edition-control.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { publish } from '../../../src/feeds/publish/publish.ts';
import { MINUTE } from '../../../src/lib/time.ts';
import { closeEdition, importMarkdown } from '../../app/steps.ts';
import { openAlerts } from '../../support/alerts.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { openSampleApp, type TestApp } from '../../support/test-app.ts';

describe('publishing', () => {
  forEachDatabase((open) => {
    it('pauses an edition whose articles were retracted, with one alert that names them', async () => {
      const app = await openSampleApp(await open());
      await closeEdition(app);
      const [article = '', another = ''] = await publishedArticlesOfEdition(app);
      await retract(app, [article, another]);
      await publish(app);
      await publish(app);
      const name = 'daily-roundup/2026-11-24';
      const message =
        `Delivery of ${name} is paused: retracted since it closed: ${article}, ${another}. ` +
        `To resume it, use "daywire editions resume ${name}"; to cancel it, use "daywire editions cancel ${name}".`;
      expect(await openAlerts(app.store.db)).toMatchObject([{ key: 'retraction:1', message, count: 1 }]);
      expect(await deliverDue(app)).toMatchObject({ submitted: 0, stopped: null });
      await resumeEdition(app.store.db, 1);
      await publish(app);
      expect(await deliverDue(app)).toMatchObject({ submitted: 7 });
    });
  });
});

async function publishedArticlesOfEdition({ store }: TestApp): Promise<string[]> {
  const rows = await store.db
    .selectFrom('edition_articles')
    .innerJoin('articles', 'articles.id', 'edition_articles.article_id')
    .select('article_id')
    .where('edition_id', '=', 1)
    .where('articles.state', '=', 'published')
    .orderBy('article_id')
    .execute();
  return rows.map((row) => row.article_id);
}

async function retract(app: TestApp, ids: string[]): Promise<void> {
  app.now += MINUTE;
  for (const id of ids) {
    await importMarkdown(
      app,
      `---\nid: ${id}\nheadline: H\nsection: world\nstate: retracted\nnote: Wrong.\n---\n\nText.\n`,
    );
  }
  app.now += MINUTE;
}
