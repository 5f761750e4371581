import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { readGroupingTask, writeGrouping } from '../../../src/outlets/story-groups/regroup.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { openRoundupDesk, type RoundupDesk } from './roundup-desk.ts';

/** What the form of a pick has, filled in. */
async function pickFields(desk: RoundupDesk, id: number, change: Record<string, string> = {}) {
  const page = await desk.read('editor', `/roundup/g${id}`);
  const act = page.includes(`/roundup/g${id}/edit"`) ? 'edit' : 'pick';
  return {
    ...desk.fieldsOf(page, `/roundup/g${id}/${act}`),
    text: 'Our sentence.',
    headline: '',
    section: '',
    ...change,
  };
}

forEachDatabase((open) => {
  describe('a group of the roundup', () => {
    it('is picked with a sentence, headline, section and first outlet, and is an article then', async () => {
      const desk = await openRoundupDesk(await open());
      const [three] = desk.groups;
      const [, second] = (await desk.group(three)).items.map(({ id }) => id);
      const page = await desk.read('editor', `/roundup/g${three}`);
      expect(page).toContain('A summary.');
      expect(page).toMatch(/<a href="https:\/\/outlet\.example\.com\/the-example\/12" rel="noreferrer noopener"/);
      const own = { headline: 'Our headline', section: 'world', first: String(second) };
      const list = await desk.act('editor', `/roundup/g${three}/pick`, await pickFields(desk, three, own));
      expect(list).toContain(`Picked “Our headline”. Its article is roundup-${three}.`);
      expect(list).toContain('Take it back');
      expect(await findArticle(desk.app.store.db, `roundup-${three}`)).toMatchObject({
        ...{ headline: 'Our headline', section: 'world', outlet: { name: 'Second Post' } },
        body: { source: 'Our sentence.' },
      });
      const picked = await desk.read('editor', `/roundup/g${three}`);
      expect(picked).toContain(`href="/desk/articles/roundup-${three}"`);
      expect(picked).toContain('Our sentence.</textarea>');
      expect(picked).toMatch(/<bdi>Edda Moreno<\/bdi><\/strong> <bdi>picked it: “Our sentence.”/);
      expect(await desk.audit()).toEqual([
        { actor: 'Edda Moreno', act: 'roundup.pick', subject: `g${three}`, detail: {} },
      ]);
      await desk.act(
        'editor',
        `/roundup/g${three}/edit`,
        await pickFields(desk, three, { text: 'Better.', first: '' }),
      );
      expect((await desk.group(three)).decision).toMatchObject({ text: 'Better.', headline: null, section: null });
    });

    it('has its log, and its conflicts, however many commands to other groups came since', async () => {
      const store = await open();
      const desk = await openRoundupDesk(store);
      const [three, two] = desk.groups;
      const fields = desk.fieldsOf(await desk.read('editor', `/roundup/g${three}`), `/roundup/g${three}/drop`);
      await desk.byBo(three, { kind: 'drop' });
      const other = JSON.stringify({ command: { kind: 'drop' }, groups: [two], items: [two], headline: 'Other' });
      const rows = Array.from({ length: 1_200 }, () => ({ at: NOW, editor: 'Cy', command: other }));
      await store.db.insertInto('roundup_log').values(rows).execute();
      expect(await desk.read('editor', `/roundup/g${three}`)).toMatch(/<bdi>Bo<\/bdi><\/strong> <bdi>dropped it/);
      const refused = await desk.post('editor', `/roundup/g${three}/drop`, fields);
      expect(await refused.text()).toContain('Bo changed it since you looked.');
    });

    it('is shown again with what was typed, and what is wrong beside it', async () => {
      const desk = await openRoundupDesk(await open());
      const [three] = desk.groups;
      const fields = await pickFields(desk, three, { text: ' ', headline: 'h'.repeat(301) });
      const empty = await desk.post('editor', `/roundup/g${three}/pick`, fields);
      expect(empty.status).toBe(422);
      const page = await empty.text();
      expect(page).toMatch(/id="own-text-error">The sentence is empty: write what the story is, in your own words\./);
      expect(page).toContain(`value="${'h'.repeat(301)}"`);
      expect([await desk.audit(), (await desk.group(three)).decision]).toEqual([[], null]);
    });

    it('has an Undo for an edit, the outlet that is named first, and what was taken back', async () => {
      const desk = await openRoundupDesk(await open());
      const [three] = desk.groups;
      const path = `/roundup/g${three}`;
      const [first, second] = (await desk.group(three)).items.map(({ id }) => String(id));
      /** What readers see of the decision. */
      const decided = async () => {
        const { state, text, headline, section, firstItem, creditedItems } = (await desk.group(three)).decision ?? {};
        return { state, text, headline, section, firstItem, creditedItems };
      };
      const undo = (page: string, act: string) => desk.send(three, act, {}, page);
      const picked = await pickFields(desk, three, { text: 'One.', headline: 'Ours', section: 'world' });
      await desk.act('editor', `${path}/pick`, { ...picked, first: second ?? '' });
      const before = await decided();
      expect(before).toMatchObject({ text: 'One.', firstItem: Number(second) });
      expect(before.creditedItems).toHaveLength(3);

      const change = await pickFields(desk, three, { text: 'Two.', first: first ?? '' });
      const edited = await desk.act('editor', `${path}/edit`, change);
      expect((await decided()).text).toBe('Two.');
      expect(edited).toMatch(/id="undo-notice">Undo</);
      await undo(edited, 'edit');
      expect(await decided()).toEqual(before);

      const named = await desk.send(three, 'first', { item: first ?? '' });
      expect((await decided()).firstItem).toBe(Number(first));
      await undo(named, 'first');
      expect(await decided()).toEqual(before);

      const restored = await desk.send(three, 'restore');
      expect((await decided()).state).toBe('open');
      await undo(restored, 'pick');
      expect(await decided()).toEqual(before);

      await undo(await desk.send(three, 'drop'), 'pick');
      expect(await decided()).toEqual(before);

      const long = await pickFields(desk, three, { text: '字'.repeat(300) });
      await desk.act('editor', `${path}/edit`, long);
      const again = await desk.act('editor', `${path}/edit`, await pickFields(desk, three, { text: 'Short.' }));
      expect(again).not.toContain('id="undo-notice"');
    });

    it('names another outlet first, splits off reports, and merges what is perhaps the same', async () => {
      const desk = await openRoundupDesk(await open());
      const { store } = desk.app;
      const [three, two] = desk.groups;
      const [, second, third] = (await desk.group(three)).items.map(({ id }) => String(id)) as [string, string, string];
      const path = `/roundup/g${three}`;
      const named = await desk.send(three, 'first', { item: second });
      expect(named).toContain('Second Post is named first in “Second Post on event 1”.');
      const none = await desk.post('editor', `${path}/split`, desk.fieldsOf(named, `${path}/split`));
      expect([none.status, await none.text()]).toEqual([422, expect.stringContaining('Name the reports that leave.')]);
      const split = await desk.send(three, 'split', { report: third }, named);
      expect(split).toContain('Split off 1 report from');
      expect((await desk.group(Number(third))).items).toHaveLength(1);
      await desk.send(three, 'merge', {}, split);
      expect((await desk.group(three)).items).toHaveLength(3);
      const task = await readGroupingTask(store.db, { now: NOW, windowMs: 26 * HOUR, language: 'en' });
      await writeGrouping(store, task, {
        groups: [],
        suggestions: [{ groupId: three, otherId: two, similarity: 0.4 }],
      });
      const suggested = await desk.read('editor', path);
      expect(suggested).toContain('Perhaps the same event');
      const merged = await desk.send(three, 'merge', {}, suggested);
      expect(merged).toContain('Merged 2 groups into');
      expect((await desk.group(three)).items).toHaveLength(5);
      expect((await desk.audit()).map(({ act }) => act)).toEqual(
        ['first', 'split', 'merge', 'merge'].map((act) => `roundup.${act}`),
      );
    });

    it('shows both texts where another editor was first, and stores mine when I say so again', async () => {
      const desk = await openRoundupDesk(await open());
      const [three] = desk.groups;
      const fields = await pickFields(desk, three, { text: 'My sentence.' });
      await desk.byBo(three, { kind: 'pick', text: 'Their sentence.' });
      const refused = await desk.post('editor', `/roundup/g${three}/pick`, fields);
      const page = await refused.text();
      expect(refused.status).toBe(409);
      expect(page).toContain('Bo changed it since you looked.');
      expect(page).toContain('<h3>Theirs: <bdi>Bo</bdi></h3><pre dir="auto"><mark>Their</mark> sentence.</pre>');
      expect(page).toContain('<h3>Yours</h3><pre dir="auto"><mark>My</mark> sentence.</pre>');
      expect(page).toContain('My sentence.</textarea>');
      expect((await desk.group(three)).decision).toMatchObject({ text: 'Their sentence.' });
      await desk.send(three, 'edit', { ...fields, ...desk.fieldsOf(page, `/roundup/g${three}/edit`) }, page);
      expect((await desk.group(three)).decision).toMatchObject({ text: 'My sentence.', editor: 'Edda Moreno' });
    });
  });
});

