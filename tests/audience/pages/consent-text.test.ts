import { beforeEach, describe, expect, it } from 'vitest';
import { formatSubscriber } from '../../../src/audience/cli/format-subscribers.ts';
import { consentTextOf, storeConsentText } from '../../../src/audience/consent/consent-text.ts';
import { exportSubscriberData } from '../../../src/audience/export-data.ts';
import { subscriberHistory } from '../../../src/audience/history.ts';
import { addSubscriber, findSubscriberByAddress } from '../../../src/audience/subscriptions.ts';
import { messageToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { claimServiceMessages } from '../../../src/delivery/queue/service-outbox.ts';
import { NOW, openTestSite, preferencesPath, type TestSite } from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';

/** The sample configuration with a wording of its own. */
function withConsent(text: string, version: string): Config {
  const config = sampleConfig();
  return { ...config, signup: { ...config.signup, consent: { text, version } } };
}

const OLD = withConsent('I want <news> & nothing else.', '2026-10');
const NEW = withConsent('I want news, and offers.', '2026-11');

describe('the wording that people agree to', () => {
  it('is known by a hash of its version and text, which are cleaned', () => {
    const { id } = consentTextOf(OLD);
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(consentTextOf(withConsent('I want <news> & nothing else.', '2026-11')).id).not.toBe(id);
    expect(consentTextOf(withConsent('I want <news> & nothing.', '2026-10')).id).not.toBe(id);
    expect(consentTextOf(withConsent(' a\0\u202eb\r\n', '\0v\n1'))).toMatchObject({ text: 'ab', version: 'v 1' });
  });

  it('is built in, unless the configuration has one', () => {
    const { id, text, version } = consentTextOf(sampleConfig());
    expect(text).toMatch(/^I want to receive the newsletters .* from The Meridian Wire by email\. I can unsubscribe/);
    expect(version).toBe('daywire-1');
    // A change of the built-in wording needs another version.
    expect(id).toBe('875b1358f88b648ff1431d60afdaceca');
  });

  it("is that of the publication's language, which has an id of its own", () => {
    const config = sampleConfig((yaml) => yaml.replace('language: en', 'language: cy'));
    const ownMessages = { cy: { 'consent.text': 'Rwyf am gael cylchlythyrau {publication}.' } };
    const welsh = consentTextOf({ ...config, ownMessages });
    expect(welsh.text).toBe('Rwyf am gael cylchlythyrau The Meridian Wire.');
    expect(welsh.id).not.toBe(consentTextOf(sampleConfig()).id);
  });

  forEachDatabase((open) => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    const subscribe = async (site: TestSite, consent: string | null, newsletter = 'daily-roundup'): Promise<void> => {
      const fields: [string, string][] = [
        ['email', 'ada@example.com'],
        ['newsletter', newsletter],
      ];
      if (consent !== null) fields.push(['consent', consent]);
      expect((await site.post('/subscribe', fields)).status).toBe(200);
    };
    const confirmPath = async (): Promise<string> => {
      const message = await store.db
        .selectFrom('service_messages')
        .select(['id', 'subscriber_id'])
        .orderBy('id', 'desc')
        .executeTakeFirstOrThrow();
      return `/confirm/${messageToken(SECRETS, 'confirm', { messageId: message.id, subscriberId: message.subscriber_id })}`;
    };
    /** What is recorded, oldest first: `requested 2026-10`. */
    const recorded = async (): Promise<string[]> => {
      const rows = await store.db
        .selectFrom('consent_events')
        .leftJoin('consent_texts', 'consent_texts.id', 'consent_events.consent_text')
        .select(['change', 'version'])
        .orderBy('consent_events.id')
        .execute();
      return rows.map(({ change, version }) => `${change} ${version}`);
    };
    const idIn = (html: string): string => /name="consent" value="([^"]*)"/.exec(html)?.[1] ?? '';

    it('is shown next to the button of each form, and is recorded with the request and the confirmation', async () => {
      const site = openTestSite(store, OLD);
      for (const path of ['/', '/newsletters']) {
        const html = await site.read(path);
        expect(html).toContain('I want &lt;news&gt; &amp; nothing else. <a href="/privacy">Privacy</a>');
        expect(idIn(html)).toBe(consentTextOf(OLD).id);
      }
      expect(await store.db.selectFrom('consent_texts').selectAll().execute()).toEqual([]);
      await subscribe(site, consentTextOf(OLD).id);
      const page = await site.read(await confirmPath());
      expect(page).toContain('I want &lt;news&gt; &amp; nothing else.');
      await site.post(await confirmPath(), [['consent', idIn(page)]]);
      expect(await recorded()).toEqual(['requested 2026-10', 'confirmed 2026-10']);
      const texts = await store.db.selectFrom('consent_texts').selectAll().execute();
      expect(texts).toEqual([{ ...consentTextOf(OLD), first_used_at: NOW }]);
    });

    it('is that of the form, also if the configuration has changed since it was shown', async () => {
      // As at the start of the process that showed it.
      await storeConsentText(store.db, consentTextOf(OLD), NOW);
      const site = openTestSite(store, NEW);
      await subscribe(site, consentTextOf(OLD).id);
      const { messages } = await claimServiceMessages(store, { now: NOW, limit: 1, leaseMs: 1 });
      expect(messages.map(({ consent }) => consent)).toEqual(['I want <news> & nothing else.']);
      const page = await site.read(await confirmPath());
      expect(page).toContain('I want &lt;news&gt; &amp; nothing else.');
      // A copy of the page without the field: the request's, which its mail and page have shown.
      await site.post(await confirmPath());
      expect(await recorded()).toEqual(['requested 2026-10', 'confirmed 2026-10']);
    });

    it('is not recorded if the form showed none, or one that this site never had', async () => {
      const site = openTestSite(store, NEW);
      for (const id of [null, '', 'f'.repeat(32), `${consentTextOf(NEW).id} `, "' or 1=1"]) await subscribe(site, id);
      expect(new Set(await recorded())).toEqual(new Set(['requested null']));
      const { messages } = await claimServiceMessages(store, { now: NOW, limit: 9, leaseMs: 1 });
      expect(messages[0]?.consent).toBeNull();
      // The page then shows that of today.
      const page = await site.read(await confirmPath());
      await site.post(await confirmPath(), [['consent', idIn(page)]]);
      expect((await recorded()).at(-1)).toBe('confirmed 2026-11');
    });

    it('is recorded with a newsletter that is chosen in the preferences, and not with one that is left', async () => {
      const config = { ...NEW, newsletters: NEW.newsletters };
      const site = openTestSite(store, config);
      const [first, second] = config.newsletters.map(({ id }) => id) as [string, string];
      const via = { channel: 'import', source: 'list.csv:2' } as const;
      const added = await addSubscriber(
        store.db,
        SECRETS,
        { email: 'ada@example.com', newsletters: [first] },
        via,
        NOW,
      );
      expect(await recorded()).toEqual(['confirmed null']);
      const id = added.kind === 'stored' ? added.subscriberId : 0;
      const page = await site.read(preferencesPath(id));
      expect(page).toContain('I want news, and offers.');
      const fields: [string, string][] = [
        ['newsletter', second],
        ['zone', ''],
        ['paused', ''],
        ['consent', idIn(page)],
      ];
      await site.post(preferencesPath(id), fields);
      expect(await recorded()).toEqual(['confirmed null', 'confirmed 2026-11', 'unsubscribed null']);
    });

    it("is in the person's export, and in what the operator is shown", async () => {
      const site = openTestSite(store, OLD);
      await subscribe(site, consentTextOf(OLD).id);
      const { id } = await store.db.selectFrom('subscribers').select('id').executeTakeFirstOrThrow();
      expect(await exportSubscriberData(store.db, id)).toMatchObject({
        consent: [{ change: 'requested', wording: { version: '2026-10', text: 'I want <news> & nothing else.' } }],
      });
      const subscriber = await findSubscriberByAddress(store.db, 'ada@example.com');
      if (subscriber === null) throw new Error('the form stored no subscriber');
      const shown = formatSubscriber(subscriber, await subscriberHistory(store.db, id), 50, 'UTC');
      expect(shown).toMatch(/requested, by form from 192\.0\.2\.7, wording 2026-10\n/);
      expect(shown).toContain('\nwordings\n  2026-10: I want <news> & nothing else.');
    });
  });
});
