import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config/config.ts';
import { publish } from '../../src/feeds/publish/publish.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { changeGroups } from '../../src/outlets/story-groups/change-groups.ts';
import type { GroupCommand } from '../../src/outlets/story-groups/commands.ts';
import { publishPicks } from '../../src/outlets/story-groups/publish-picks.ts';
import { closeEdition, importMarkdown } from '../app/steps.ts';
import { openTestSite } from '../app/test-site.ts';
import { articleFile } from '../support/articles.ts';
import { clockAt, NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { groupedItem, storeGroup } from '../support/outlet-items.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';

/** Of the block. */
const HEADING = />Roundup<\/h2>|^ROUNDUP$/m;
const ALL_ITEMS = ['html', 'text', '/editions/daily-roundup/2026-11-25'];

/** Words of an outlet, of which every fifth is marked: any excerpt of 40 characters has a mark. */
const SUMMARY = Array.from({ length: 200 }, (_, n) => (n % 5 === 0 ? 'MARKED' : `word${n}`)).join(' ');
const OUTLETS = [1, 2, 3, 4].map((n) => ({ name: `Outlet ${n}`, url: `https://outlet-${n}.example.com/report` }));

/** An app whose sources are four outlets. @param excerpt of the first and third */
async function openRoundup(excerpt?: number) {
  const store = await openMigrated();
  const app = openTestApp(store, {
    feeds: ['world', 'roundups'],
    edit: (yaml) =>
      yaml.replace('minimumStories: 3', 'minimumStories: 1').replace('kicker: Tech Roundup', APPROVE_BY_RULE),
  });
  const sources = OUTLETS.map(({ name, url }, index) => ({
    ...{ id: `source-${index + 1}`, url, use: 'roundup' as const, outlet: name },
    ...(excerpt === undefined ? {} : { excerpt }),
  })) as Config['sources'];
  return Object.assign(app, { config: { ...app.config, sources } });
}

const APPROVE_BY_RULE = 'autoPick: 2\n    kicker: Tech Roundup';

async function decide(app: Pick<TestApp, 'store' | 'config'>, first: number, command: GroupCommand): Promise<void> {
  const reported = { publishedAt: NOW - DAY, firstSeenAt: NOW - 3 * HOUR, summary: SUMMARY };
  const items = [first, first + 1].map((id) => groupedItem(id, { ...reported, title: `Report ${id}` }));
  const [item] = await storeGroup(app.store.db, items);
  await changeGroups(app.store, [{ items: [item?.id as number], seen: null }], command, { editor: 'Ada', now: NOW });
  await publishPicks(app.store, app.config, clockAt(NOW).clock);
}

/** Everything that readers get, by name: the email, pages and feeds. */
async function allOutput(app: Awaited<ReturnType<typeof openRoundup>>): Promise<Map<string, string>> {
  const later = { ...app, ...clockAt(NOW + DAY) };
  const [slot] = await closeEdition(later);
  await publish(later);
  const site = openTestSite(app.store, app.config);
  site.at(NOW + DAY);
  const edition = await app.store.db.selectFrom('editions').select(['html', 'text']).executeTakeFirstOrThrow();
  const output = new Map(Object.entries(edition));
  const articles = await app.store.db
    .selectFrom('articles')
    .select('slug')
    .where('kind', '=', 'roundup-item')
    .execute();
  const feeds = ['world', 'roundups', 'section/world'].flatMap((id) =>
    ['rss', 'atom', 'json'].map((format) => `/feeds/${id}.${format}`),
  );
  const pages = ['/', '/sections/world', '/archive/2026-11', `/editions/daily-roundup/${slot}`];
  for (const path of [...pages, ...articles.map(({ slug }) => `/articles/${slug}`), ...feeds]) {
    const response = await site.get(path);
    if (response.status === 200) output.set(path, await response.text());
  }
  return output;
}

describe('items of other outlets', () => {
  it('have outlet and link wherever readers see them, and of the outlets’ words the headline alone', async () => {
    const app = await openRoundup();
    await decide(app, 1, { kind: 'pick', text: 'Our own sentence.', section: 'world' });
    await decide(app, 3, { kind: 'rule' });
    const output = await allOutput(app);
    expect([...output.keys()].filter((name) => !name.startsWith('/articles/')).sort()).toEqual([
      ...['/', '/archive/2026-11', '/editions/daily-roundup/2026-11-25'],
      ...['/feeds/roundups.atom', '/feeds/roundups.json', '/feeds/roundups.rss'],
      ...['/feeds/section/world.atom', '/feeds/section/world.json', '/feeds/section/world.rss'],
      ...['/feeds/world.atom', '/feeds/world.json', '/feeds/world.rss', '/sections/world', 'html', 'text'],
    ]);
    for (const [name, text] of output) expect(text, name).not.toMatch(/MARKED|word\d/);
    for (const [name, text] of output) {
      if (name.startsWith('/articles/report-3')) continue;
      const wanted = ['Report 1', 'Outlet 1', 'https://outlet-1.example.com/report'];
      for (const words of wanted) expect(text, name).toContain(words);
    }
    for (const name of [
      'html',
      'text',
      '/editions/daily-roundup/2026-11-25',
      '/feeds/world.rss',
      '/feeds/world.json',
    ]) {
      expect(output.get(name), name).toMatch(/Our own sentence\.[\s\S]*Outlet 2/);
    }
    const withBlock = [...output].filter(([, text]) => HEADING.test(text)).map(([name]) => name);
    expect(withBlock.sort()).toEqual(
      ['/', ...ALL_ITEMS, '/feeds/roundups.rss', '/feeds/roundups.atom', '/feeds/roundups.json'].sort(),
    );
    // The rule's item, which has no sentence.
    for (const name of ALL_ITEMS) {
      expect(output.get(name), name).toMatch(/Outlet 3[\s\S]*Report 3[\s\S]*Also: [\s\S]*Outlet 4/);
    }
  });

  it('quote a bounded part of the summary if the source has an excerpt, and only without a sentence', async () => {
    const app = await openRoundup(40);
    await decide(app, 1, { kind: 'pick', text: 'Our own sentence.', section: 'world' });
    await decide(app, 3, { kind: 'rule' });
    const quote = 'Outlet 3: “MARKED word1 word2 word3 word4 MARKED…”';
    const output = await allOutput(app);
    for (const name of ALL_ITEMS) expect(output.get(name), name).toMatch(new RegExp(`Report 3[\\s\\S]*${quote}`));
    for (const [name, text] of output) expect(text.replaceAll(quote, ''), name).not.toMatch(/MARKED|word\d/);
    expect(output.get('/articles/report-3')).toMatch(new RegExp(`${quote}[\\s\\S]*Reported by `));
  });

  it('are no block without picks: no heading, anywhere', async () => {
    const app = await openRoundup();
    await storeGroup(app.store.db, [groupedItem(1, { summary: SUMMARY }), groupedItem(2)]);
    await decide(app, 3, { kind: 'drop' });
    await importMarkdown(app, articleFile('own'));
    for (const [name, text] of await allOutput(app)) {
      expect(text, name).not.toMatch(/MARKED|word\d|Report \d|Outlet \d|outlet-\d/);
      // The front page has the newest edition there.
      if (name !== '/') expect(text, name).not.toMatch(HEADING);
    }
  });
});