describe('a group of the roundup', () => {
  it('says that its article could not be written, and why', async () => {
    const desk = await openRoundupDesk(await openMigrated());
    const [three] = desk.groups;
    const { db } = desk.app.store;
    await db.updateTable('outlet_items').set({ title: ' ' }).where('id', '=', three).execute();
    await desk.act('editor', `/roundup/g${three}/pick`, await pickFields(desk, three, { first: String(three) }));
    const page = await desk.read('editor', `/roundup/g${three}`);
    expect(page).toContain('The article does not show the last change yet.');
    expect(page).toMatch(/<li class="bad" dir="auto">[^<]*headline/);
  });

  it('is found by any of its reports, and is 404 where there is none', async () => {
    const desk = await openRoundupDesk(await openMigrated());
    const [three] = desk.groups;
    const [, second] = (await desk.group(three)).items;
    expect(await desk.read('editor', `/roundup/g${second?.id}`)).toContain('The Example on event 1');
    expect((await desk.get('editor', '/roundup/g999')).status).toBe(404);
    expect((await desk.post('editor', '/roundup/g999/drop', {})).status).toBe(404);
    expect((await desk.get('editor', '/roundup/17')).status).toBe(404);
  });

  it('refuses a form without what its page has seen, where somebody has changed the group', async () => {
    const desk = await openRoundupDesk(await openMigrated());
    const [three] = desk.groups;
    await desk.byBo(three, { kind: 'drop' });
    for (const fields of [{}, { items: 'x', seen: '-1' }] as Record<string, string>[]) {
      expect((await desk.post('editor', `/roundup/g${three}/restore`, fields)).status).toBe(409);
    }
  });
});
