import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AppContext } from '../../src/app/app-context.ts';
import { composeNow } from '../../src/app/compose.ts';
import { deliverDue } from '../../src/app/deliver.ts';
import { jobsOf } from '../../src/app/jobs.ts';
import { publish } from '../../src/app/publish.ts';
import { loadSampleNewsroom } from '../../src/app/sample.ts';
import { importText } from '../../src/articles/import/import.ts';
import { countDueChanges } from '../../src/articles/pending-changes.ts';
import { resumeEdition } from '../../src/delivery/control/edition-control.ts';
import { listDocuments } from '../../src/feeds/documents.ts';
import { BUILT_IN_TEMPLATES } from '../../src/lib/templates.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/lib/time.ts';
import { listOpenAlerts } from '../../src/schedule/alerts.ts';
import type { Job, JobOutcome } from '../../src/schedule/job.ts';
import { closeServers, startScripted } from '../delivery/servers.ts';
import { startWebServer } from '../schedule/web-server.ts';
import { forEachDatabase } from '../support/databases.ts';
import { NOW, openTestNewsroom, type TestNewsroom } from '../support/sample-newsroom.ts';

const TWICE_A_DAY = (yaml: string): string => yaml.replace('30 7 * * *', '30 7,18 * * *');
const ONCE_IS_ENOUGH = (yaml: string): string => yaml.replace('minimumStories: 3', 'minimumStories: 1');

