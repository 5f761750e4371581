import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/core/store/store.ts';
import type { ComposedEdition } from '../../../src/editions/compose.ts';
import { checkDraft, type DraftCheckOptions } from '../../../src/editions/edition-checks/check-draft.ts';
import type { EditionProblem } from '../../../src/editions/edition-checks/edition-problem.ts';
import { openAddressGuard } from '../../../src/lib/guarded-fetch/address-guard.ts';
import { openFetchClient } from '../../../src/lib/guarded-fetch/fetch-client.ts';
import { DAY, HOUR, MINUTE } from '../../../src/lib/time.ts';
import { startRawServer } from '../../lib/guarded-fetch/raw-server.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { article, CUTOFF, closeEdition, compose, config, newsletter, roundupItem, save } from '../fixtures.ts';

const client = openFetchClient({
  guard: openAddressGuard({ allowed: ['127.0.0.0/8'] }),
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  userAgent: 'daywire/1 (+https://times.example/)',
});

/** A site whose pages answer with the status in their path. */
function startSite() {
  return startRawServer((path) => `HTTP/1.1 ${/\d{3}/.exec(path)?.[0] ?? 200} Status\r\nContent-Length: 0\r\n\r\n`);
}

function check(
  store: Store,
  composed: ComposedEdition,
  { now = CUTOFF, ...options }: DraftCheckOptions & { now?: number },
): Promise<EditionProblem[]> {
  return checkDraft({ config, store, clock: () => now }, newsletter, composed, { client, ...options });
}

const briefly = (problems: EditionProblem[]) =>
  problems.map(({ code, place, message }) => `${code} ${place?.articleId ?? '-'}: ${message}`);
const deadLinks = async (problems: Promise<EditionProblem[]>) =>
  briefly((await problems).filter(({ code }) => code === 'dead-link'));

