import { describe, expect, it } from 'vitest';
import type { FetchClient } from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { addReport } from '../../../src/outlets/story-groups/add-report.ts';
import { readGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { setItem } from '../../support/sources.ts';
import { openTestApp } from '../../support/test-app.ts';

const PAGE =
  '<title>Ferry Line Orders Ships</title><meta property="og:site_name" content="The Example">' +
  '<meta property="article:published_time" content="2026-11-24T06:15:00Z">';
const URL_OF_REPORT = 'https://outlet.example.com/report?utm_source=mail';

/** A web in which each address has this page, or is refused. */
function web(page: string | null): { client: FetchClient } {
  const fetch: FetchClient['fetch'] = async ({ url }) =>
    page === null
      ? { kind: 'refused', reason: 'robots' }
      : {
          ...{ kind: 'answered', status: 200, url: String(url), movedTo: null },
          ...{ headers: { 'content-type': 'text/html' }, body: Buffer.from(page) },
        };
  return { client: { fetch } as FetchClient };
}

forEachDatabase((open) => {
  describe('addReport', () => {
    it('stores what the page says as a group of its own, once', async () => {
      const app = openTestApp(await open());
      const added = await addReport(app, URL_OF_REPORT, {}, web(PAGE));
      expect(added).toMatchObject({ isNew: true, notices: [], report: { title: 'Ferry Line Orders Ships' } });
      expect((await readGroups(app.store.db, [added.id])).get(added.id)).toMatchObject({
        decision: null,
        items: [
          { source: null, outlet: 'The Example', publishedAt: Date.UTC(2026, 10, 24, 6, 15), firstSeenAt: app.now },
        ],
      });
      const again = await addReport(app, 'http://www.outlet.example.com/report#top', { title: 'Other' }, web(PAGE));
      expect(again).toMatchObject({
        ...{ id: added.id, isNew: false, report: added.report },
        notices: ['it is among the reports already, and keeps its title, outlet and date'],
      });
    });

    it('finds the report that a feed has brought, in its group, also one that is held', async () => {
      const app = openTestApp(await open());
      const canonicalUrl = 'https://outlet.example.com/report';
      const [first, second] = await storeGroup(app.store.db, [groupedItem(1), groupedItem(2, { canonicalUrl })]);
      await setItem(app.store.db, Number(second?.id), { state: 'held' });
      expect(await addReport(app, URL_OF_REPORT, {}, web(PAGE))).toMatchObject({ id: second?.id, isNew: false });
      const groups = await readGroups(app.store.db, [Number(first?.id)]);
      expect(groups.get(Number(first?.id))?.items).toHaveLength(2);
    });

    it('takes title, outlet and time of the editor before those of the page, and instead of a page', async () => {
      const app = openTestApp(await open());
      const own = { title: 'Ours', outlet: 'Our Name', published: '2026-11-24 10:00' };
      expect(await addReport(app, URL_OF_REPORT, own, web(null))).toMatchObject({
        report: { title: 'Ours', outlet: 'Our Name', publishedAt: Date.UTC(2026, 10, 24, 2) },
        notices: [expect.stringContaining('is refused')],
      });
      expect(await addReport(app, 'https://other.example.com/a', { title: 'Ours' }, web(null))).toMatchObject({
        report: { outlet: 'other.example.com', publishedAt: null },
      });
    });

    it('names a page that it cannot read by the outlet of the source on its host', async () => {
      const app = openTestApp(await open());
      const source = {
        id: 'a',
        url: 'https://www.outlet.example.com/rss',
        use: 'roundup',
        outlet: 'The Outlet',
      } as const;
      Object.assign(app, { config: { ...app.config, sources: [source] } });
      const { report } = await addReport(app, URL_OF_REPORT, { title: 'Ours' }, web(null));
      expect(report).toMatchObject({ outlet: 'The Outlet' });
    });

    it('cuts a title and a name that are too long, and says so by an ellipsis', async () => {
      const app = openTestApp(await open());
      const page = `<title>${'x'.repeat(299)}\u{1f600}</title><meta property="og:site_name" content="${'y'.repeat(101)}">`;
      const { report } = await addReport(app, URL_OF_REPORT, {}, web(page));
      expect(report).toMatchObject({ title: `${'x'.repeat(299)}…`, outlet: `${'y'.repeat(99)}…` });
    });

    it('refuses what is no report, and names what is wrong', async () => {
      const app = openTestApp(await open());
      const refuse = (url: string, own: object, page: string | null = PAGE) =>
        expect(addReport(app, url, own, web(page))).rejects;
      await refuse(URL_OF_REPORT, {}, null).toThrow('with --title and --outlet the report is added without its page');
      await refuse(URL_OF_REPORT, {}, '<p>no title').toThrow('has no title: give one with --title');
      await refuse('https://outlet.example.com/', { title: 'x' }).toThrow('is the front page of a site');
      await refuse('http://10.1.2.3/a', { title: 'x' }, null).toThrow(
        'nobody else can open 10.1.2.3, which is a private',
      );
      await refuse(`https://a.example.com/${'x'.repeat(2_100)}`, {}).toThrow('has 2122 characters: at most 2048');
      await refuse(URL_OF_REPORT, { title: '\u200b' }).toThrow('--title is empty');
      await refuse(URL_OF_REPORT, { outlet: 'x'.repeat(101) }).toThrow('--outlet has 101 characters: at most 100');
      await refuse(URL_OF_REPORT, { published: '2036-11-24 10:00' }).toThrow('2036-11-24 10:00 is in the future');
      await refuse(URL_OF_REPORT, { published: 'soon' }).toThrow('--published soon: must be a date that exists');
    });
  });
});
