import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type ParsedMail, simpleParser } from 'mailparser';
import { afterEach, describe, expect, it } from 'vitest';
import { closeServers, startServer, type TestServer } from '../../../scripts/smtp-servers.ts';
import { storeSubscribers } from '../../../scripts/test-edition.ts';
import type { Article } from '../../../src/articles/article.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { raiseAlert } from '../../../src/core/alerts/alerts.ts';
import type { NewsletterConfig } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { pauseAlert } from '../../../src/delivery/alerts.ts';
import { type ReissueRequest, reissueEdition } from '../../../src/delivery/closing/reissue.ts';
import { pauseEdition } from '../../../src/delivery/control/edition-control.ts';
import { deliverDue } from '../../../src/delivery/deliver-due.ts';
import { readEditionDetails } from '../../../src/delivery/status/edition-status.ts';
import { findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../../src/editions/draft/edit-draft.ts';
import { type Edition, findEdition, listEditionArticles } from '../../../src/editions/queries.ts';
import { publish } from '../../../src/feeds/publish/publish.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { closeEdition, importMarkdown } from '../../app/steps.ts';
import { openTestSite } from '../../app/test-site.ts';
import { alertNamed, openAlerts } from '../../support/alerts.ts';
import { articleFile, saveAll } from '../../support/articles.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { expectGolden } from '../../support/golden.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';

const IDS = ['chips', 'ships', 'wheat', 'rates'];
const SUBSCRIBERS = ['ada', 'bob', 'cay', 'dee', 'eve', 'fay'].map((name) => `${name}@example.com`);
const TYPO = 'Bank Rises Rates';
const FIXED = 'Bank Raises Rates';
const HALF = 3;

const rates = (headline: string, keys = ''): string =>
  articleFile('rates', keys).replace('Headline of rates', headline);

interface Newsroom {
  app: TestApp;
  newest: () => Promise<Edition>;
  edit: (request: DraftRequest) => Promise<unknown>;
  reissue: (request?: Partial<ReissueRequest>) => ReturnType<typeof reissueEdition>;
}

/** Articles, one with a typo in its headline, and a closed edition for six subscribers. */
async function openNewsroom(store: Store, edit = (yaml: string): string => yaml): Promise<Newsroom> {
  const app = openTestApp(store, { feeds: ['latest', 'roundups'], edit });
  for (const id of IDS) {
    app.now += MINUTE;
    await importMarkdown(app, id === 'rates' ? rates(TYPO) : articleFile(id));
  }
  const newsletter = app.config.newsletters[0] as NewsletterConfig;
  await storeSubscribers(store, SUBSCRIBERS, newsletter.id);
  app.now += MINUTE;
  const [slot] = await closeEdition(app);
  const newest = async () => (await findEdition(store.db, newsletter.id, slot)) as Edition;
  return {
    app,
    newest,
    edit: async (request) => editDraft(app, await findDraftTarget(app, newsletter, slot), 'Ada', request),
    reissue: async (request) =>
      reissueEdition(app, await newest(), { asCorrection: false, isDryRun: false, ...request }),
  };
}

/** A server that is told to have enough after some messages: the edition is paused meanwhile. */
async function startPausing(after: number, pause: () => Promise<unknown>): Promise<TestServer> {
  let recipients = 0;
  return startServer({
    onRcptTo(_address, _session, done) {
      recipients += 1;
      if (recipients === after) pause().then(() => done(), done);
      else done();
    },
  });
}

/** The mails that a server received, by recipient. */
async function mailsOf({ received }: TestServer): Promise<Map<string, ParsedMail[]>> {
  const mails = await Promise.all(
    received.map(async ({ to, raw }) => ({ to: to[0] ?? '', mail: await simpleParser(raw) })),
  );
  const byRecipient = Map.groupBy(mails, ({ to }) => to);
  return new Map([...byRecipient].map(([to, list]) => [to, list.map(({ mail }) => mail)]));
}

const delivering = (url: string) => (yaml: string) =>
  yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${url}`).replace(/connections: \d+/, 'connections: 1');

afterEach(closeServers);

describe('a typo in an edition that is half delivered', () => {
  forEachDatabase((open, dialect) => {
    it('is in the mail of one half and not of the other, and nowhere else, after the reissue', async () => {
      let newsroom: Newsroom | null = null;
      const server = await startPausing(HALF, async () => {
        const { app, newest } = newsroom as Newsroom;
        await pauseEdition(app.store.db, (await newest()).id, 'a typo');
      });
      newsroom = await openNewsroom(await open(), delivering(server.url));
      const { app, newest, reissue } = newsroom;
      await publish(app);
      expect(await deliverDue(app)).toMatchObject({ submitted: HALF });
      app.now += MINUTE;
      await importMarkdown(app, rates(FIXED));
      app.now += MINUTE;
      const half = SUBSCRIBERS.length - HALF;
      expect(await reissue()).toMatchObject({
        edition: { number: 1, revision: 2 },
        ...{ queued: half, suppressed: half, submitted: HALF, uncertain: 0, added: [], removed: [] },
      });
      expect(await deliverDue(app)).toMatchObject({ submitted: half });

      const mails = await mailsOf(server);
      expect([...mails.keys()].sort()).toEqual(SUBSCRIBERS);
      const all = [...mails.values()];
      expect(all.map((one) => one.length)).toEqual(SUBSCRIBERS.map(() => 1));
      const texts = all.map(([mail]) => `${mail?.subject}${mail?.html}${mail?.text}`);
      expect(texts.filter((text) => text.includes(TYPO) && !text.includes(FIXED))).toHaveLength(HALF);
      expect(texts.filter((text) => text.includes(FIXED) && !text.includes(TYPO))).toHaveLength(half);
      const names = all.map(([mail]) => /(?:\.r\d+)?@/.exec(mail?.messageId ?? '')?.[0]).sort();
      expect(names).toEqual([...Array(half).fill('.r2@'), ...Array(HALF).fill('@')].sort());

      const edition = await newest();
      const site = openTestSite(app.store, app.config);
      const page = await site.read(`/editions/${edition.newsletter}/${edition.slot}`);
      expect(page).toContain('This is revision 2 of this edition, published ');
      expect(page).toContain(FIXED);
      expect(page).not.toContain(TYPO);
      const list = await site.read('/editions');
      expect(list.match(new RegExp(`href="/editions/${edition.newsletter}/${edition.slot}"`, 'g'))).toHaveLength(1);
      app.now += MINUTE;
      await publish(app);
      for (const file of ['latest.rss', 'latest.atom', 'latest.json', 'roundups.rss', 'roundups.atom']) {
        const feed = readFileSync(join(app.config.paths.feeds, file), 'utf8');
        expect(feed).toContain(FIXED);
        expect(feed).not.toContain(TYPO);
      }
      const roundups = readFileSync(join(app.config.paths.feeds, 'roundups.atom'), 'utf8');
      expect(roundups.match(/<entry>/g)).toHaveLength(1);
      expect(roundups).toContain('This is revision 2 of this edition');
      const article = await findArticle(app.store.db, edition.articleId);
      expect(article).toMatchObject({ updatedAt: edition.closedAt });
      expect(article?.publishedAt).toBeLessThan(edition.closedAt);
      expect((await readEditionDetails(app, edition)).revisions).toMatchObject([
        { revision: 2, deliveryState: 'done', deliveries: { submitted: half } },
        { revision: 1, deliveryState: 'cancelled', deliveries: { submitted: HALF, suppressed: half } },
      ]);
      if (dialect === 'sqlite') {
        expectGolden('editions/reissued-archive.html', edition.archiveHtml.replaceAll(edition.nonce, 'NONCE'));
      }
    });
  });
});

describe('a reissue', () => {
  forEachDatabase((open, dialect) => {
    /** A newsroom whose edition is paused, and was submitted to the first subscribers. */
    async function paused(submitted = 0, edit?: (yaml: string) => string): Promise<Newsroom> {
      const newsroom = await openNewsroom(await open(), edit);
      const { app, newest } = newsroom;
      await pauseEdition(app.store.db, (await newest()).id, 'a typo');
      const { rows } = await sql<{ id: number }>`select subscriber_id as id from deliveries order by 1`.execute(
        app.store.db,
      );
      const ids = rows.slice(0, submitted).map(({ id }) => id);
      await app.store.db
        .updateTable('deliveries')
        .set({ state: 'submitted', reply: '250 ok' })
        .where('subscriber_id', 'in', [...ids, -1])
        .execute();
      app.now += MINUTE;
      return newsroom;
    }

    const storiesOf = async ({ app, newest }: Newsroom): Promise<string[]> =>
      (await listEditionArticles(app.store.db, (await newest()).id)).map(({ id }) => id);

    it('has the stories of the last revision in their places, with corrections, without later stories', async () => {
      const newsroom = await paused();
      const { app, newest, reissue } = newsroom;
      const before = await storiesOf(newsroom);
      expect(before).toHaveLength(IDS.length);
      await importMarkdown(app, articleFile('late'));
      const status = 'state: corrected\nnote: It said that rates fall.\n';
      await importMarkdown(app, rates(FIXED, status));
      await reissue();
      expect(await storiesOf(newsroom)).toEqual(before);
      const { html, cutoffAt, slotAt } = await newest();
      expect(html).toContain('It said that rates fall.');
      app.now = slotAt + DAY;
      for (const id of ['one', 'two']) await importMarkdown(app, articleFile(id));
      app.now += MINUTE;
      await closeEdition(app);
      const { rows } = await sql<{ id: string }>`select article_id as id from edition_articles
        where edition_id = (select max(id) from editions) order by 1`.execute(app.store.db);
      expect(rows.map(({ id }) => id)).toEqual(['late', 'one', 'two']);
      expect(cutoffAt).toBeLessThan(app.now);
    });

    it('drops a story that is retracted, and applies what the editor has changed in the draft', async () => {
      const newsroom = await paused();
      const { app, newest, edit, reissue } = newsroom;
      await importMarkdown(app, articleFile('ships', 'state: retracted\nnote: It was wrong.\n'));
      await edit({ kind: 'subject', text: 'Rates, chips and wheat' });
      await edit({ kind: 'note', text: 'The headline on rates was *wrong*.' });
      await edit({ kind: 'drop', story: 'wheat' });
      expect(await reissue()).toMatchObject({ removed: ['wheat', 'ships'], added: [], queued: SUBSCRIBERS.length });
      expect((await storiesOf(newsroom)).toSorted()).toEqual(['chips', 'rates']);
      const { subject, html, archiveHtml } = await newest();
      expect(subject).toBe('Rates, chips and wheat');
      for (const page of [html, archiveHtml]) expect(page).toContain('The headline on rates was <em>wrong</em>.');
    });

    it('as a correction goes to everybody, says so in subject and text, and needs a note of its own', async () => {
      const newsroom = await paused(2);
      const { app, newest, edit, reissue } = newsroom;
      const { slot } = await newest();
      await expect(reissue({ asCorrection: true })).rejects.toThrow(
        `daily-roundup/${slot} has no editor’s note, and a correction must say what was wrong: write it on its page`,
      );
      await importMarkdown(app, rates(FIXED));
      await edit({ kind: 'note', text: 'The headline about rates had a typo. We regret the error.' });
      expect(await reissue({ asCorrection: true })).toMatchObject({ queued: SUBSCRIBERS.length, submitted: 2 });
      const { id, subject, html, text, nonce } = await newest();
      expect(subject).toMatch(/^Correction: Tech Roundup: /);
      expect(html).toContain('This is revision 2 of this edition');
      await pauseEdition(app.store.db, id, 'and another one');
      // It says what was wrong with the first revision, and still does.
      await reissue({ asCorrection: true });
      expect((await newest()).revision).toBe(3);
      if (dialect === 'sqlite') {
        expectGolden('editions/correction.html', html.replaceAll(nonce, 'NONCE'));
        expectGolden('editions/correction.txt', `Subject: ${subject}\n\n${text.replaceAll(nonce, 'NONCE')}`);
      }
    });

    it('does nothing, and says so, if nothing has changed', async () => {
      const { newest, edit, reissue } = await paused(2);
      const before = await newest();
      for (const isDryRun of [true, false]) {
        await expect(reissue({ isDryRun })).rejects.toThrow(/is not reissued: nothing has changed since it closed/);
      }
      expect(await newest()).toEqual(before);
      await edit({ kind: 'note', text: 'The rates were of last week.' });
      expect(await reissue()).toMatchObject({ edition: { revision: 2 } });
    });

    it('as a correction does not take the note that the edition closed with', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      for (const id of IDS) await importMarkdown(app, articleFile(id));
      app.now += MINUTE;
      const newsletter = app.config.newsletters[0] as NewsletterConfig;
      const target = await findDraftTarget(app, newsletter, '2026-11-24');
      const note = (text: string) => editDraft(app, target, 'Ada', { kind: 'note', text });
      await note('Good morning.');
      await closeEdition(app, '2026-11-24');
      const edition = (await findEdition(app.store.db, newsletter.id, '2026-11-24')) as Edition;
      await pauseEdition(app.store.db, edition.id, 'a typo');
      const reissue = () => reissueEdition(app, edition, { asCorrection: true, isDryRun: false });
      await expect(reissue()).rejects.toThrow('has the editor’s note that it closed with');
      await note('There was a typo.');
      expect(await reissue()).toMatchObject({ edition: { revision: 2 } });
    });

    it('is possible for a slot that is no longer in the schedule', async () => {
      const { app, newest, edit, reissue } = await paused();
      const newsletter = app.config.newsletters[0] as NewsletterConfig;
      newsletter.schedule = { graceMinutes: 60, cron: '0 0 1 1 *' };
      await edit({ kind: 'subject', text: 'Another subject' });
      await reissue();
      expect(await newest()).toMatchObject({ revision: 2, subject: 'Another subject' });
    });

    it('as a dry run counts who would get it and writes a preview, and changes nothing', async () => {
      const newsroom = await paused(2);
      const { app, reissue } = newsroom;
      await importMarkdown(app, rates(FIXED));
      const tables = ['editions', 'deliveries', 'edition_articles', 'drafts', 'draft_log', 'pending_changes'];
      const contents = async () =>
        Promise.all(tables.map((name) => sql`select * from ${sql.table(name)}`.execute(app.store.db)));
      const before = await contents();
      const failing = () => Promise.reject(new Error('the log is full'));
      const report = await reissue({ isDryRun: true, onCommit: failing });
      expect(report).toMatchObject({ edition: { revision: 2 }, queued: 4, suppressed: 4, submitted: 2 });
      expect(await contents()).toEqual(before);
      expect(readFileSync(report.previewPath ?? '', 'utf8')).toContain(FIXED);
      // What its caller adds is part of its transaction.
      await expect(reissue({ onCommit: failing })).rejects.toThrow('the log is full');
      expect(await contents()).toEqual(before);
      expect(await reissue()).toMatchObject({ queued: 4, suppressed: 4, submitted: 2, previewPath: null });
    });

    it('is refused while the edition is delivered, when it is retracted, and without its newsletter', async () => {
      const { app, newest, reissue } = await openNewsroom(await open());
      const edition = await newest();
      const name = `daily-roundup/${edition.slot}`;
      await expect(reissue()).rejects.toThrow(`to pause it first, use "daywire editions pause ${name}"`);
      await pauseEdition(app.store.db, edition.id, 'a typo');
      const without = { ...app, config: { ...app.config, newsletters: [] } };
      const request = { asCorrection: false, isDryRun: false };
      await expect(reissueEdition(without, edition, request)).rejects.toThrow(/daily-roundup is not configured/);
      const whole = (await findArticle(app.store.db, edition.articleId)) as Article;
      const status = { state: 'retracted', note: 'All of it.', at: app.now } as const;
      await saveAll(app.store, [{ ...whole, status }]);
      await expect(reissue()).rejects.toThrow(`${name} is retracted as a whole, by its article ${edition.articleId}`);
      expect((await newest()).revision).toBe(1);
    });

    it('resolves the alerts about the revision that it replaces', async () => {
      const { app, newest, reissue } = await paused();
      const { id } = await newest();
      await raiseAlert(app.store.db, { ...pauseAlert(id), message: 'It is paused.' }, app.now);
      await raiseAlert(app.store.db, { ...alertNamed('other'), message: 'Something else.' }, app.now);
      await importMarkdown(app, rates(FIXED));
      await reissue();
      expect((await openAlerts(app.store.db)).map(({ key }) => key)).toEqual(['other']);
    });

    it('is due at once where its time of day is past, and at that time elsewhere', async () => {
      const { app, newest, reissue } = await paused(0, (yaml) =>
        yaml.replace('    minimumStories: 3', "    deliverAt: '21:00'\n    minimumStories: 3"),
      );
      const { db } = app.store;
      // 20:05 in Shanghai when it closed.
      await db.updateTable('subscribers').set({ zone: 'Europe/Berlin' }).where('email', '=', SUBSCRIBERS[0]!).execute();
      app.now += HOUR;
      await importMarkdown(app, rates(FIXED));
      await reissue();
      const { id } = await newest();
      const { rows } = await sql<{ due: number }>`select due_at as due from deliveries where edition_id = ${id}
        order by subscriber_id`.execute(db);
      const berlin = Date.UTC(2026, 10, 24, 20);
      expect(rows.map(({ due }) => due)).toEqual([berlin, ...SUBSCRIBERS.slice(1).map(() => app.now)]);
    });
  });
});