describe('the checks of a draft', () => {
  forEachDatabase((open) => {
    it('find the dead links of stories and outlets', async () => {
      const store = await open();
      const site = await startSite();
      const related = [{ title: 'Earlier', url: site.url('/404') }];
      const item = roundupItem('item', 'Example', {
        outlet: { name: 'Example', url: site.url('/403'), publishedAt: null },
      });
      await save(store, [article('a', { pinned: true, related }), article('b'), article('c'), item]);
      const composed = await compose(store);
      const first = await check(store, composed, { links: 'look-up' });
      expect(briefly(first.filter(({ code }) => code.endsWith('link')))).toEqual([
        `dead-link a: a link is dead: ${site.url('/404')} (its server answered 404): correct it`,
        expect.stringContaining(`unchecked-link item: a link could not be checked: ${site.url('/403')}`),
      ]);
    });

    it('look up nothing where only known links or none are wanted', async () => {
      const store = await open();
      const site = await startSite();
      const related = [{ title: 'Earlier', url: site.url('/410') }];
      await save(store, [article('a', { pinned: true, related }), article('b'), article('c')]);
      const composed = await compose(store);
      expect(await deadLinks(check(store, composed, { links: 'cached' }))).toEqual([]);
      expect(site.requests).toEqual([]);
      await check(store, composed, { links: 'look-up' });
      const requests = site.requests.length;
      expect(await deadLinks(check(store, composed, { links: 'cached', now: CUTOFF + 23 * HOUR }))).toHaveLength(1);
      expect(await deadLinks(check(store, composed, { links: 'cached', now: CUTOFF + DAY }))).toEqual([]);
      expect(await deadLinks(check(store, composed, { links: 'none' }))).toEqual([]);
      expect(site.requests).toHaveLength(requests);
    });

    it('end when the time for links is over, and name those that were not looked up', async () => {
      const store = await open();
      const silent = await startRawServer(() => undefined);
      const related = [{ title: 'Earlier', url: silent.url('/x') }];
      await save(store, [article('a', { pinned: true, related }), article('b'), article('c')]);
      const composed = await compose(store);
      const problems = await check(store, composed, { links: 'look-up', timeLimitMs: 50 });
      expect(briefly(problems)).toContainEqual(
        `unchecked-link a: a link could not be checked: ${silent.url('/x')} ` +
          '(not looked up within 0.05 s): open it in a browser',
      );
      expect(await store.db.selectFrom('link_checks').select('url').execute()).toEqual([]);
    });

    it('look up links to this site in the store, as of the slot', async () => {
      const store = await open();
      const site = config.publication.url;
      const paths = [
        ...['/', '/feeds/', '/newsletters', '/sections/finance-economy', '/editions/daily-roundup'],
        ...['/articles/b', '/articles/soon', '/articles/later', '/articles/gone', '/articles/none', '/sections/none'],
        ...[
          '/editions/daily-roundup/2020-01-01',
          '/feeds/none.rss',
          '/nowhere',
          '/reporters/ann-lee',
          '/reporters/bo-wu',
        ],
      ];
      const link = (path: string) => `<p><a href="${site}${path}">${path}</a></p>`;
      const by = (name: string) => [{ role: 'reporter' as const, name, email: null }];
      await save(store, [
        ...paths.map((path, n) =>
          article(`a${n}`, { kind: 'analysis', bodyHtml: link(path), publishedAt: CUTOFF - n - 2 }),
        ),
        article('b', { publishedAt: CUTOFF - HOUR, bylines: by('Ann Lee') }),
        article('later', {
          publishedAt: CUTOFF + HOUR,
          status: { state: 'scheduled', until: CUTOFF + HOUR },
          bylines: by('Bo Wu'),
        }),
        article('soon', { publishedAt: CUTOFF - 1, status: { state: 'scheduled', until: CUTOFF - 1 } }),
        article('gone', { status: { state: 'retracted', note: 'Wrong', at: CUTOFF - MINUTE } }),
      ]);
      const composed = await compose(store, CUTOFF, { blocks: { ...newsletter.blocks, analysis: 20 } });
      const problems = await check(store, composed, { links: 'look-up', now: CUTOFF - DAY });
      const found = briefly(problems.filter(({ code }) => code.endsWith('-link')));
      expect(
        found.map((line) => line.replace(site, '').replace(/^(\S+) a\d+: .*?(\/\S+) \((.*)\): .*$/, '$1 $2 $3')),
      ).toEqual([
        'dead-link /articles/later later is not public at the slot',
        'dead-link /articles/gone gone is retracted',
        'dead-link /articles/none there is no such article',
        'dead-link /sections/none there is no such section',
        'dead-link /editions/daily-roundup/2020-01-01 there is no such edition',
        'dead-link /feeds/none.rss there is no such feed',
        'dead-link /reporters/bo-wu no story of that reporter is public',
        'unchecked-link /nowhere daywire serves no such page of this site',
      ]);
    });

    it('look for the postal address of the newsletter, if it has one of its own', async () => {
      const store = await open();
      await save(store, [article('a'), article('b'), article('c')]);
      const change = { postalAddress: 'The Weekly, 2 Other Road' };
      const composed = await compose(store, CUTOFF, change);
      const app = { config, store, clock: () => CUTOFF };
      const own = await checkDraft(app, { ...newsletter, ...change }, composed, { links: 'none' });
      expect(own.filter(({ severity }) => severity === 'error')).toEqual([]);
      const publication = await checkDraft(app, newsletter, composed, { links: 'none' });
      expect(publication.map(({ code }) => code)).toContain('no-postal-address');
    });

    it('compare the stories with those of the last edition', async () => {
      const store = await open();
      await save(store, [article('a', { headline: 'Fire in Wuxi', eventKey: 'fire' }), article('b'), article('c')]);
      await closeEdition(store, await compose(store));
      const at = CUTOFF + DAY;
      await save(
        store,
        [
          roundupItem('item', 'Example', { headline: 'Another', eventKey: 'fire', publishedAt: at - HOUR }),
          ...['d', 'e', 'f'].map((id) => article(id, { publishedAt: at - HOUR })),
          article('again', { headline: 'Fire in Wuxi', publishedAt: at - HOUR }),
        ],
        at,
      );
      const problems = await check(store, await compose(store, at), { links: 'none', now: at });
      expect(briefly(problems.filter(({ code }) => code === 'repeated-story'))).toEqual([
        expect.stringMatching(/^repeated-story again: it has the same headline as a, .* of 2026-11-24: /),
        expect.stringMatching(/^repeated-story item: it has the same event \(fire\) as a, /),
      ]);
    });
  });
});