forEachDatabase((open) => {
  describe('publishing on schedule', () => {
    it('is one job for all feeds without their own schedule, and one for each other feed', async () => {
      const own = '- id: 24-hours\n    schedule: { cron: "0 * * * *", zone: UTC }';
      const newsroom = await filled(open, { edit: (yaml) => yaml.replace('- id: 24-hours', own) });
      const jobs = jobsOf(newsroom);
      expect(jobs.map(({ id, schedule }) => `${id} ${schedule.cron} ${schedule.zone}`)).toEqual([
        'publish */10 * * * * Asia/Shanghai',
        'publish:24-hours 0 * * * * UTC',
        'newsletter:daily-roundup 30 7 * * * Asia/Shanghai',
      ]);
      await addStory(newsroom, 'fresh');
      const [common, single] = jobs as [Job, Job];
      expect(await single.run(newsroom.now, newsroom.now)).toEqual({
        kind: 'done',
        note: expect.stringMatching(/of 6 doc/),
      });
      // The change is still pending for the other feeds.
      expect((await countDueChanges(newsroom.store.db, newsroom.now))?.count).toBeGreaterThan(0);
      newsroom.now += 1_000;
      await common.run(newsroom.now, newsroom.now);
      const paths = (await listDocuments(newsroom.store.db)).map(({ path }) => path);
      expect(paths).toEqual(expect.arrayContaining(['24-hours.rss', 'latest.rss']));
    });
  });

  describe('composing by hand', () => {
    it("takes today's first slot without an edition, and where all have one, the last", async () => {
      const newsroom = await filled(open, { edit: (yaml) => ONCE_IS_ENOUGH(TWICE_A_DAY(yaml)) });
      expect(await slotComposed(newsroom)).toEqual(['2026-11-24-0730', true]);
      await addStory(newsroom, 'fresh');
      expect(await slotComposed(newsroom)).toEqual(['2026-11-24-1830', true]);
      expect(await slotComposed(newsroom)).toEqual(['2026-11-24-1830', false]);
    });

    it('takes the slot that is named, an earlier day too', async () => {
      const newsroom = await filled(open, { edit: TWICE_A_DAY });
      expect(await slotComposed(newsroom, '2026-11-23-1830')).toEqual(['2026-11-23-1830', true]);
    });

    it.each([
      ['unknown', 'daily-roundup has no slot unknown: a slot begins with its date, as 2026-11-24'],
      ['', 'daily-roundup has no slot : a slot begins with its date, as 2026-11-24'],
      ['2026-13-45', 'daily-roundup has no slot 2026-13-45: a slot begins with its date, as 2026-11-24'],
      ['2026-11-24', 'daily-roundup has no slot 2026-11-24: it has 2026-11-24-0730, 2026-11-24-1830'],
      ['2026-11-25-0730', 'daily-roundup has no slot 2026-11-25-0730 yet: today is 2026-11-24'],
    ])('refuses the slot "%s", and says what would be right', async (label, message) => {
      const newsroom = await filled(open, { edit: TWICE_A_DAY });
      await expect(slotComposed(newsroom, label)).rejects.toThrow(message);
      expect(await newsroom.store.db.selectFrom('editions').selectAll().execute()).toEqual([]);
    });

    it('says that a day without a slot has none', async () => {
      const newsroom = await filled(open, { edit: (yaml) => yaml.replace('30 7 * * *', '30 7 * * 1') });
      await expect(slotComposed(newsroom, '2026-11-22')).rejects.toThrow('it has none on that day');
    });
  });

  describe("a newsletter's run", () => {
    it('closes its slot with the slot as the cut-off, and calls the heartbeat', async () => {
      const server = await startWebServer();
      const newsroom = await filled(open, { env: { DAYWIRE_HEARTBEAT_URL: server.url } });
      const slotAt = Date.parse('2026-11-23T23:30:00Z');
      const outcome = await runNewsletter(newsroom, slotAt);
      expect(outcome).toEqual({ kind: 'done', note: 'edition 1, 7 deliveries queued' });
      const edition = await newsroom.store.db.selectFrom('editions').selectAll().executeTakeFirstOrThrow();
      expect(edition).toMatchObject({ slot: '2026-11-24', slot_at: slotAt, cutoff_at: slotAt });
      expect(server.requests.map(({ method }) => method)).toEqual(['GET']);
    });

    it('finds an edition that was composed by hand, and says so', async () => {
      const newsroom = await filled(open);
      await slotComposed(newsroom);
      const outcome = await runNewsletter(newsroom, Date.parse('2026-11-23T23:30:00Z'));
      expect(outcome).toEqual({ kind: 'done', note: 'edition 1 had been closed at 2026-11-24T12:00:00Z' });
    });

    it('says why there is no edition, and calls no heartbeat', async () => {
      const server = await startWebServer();
      const newsroom = openTestNewsroom(await open(), { env: { DAYWIRE_HEARTBEAT_URL: server.url } });
      expect(await runNewsletter(newsroom, Date.parse('2026-11-23T23:30:00Z'))).toMatchObject({ kind: 'skipped' });
      expect(server.requests).toEqual([]);
    });

    it('fails by a broken template, and heeds the mended one while daywire runs', async () => {
      const newsroom = await filled(open);
      const own = join(newsroom.folder, 'templates');
      mkdirSync(own);
      const file = join(own, 'daily-roundup.mjml');
      const slotAt = Date.parse('2026-11-23T23:30:00Z');
      writeFileSync(
        file,
        readFileSync(join(BUILT_IN_TEMPLATES, 'daily-roundup.mjml'), 'utf8').replace(
          /<mj-body[^>]*>/,
          '$&{{ no.such.thing }}',
        ),
      );
      await expect(runNewsletter(newsroom, slotAt)).rejects.toThrow(/no\.such\.thing|undefined variable/);
      cpSync(join(BUILT_IN_TEMPLATES, 'daily-roundup.mjml'), file);
      expect(await runNewsletter(newsroom, slotAt)).toMatchObject({ kind: 'done' });
    });
  });

  it('a publish of some feeds leaves the changes to the publish of all', async () => {
    const newsroom = await filled(open);
    newsroom.now += HOUR;
    const changes = async (): Promise<number> =>
      (await newsroom.store.db.selectFrom('pending_changes').selectAll().execute()).length;
    const before = await changes();
    await publish(newsroom, { feeds: ['world'] });
    expect(await changes()).toBe(before);
    newsroom.now += SECOND;
    await publish(newsroom);
    // The embargo of one story has not ended.
    expect(await changes()).toBe(1);
  });

  it('a publish after the end of a month closes its part of each archive, in the folder of feeds too', async () => {
    const newsroom = await filled(open);
    newsroom.now += SECOND;
    expect((await publish(newsroom)).archives).toEqual({ closed: 0, more: false });
    newsroom.now += 40 * DAY;
    const { archives } = await publish(newsroom, { archives: {} });
    const folder = join(newsroom.config.paths.feeds, 'archive');
    expect(readdirSync(join(folder, 'latest'))).toContain('2026-11.atom.br');
    expect(archives).toEqual({ closed: readdirSync(folder).length, more: false });
    expect(readFileSync(join(newsroom.config.paths.feeds, 'latest.atom'), 'utf8')).toContain(
      `rel="prev-archive" href="${newsroom.config.publication.url}/feeds/archive/latest/2026-11.atom"`,
    );
  });

  it('an edition whose articles are retracted is paused before the feeds are written, with one alert that names them', async () => {
    const newsroom = await filled(open);
    const { id, articles } = await closedEdition(newsroom);
    const [one = '', two = ''] = articles;
    await retract(newsroom, [one, two]);
    await publish(newsroom);
    await publish(newsroom);
    const message =
      `Delivery of daily-roundup/2026-11-24 is paused: retracted since it closed: ${one}, ${two}. ` +
      'Resume it with "daywire editions resume daily-roundup/2026-11-24", ' +
      'or cancel it with "daywire editions cancel daily-roundup/2026-11-24".';
    expect(await listOpenAlerts(newsroom.store.db)).toMatchObject([{ key: `retraction:${id}`, message, count: 1 }]);
    expect(await deliverDue(newsroom)).toMatchObject({ submitted: 0, stopped: null });
    await resumeEdition(newsroom.store.db, id);
    await publish(newsroom);
    expect(await deliverDue(newsroom)).toMatchObject({ submitted: 7 });
  });

  it('an edition whose every recipient a policy refuses is paused, with one alert, and no delivery of it has failed', async () => {
    const server = await startScripted((command) =>
      command.startsWith('RCPT') ? '550 5.7.1 not from you' : undefined,
    );
    const newsroom = await filled(open, {
      edit: (yaml) => yaml.replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`),
    });
    await slotComposed(newsroom);
    expect(await deliverDue(newsroom)).toMatchObject({ submitted: 0, failed: 0, paused: [{ editionId: 1 }] });
    expect(await listOpenAlerts(newsroom.store.db)).toMatchObject([
      {
        key: 'edition:1',
        message: expect.stringMatching(/is paused: .*550 5\.7\.1 not from you.*editions resume/),
        count: 1,
      },
    ]);
    await closeServers();
  });

  it('an alert about a delivery holds neither the address nor the token that the server quotes', async () => {
    for (const [command, alert] of [
      ['RCPT TO:', /^Delivery of \S+ is paused: .* 554 5\.7\.1 <address>: denied\. Resume it with/],
      ['MAIL FROM:', /^Delivery stopped: .* 554 5\.7\.1 <address>: denied\. All other/],
    ] as const) {
      const quoted: string[] = [];
      const server = await startScripted((line) => {
        const path = line.startsWith(command) ? /<(.*)>/.exec(line)?.[1] : undefined;
        if (path === undefined) return undefined;
        quoted.push(path);
        return `554 5.7.1 <${path}>: denied`;
      });
      const newsroom = await filled(open, {
        edit: (yaml) =>
          yaml
            .replace('transport: file', `transport: smtp\n  smtpUrl: ${server.url}`)
            .replace('# address: bounces@', 'address: bounces@'),
      });
      await slotComposed(newsroom);
      const report = await deliverDue(newsroom);
      const alerts = await listOpenAlerts(newsroom.store.db);
      expect(alerts).toMatchObject([{ message: expect.stringMatching(alert) }]);
      const told = JSON.stringify([report, alerts]);
      expect(quoted.length).toBeGreaterThan(0);
      // The part before the @ holds the token.
      for (const path of quoted) expect(told).not.toContain(path.split('@', 1)[0]);
    }
    await closeServers();
  });

  it('a delivery that the server refuses altogether alerts, and the next that gets through resolves it', async () => {
    const newsroom = await filled(open, {
      edit: (yaml) => yaml.replace('transport: file', 'transport: smtp\n  smtpUrl: smtp://127.0.0.1:1'),
    });
    await slotComposed(newsroom);
    expect((await deliverDue(newsroom)).stopped).not.toBe(null);
    expect((await listOpenAlerts(newsroom.store.db)).map(({ key }) => key)).toEqual(['delivery']);
    newsroom.config.delivery.transport = 'file';
    newsroom.now += HOUR;
    expect(await deliverDue(newsroom)).toMatchObject({ submitted: 7, stopped: null });
    expect(await listOpenAlerts(newsroom.store.db)).toEqual([]);
  });
});

async function filled(
  open: Parameters<Parameters<typeof forEachDatabase>[0]>[0],
  options?: Parameters<typeof openTestNewsroom>[1],
): Promise<TestNewsroom> {
  const newsroom = openTestNewsroom(await open(), options);
  await loadSampleNewsroom(newsroom.store, newsroom.config, { now: NOW });
  return newsroom;
}

async function slotComposed(newsroom: AppContext, label?: string): Promise<[slot: string, fresh: boolean]> {
  const [newsletter] = newsroom.config.newsletters;
  if (newsletter === undefined) throw new Error('the sample has a newsletter');
  const outcome = await composeNow(newsroom, newsletter, label);
  if (outcome.kind === 'skipped') throw new Error(outcome.reason);
  return [outcome.edition.slot, outcome.fresh];
}

/** An edition of the sample, closed and not delivered. @returns its id, and an article that it holds */
async function closedEdition(newsroom: TestNewsroom): Promise<{ id: number; articles: string[] }> {
  await slotComposed(newsroom);
  const rows = await newsroom.store.db
    .selectFrom('edition_articles')
    .innerJoin('articles', 'articles.id', 'edition_articles.article_id')
    .select(['edition_id', 'article_id'])
    .where('articles.state', '=', 'published')
    .orderBy('article_id')
    .execute();
  return { id: rows[0]?.edition_id as number, articles: rows.map((row) => row.article_id) };
}

async function retract(newsroom: TestNewsroom, ids: string[]): Promise<void> {
  newsroom.now += MINUTE;
  for (const id of ids) {
    const text = `---\nid: ${id}\nheadline: H\nsection: world\nstate: retracted\nnote: Wrong.\n---\n\nA paragraph.\n`;
    const input = { source: `${id}.md`, text, format: 'markdown' } as const;
    const { rejected } = await importText(newsroom.store, newsroom.config, input, { clock: newsroom.clock });
    expect(rejected).toEqual([]);
  }
  newsroom.now += MINUTE;
}

function runNewsletter(newsroom: AppContext, slotAt: number): Promise<JobOutcome> {
  const job = jobsOf(newsroom).find(({ id }) => id === 'newsletter:daily-roundup');
  if (job === undefined) throw new Error('the sample has a newsletter');
  return job.run(slotAt, newsroom.clock());
}

async function addStory(newsroom: TestNewsroom, id: string): Promise<void> {
  const text = `---\nid: ${id}\nheadline: Headline of ${id}\nsection: world\ndek: A dek.\n---\n\nA paragraph.\n`;
  newsroom.now += HOUR;
  await importText(
    newsroom.store,
    newsroom.config,
    { source: `${id}.md`, text, format: 'markdown' },
    { clock: newsroom.clock },
  );
  newsroom.now += 1_000;
}
