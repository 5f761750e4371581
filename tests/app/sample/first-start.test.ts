import { describe, expect, it } from 'vitest';
import { publishAndCompose } from '../../../src/app/first-run.ts';
import { applySamplePicks } from '../../../src/app/sample/newsroom.ts';
import { DAY } from '../../../src/lib/time.ts';
import { OUTLETS } from '../../../src/outlets/polling/outlets.ts';
import { regroupIfDue } from '../../../src/outlets/story-groups/regroup.ts';
import { pollDue } from '../../../src/sources/polling/poller.ts';
import { openMigrated } from '../../support/databases.ts';
import { allArticles } from '../../support/sample.ts';
import { openTestApp } from '../../support/test-app.ts';

describe('the first start of the sample', () => {
  it('polls its outlets, and shows four picks with every outlet; a later start doubles nothing', async () => {
    const store = await openMigrated();
    const start = performance.now();
    // What is picked at an instant is in an edition of a later one.
    const running = (): number => app.now + Math.floor(performance.now() - start);
    const app = { ...openTestApp(store, { outlets: true, feeds: ['latest'] }), clock: running };
    await app.keys.signingSecrets();
    const { polled, edition } = await publishAndCompose(app, { stop: new AbortController().signal });
    expect(polled.map(({ source, text }) => [source, text]).sort()).toEqual([
      ['daily-circuit', '7 new'],
      ['harbour-post', '4 new, 2 old'],
      ['northgate-ledger', '7 new'],
    ]);
    const picks = (await allArticles(store)).filter(({ id }) => /^roundup-\d/.test(id));
    const credits = picks.map(({ outlet, also }) => [outlet?.name, ...(also ?? []).map(({ name }) => name)].sort());
    const [circuit, post, ledger] = ['The Daily Circuit', 'Harbour Post', 'Northgate Ledger'];
    expect(credits.sort()).toEqual(
      [
        [post, ledger, circuit],
        [post, ledger, circuit],
        [post, circuit],
        [ledger, circuit],
      ].sort(),
    );
    expect(edition?.kind).toBe('closed');
    const { text } = await store.db
      .selectFrom('editions')
      .select('text')
      .where('newsletter', '=', 'daily-roundup')
      .executeTakeFirstOrThrow();
    for (const { headline } of picks) expect(text.replace(/\s+/g, ' ')).toContain(headline);
    expect(text.match(/^Also: /gm)?.length).toBeGreaterThanOrEqual(4);

    const items = () => store.db.selectFrom('outlet_items').select(['id', 'title', 'state']).orderBy('id').execute();
    const before = await items();
    expect(before).toHaveLength(20);
    app.now += DAY;
    expect(await pollDue(app, OUTLETS)).toHaveLength(3);
    await regroupIfDue(app);
    expect(await applySamplePicks(app)).toBe(0);
    expect(await items()).toEqual(before);
  });
});
