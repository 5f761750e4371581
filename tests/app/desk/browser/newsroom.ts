/**
 * A newsroom whose outlets, articles, subscribers and servers all try to break the desk's pages.
 */
import { recordRejection } from '../../../../src/articles/rejections.ts';
import { raiseAlert } from '../../../../src/core/alerts/alerts.ts';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { composeNow } from '../../../../src/delivery/closing/close.ts';
import { deliverDue } from '../../../../src/delivery/deliver-due.ts';
import { findDraftTarget } from '../../../../src/editions/draft/draft-target.ts';
import { editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { alertNamed } from '../../../support/alerts.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { groupedItem, storeGroup } from '../../../support/outlet-items.ts';
import { openSampleApp, type TestApp } from '../../../support/test-app.ts';

/** Runs as code wherever it is not escaped; also within a title, an attribute and a text area. Its end is Hebrew. */
const HOSTILE = `</title></textarea>"'><script>window.hurt=1</script><img src=x onerror="window.hurt=1">שלום!`;

/** With a closed edition that was delivered, and stories for the next one. */
export async function openHostileNewsroom(store: Store, folder: string): Promise<TestApp> {
  const choices = `choices: { sections: true, tags: [${JSON.stringify(HOSTILE)}], reporters: true }`;
  const edit = (yaml: string) => yaml.replace('minimumStories: 3', `minimumStories: 3\n    ${choices}`);
  const app = await openSampleApp(store, { outlets: true, folder, edit });
  await composeNow(app, app.config.newsletters[0] as NewsletterConfig);
  await deliverDue(app);
  app.now += 20 * HOUR;
  const { now } = app;
  await store.db.updateTable('subscriptions').set({ choice: '{"tags":["nobody"]}' }).execute();
  await saveAll(
    store,
    [1, 2, 3, 4, 5, 6].map((n) =>
      article(`hostile-${n}`, {
        kind: n < 4 ? 'brief' : 'analysis',
        kicker: n === 1 ? 'Exclusive' : `Kicker ${HOSTILE}`,
        headline: `Story ${n} ${HOSTILE}`,
        dek: HOSTILE,
        publishedAt: now - n * MINUTE,
        tags: [HOSTILE],
        outlet: null,
        status: n === 2 ? { state: 'corrected', note: HOSTILE, at: now - MINUTE } : { state: 'published' },
      }),
    ),
    now,
  );
  const target = await findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
  await editDraft(app, target, `Ada ${HOSTILE}`, { kind: 'subject', text: HOSTILE });
  await editDraft(app, target, `Ada ${HOSTILE}`, { kind: 'note', text: HOSTILE });
  await editDraft(app, target, `Ada ${HOSTILE}`, { kind: 'drop', story: 'hostile-3' });
  await storeGroup(
    store.db,
    [1, 2].map((n) =>
      groupedItem(n, {
        outlet: `Outlet ${n} ${HOSTILE}`,
        title: `Report ${n} ${HOSTILE}`,
        summary: HOSTILE,
        url: n === 1 ? 'javascript:window.hurt=1' : `https://example.com/?${encodeURIComponent(HOSTILE)}`,
        publishedAt: now - HOUR,
        firstSeenAt: now - HOUR,
      }),
    ),
  );
  await store.db.transaction().execute(async (tx) => {
    await raiseAlert(tx, { ...alertNamed(`failed:${HOSTILE}`), message: HOSTILE }, now);
    await tx
      .insertInto('subscribers')
      .values({ email: `${HOSTILE}@example.com`, email_key: `${HOSTILE}@example.com`, created_at: now, zone: null })
      .execute();
    await tx
      .updateTable('deliveries')
      .set({ state: 'failed', reply: `550 ${HOSTILE}`, reason: HOSTILE })
      .execute();
    await tx.updateTable('runs').set({ reason: HOSTILE }).execute();
    await tx.updateTable('editions').set({ delivery_state: 'paused', delivery_reason: HOSTILE }).execute();
  });
  await recordRejection(
    store.db,
    {
      ...{ key: 'hostile:1', stage: 'import', source: HOSTILE, line: 7, articleId: null },
      ...{ problems: [HOSTILE], raw: HOSTILE },
    },
    now,
  );
  return app;
}
