import type { KyselyPlugin } from 'kysely';
import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { changeGroups } from '../../../src/outlets/story-groups/change-groups.ts';
import type { GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import { readUnpublishedGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import { publishPicks } from '../../../src/outlets/story-groups/publish-picks.ts';
import { importText } from '../../articles/imports.ts';
import { clockAt, NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import { sampleConfig } from '../../support/sample.ts';

/** A store whose queries fail from the one with a number on, as if the process had ended there. */
function endsAtQuery(store: Store, number: number): Store {
  let queries = 0;
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (++queries > number) throw new Error('the process has ended');
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { ...store, db: store.db.withPlugin(plugin) };
}

forEachDatabase((open) => {
  async function openPick() {
    const store = await open();
    const [first, second] = await storeGroup(store.db, [groupedItem(1), groupedItem(2)]);
    const id = first?.id as number;
    const config = sampleConfig();
    const change = (command: GroupCommand) =>
      changeGroups(store, [{ items: [id], seen: null }], command, { editor: 'Ada', now: NOW });
    const publish = (through = store) => publishPicks(through, config, clockAt(NOW + 1_000).clock);
    const article = () => findArticle(store.db, `roundup-${id}`);
    return { store, config, second: second?.id as number, change, publish, article };
  }

  describe('publishPicks', () => {
    it('writes a picked group as an article with outlet, time, link and the other outlets', async () => {
      const { change, publish, article } = await openPick();
      await change({ kind: 'pick', text: 'Our *own* sentence.', section: 'world' });
      expect(await publish()).toMatchObject({ added: 1, rejectedCount: 0, warningCount: 0 });
      expect(await article()).toMatchObject({
        ...{ kind: 'roundup-item', headline: 'Report 1', dek: null, section: 'world', publishedAt: NOW },
        bodyHtml: expect.stringContaining('Our <em>own</em> sentence.'),
        outlet: {
          name: 'Outlet 1',
          url: 'https://outlet-1.example.com/report',
          publishedAt: groupedItem(1).publishedAt,
        },
        also: [{ name: 'Outlet 2', url: 'https://outlet-2.example.com/report' }],
      });
      expect(await publish()).toMatchObject({ added: 0, updated: 0, unchanged: 0 });
    });

    it('keeps a link into a private network of a report that an editor named, and of no feed', async () => {
      const { store, config } = await openPick();
      const url = 'http://10.1.2.3/report';
      for (const source of [null, 'source-3']) {
        const [item] = await storeGroup(store.db, [groupedItem(3, { source, url })]);
        const id = item?.id as number;
        const command = { kind: 'pick', text: 'Ours.' } as const;
        await changeGroups(store, [{ items: [id], seen: null }], command, { editor: 'Ada', now: NOW });
        await publishPicks(store, config, clockAt(NOW).clock);
        const outlet = { name: 'Outlet 3', url: source === null ? url : null };
        expect(await findArticle(store.db, `roundup-${id}`)).toMatchObject({ outlet });
      }
    });

    it('follows an edit, another first outlet, and a pick that is taken back', async () => {
      const { second, change, publish, article } = await openPick();
      await change({ kind: 'pick', text: 'One.' });
      await publish();
      await change({ kind: 'edit', headline: 'A headline of ours' });
      await change({ kind: 'first', item: second });
      await publish();
      expect(await article()).toMatchObject({ headline: 'A headline of ours', outlet: { name: 'Outlet 2' } });
      await change({ kind: 'restore' });
      await publish();
      expect((await article())?.status).toMatchObject({ state: 'retracted' });
      await change({ kind: 'pick', text: 'Again.' });
      await publish();
      expect(await article()).toMatchObject({ status: { state: 'published' }, publishedAt: NOW });
    });

    it('is done by the next pass where the process ended at any query', async () => {
      const { store, change, publish, article } = await openPick();
      await change({ kind: 'pick', text: 'Text 0' });
      let interrupted = 0;
      for (let number = 1, ended = true; ended; number += 4) {
        const text = `Text ${number}`;
        await change({ kind: 'edit', text });
        ended = await publish(endsAtQuery(store, number)).then(
          () => false,
          () => true,
        );
        const isWritten = (await article())?.body.source === text;
        expect(await readUnpublishedGroups(store.db)).toHaveLength(isWritten ? 0 : 1);
        if (ended) interrupted++;
        await publish();
        expect((await article())?.body.source).toBe(text);
        expect(await readUnpublishedGroups(store.db)).toEqual([]);
      }
      expect(interrupted).toBeGreaterThan(2);
    });

    it('never writes what an editor has changed meanwhile over the change', async () => {
      const { store, change, publish, article } = await openPick();
      await change({ kind: 'pick', text: 'Old' });
      // The other process reads the group first, and writes last.
      const late: Store = {
        ...store,
        db: store.db.withPlugin({
          transformQuery: ({ node }) => node,
          transformResult: async ({ result }) => {
            if (result.rows.some((row) => row.text === 'Old')) {
              await change({ kind: 'edit', text: 'New' });
              await publish();
            }
            return result;
          },
        }),
      };
      expect(await publish(late)).toMatchObject({ added: 0, updated: 0 });
      expect((await article())?.body.source).toBe('New');
    });

    it('leaves a group whose article is rejected to the next pass, and its article to the roundup alone', async () => {
      const { store, config, change, publish, article } = await openPick();
      await change({ kind: 'pick', text: '<script></script>' });
      expect(await publish()).toMatchObject({ rejectedCount: 1 });
      expect(await readUnpublishedGroups(store.db)).toHaveLength(1);
      await change({ kind: 'edit', text: 'One.' });
      expect(await publish()).toMatchObject({ added: 1 });
      const id = (await article())?.id;
      const text = `---\nid: ${id}\nheadline: Mine\n---\n`;
      const report = await importText(
        store,
        config,
        { source: 'a.md', text, format: 'markdown' },
        { ...clockAt(NOW), undated: 'now' },
      );
      expect(report.rejected[0]?.problems).toEqual([
        `a.md:2: id is "${id}": this article belongs to the roundup; choose another id`,
      ]);
    });
  });
});
