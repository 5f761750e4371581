import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { listPath, parseBackQuery, parseListQuery } from '../../../src/outlets/desk/group-address.ts';
import { readGroupingTask, writeGrouping } from '../../../src/outlets/story-groups/regroup.ts';
import { anyText } from '../../support/any-text.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { storeGroup } from '../../support/outlet-items.ts';
import { openRoundupDesk, report } from './roundup-desk.ts';

/** The ids of the rows, in their order. */
const rows = (page: string): string[] => [...page.matchAll(/<li class="group" id="(g\d+)"/g)].map(([, id]) => id ?? '');

forEachDatabase((open) => {
  describe('the list of the roundup', () => {
    it('ranks groups, with outlets, age, sentence and state, and changes nothing', async () => {
      const desk = await openRoundupDesk(await open());
      const [three, two, one] = desk.groups;
      await desk.byBo(two, { kind: 'pick', text: 'Our sentence.' });
      const { store } = desk.app;
      await storeGroup(store.db, [report('Fourth', 5), report('Fifth', 4)], 'ungrouped');
      const page = await desk.read('editor', '/roundup');
      expect(rows(page)).toEqual([`g${three}`, `g${two}`, `g${one}`]);
      expect(page).toContain('The Example on event 1</a>');
      expect(page).toMatch(
        /<strong><bdi>The Example<\/bdi><\/strong>, <bdi>Second Post<\/bdi>, <bdi>Third Wire<\/bdi>; newest/,
      );
      expect(page).toContain('Our sentence.');
      expect([...page.matchAll(/In common: ([^\n]*)<\/p>/g)].map(([, words]) => words)).toEqual([
        '<bdi>event</bdi>',
        '<bdi>event</bdi>',
      ]);
      expect(await desk.read('editor', `/roundup/g${three}`)).toContain('In common: <bdi>event</bdi>');
      expect(page).toContain('Nothing was grouped yet.');
      expect(page).toContain('2 reports wait to be grouped');
      const waiting = await store.db.selectFrom('outlet_items').select('id').where('group_id', 'is', null).execute();
      expect(waiting).toHaveLength(2);
    });

    it('shows the groups of a state and a window, a page at a time', async () => {
      const desk = await openRoundupDesk(await open());
      const [three, two, one] = desk.groups;
      await desk.byBo(three, { kind: 'drop' });
      await desk.byBo(two, { kind: 'pick', text: 'Ours.' });
      const list = async (query: string) => rows(await desk.read('editor', `/roundup?${query}`));
      expect(await list('')).toEqual([`g${two}`, `g${one}`]);
      expect([await list('show=dropped'), await list('show=picked')]).toEqual([[`g${three}`], [`g${two}`]]);
      expect(await list('show=all&newsletter=daily-roundup')).toHaveLength(3);
      expect(await list('show=nonsense&limit=-1&after=x&newsletter=none')).toEqual([`g${two}`, `g${one}`]);
      expect(await desk.read('editor', '/roundup?show=by-rule')).toContain('is “let in by a rule”');
      for (let minute = 0; minute < 30; minute++) await storeGroup(desk.app.store.db, [report('Flood', 60 + minute)]);
      const first = await desk.read('editor', '/roundup?limit=25');
      const [, address = ''] = /rel="next" href="\/desk([^"]+)">7 more groups</.exec(first) ?? [];
      const second = await desk.read('editor', address.replaceAll('&amp;', '&'));
      expect([rows(first).length, rows(second).length]).toEqual([25, 7]);
      expect(new Set([...rows(first), ...rows(second)]).size).toBe(32);
      expect(second).toContain('First page');
    });

    it('stores sentences in its rows, which pick, and goes on to the next row', async () => {
      const desk = await openRoundupDesk(await open());
      const [three, two, one] = desk.groups;
      const page = await desk.read('editor', '/roundup?limit=25');
      const fields = { ...desk.fieldsOf(page, `/roundup/g${three}/pick`), text: 'In our words.' };
      const response = await desk.post('editor', `/roundup/g${three}/pick`, fields);
      expect(response.headers.get('Location')).toBe(`/desk/roundup?limit=25#text-${two}`);
      expect((await desk.group(three)).decision).toMatchObject({ state: 'picked', text: 'In our words.' });
      const headline = { headline: 'Our headline', section: 'world' };
      await desk.byBo(two, { kind: 'pick', text: 'First.', ...headline });
      const edited = await desk.send(two, 'edit', { text: 'Second.' }, await desk.read('editor', '/roundup'));
      expect((await desk.group(two)).decision).toMatchObject({ text: 'Second.', ...headline });
      expect(edited).toMatch(/rows="1"[^>]*>\nSecond\.<\/textarea>/);
      await desk.send(two, 'edit', {}, edited);
      expect((await desk.group(two)).decision).toMatchObject({ text: 'First.', ...headline });
      const last = { ...desk.fieldsOf(page, `/roundup/g${one}/drop`) };
      expect((await desk.post('editor', `/roundup/g${one}/drop`, last)).headers.get('Location')).toMatch(
        `#open-${two}`,
      );
    });

    it('shows a sentence that was refused in its row again, beside what another editor has stored', async () => {
      const desk = await openRoundupDesk(await open());
      const [three, two] = desk.groups;
      const page = await desk.read('editor', '/roundup');
      const store = (id: number, text: string, from = page) => {
        const act = from.includes(`/roundup/g${id}/edit"`) ? 'edit' : 'pick';
        return desk.post('editor', `/roundup/g${id}/${act}`, {
          ...desk.fieldsOf(from, `/roundup/g${id}/${act}`),
          text,
        });
      };
      const empty = await store(three, ' ');
      const shown = await empty.text();
      expect([empty.status, rows(shown)]).toEqual([422, desk.groups.map((id) => `g${id}`)]);
      expect(shown).toMatch(new RegExp(`id="text-${three}-error">The sentence is empty`));
      await desk.byBo(three, { kind: 'pick', text: 'Theirs.' });
      const late = await store(three, 'Mine.');
      const both = await late.text();
      expect(late.status).toBe(409);
      expect(both).toContain('Bo changed it since you looked. Bo picked it: “Theirs.”.');
      expect(both).toContain('\nMine.</textarea>');
      expect(both).toContain('<h3>Theirs: <bdi>Bo</bdi></h3><pre dir="auto"><mark>Theirs</mark>.</pre>');
      expect(both).toContain('<h3>Yours</h3><pre dir="auto"><mark>Mine</mark>.</pre>');
      expect((await desk.group(three)).decision).toMatchObject({ text: 'Theirs.' });
      expect((await store(three, 'Mine.', both)).status).toBe(303);
      expect((await desk.group(three)).decision).toMatchObject({ text: 'Mine.' });
      // Without a row, the page of the group has the text.
      await desk.byBo(two, { kind: 'drop' });
      const dropped = await (await store(two, 'Still mine.')).text();
      expect([dropped.includes('Still mine.</textarea>'), rows(dropped)]).toEqual([true, []]);
    });

    it('finds groups by words, outlets and newsletter, keeps that after an act, and says how many', async () => {
      const desk = await openRoundupDesk(await open());
      const { db } = desk.app.store;
      const [three, two, one] = desk.groups;
      const harbour = report('Fourth', 40, { title: 'Öresund: 台风登陆 closes the harbour' });
      const id = (await storeGroup(db, [harbour]))[0]?.id as number;
      const list = async (query: string) => rows(await desk.read('editor', `/roundup?${query}`));
      for (const words of ['HARB ore', 'harbour fourth', '风登']) {
        expect(await list(`q=${encodeURIComponent(words)}`)).toEqual([`g${id}`]);
      }
      expect(await list('q=second+event')).toEqual([`g${three}`, `g${two}`]);
      expect(await list('outlet=THIRD+wire')).toEqual([`g${three}`, `g${one}`]);
      expect(await list('outlets=2&q=wire')).toEqual([`g${three}`]);
      await queueEdition(desk.app.store, 0, { cutoffAt: NOW - 15 * MINUTE });
      expect(await list('newsletter=daily-roundup')).toEqual([`g${three}`]);
      expect(await list('outlets=0&newsletter=nonsense')).toHaveLength(4);
      const page = await desk.read('editor', '/roundup?q=harbour&outlets=1');
      expect(page).toMatch(/1 of\s4 groups\./);
      const dropped = await desk.send(id, 'drop', {}, page);
      expect(dropped).toContain('No group matches. Fewer words or filters find more');
      expect(dropped).toMatch(/value="harbour"/);
      expect(rows(await desk.send(id, 'restore', {}, dropped))).toEqual([`g${id}`]);
    });

    it('drops from a row and restores by the notice, each with a row of the audit log', async () => {
      const desk = await openRoundupDesk(await open());
      const [three] = desk.groups;
      const page = await desk.read('editor', '/roundup?limit=25');
      const dropped = await desk.send(three, 'drop', {}, page);
      expect(rows(dropped)).not.toContain(`g${three}`);
      expect(dropped).toContain('Dropped “The Example on event 1”.');
      expect(dropped).toMatch(/<option value="25" selected>/);
      const restored = await desk.send(three, 'restore', {}, dropped);
      expect(restored).toContain('it is neither picked nor dropped');
      expect(await desk.audit()).toEqual([
        { actor: 'Edda Moreno', act: 'roundup.drop', subject: `g${three}`, detail: {} },
        { actor: 'Edda Moreno', act: 'roundup.restore', subject: `g${three}`, detail: {} },
      ]);
    });

    it('merges the marked groups, and splits them again by the notice', async () => {
      const desk = await openRoundupDesk(await open());
      const [three, two, one] = desk.groups;
      const page = await desk.read('editor', '/roundup');
      const marks = [...page.matchAll(/name="group"\s+id="mark-\d+" value="([\d,]+)"/g)].map(
        ([, items]) => items ?? '',
      );
      expect(marks).toHaveLength(3);
      const hidden = Object.entries(desk.fieldsOf(page, '/roundup/merge'));
      const merge = (...groups: string[]) =>
        desk.act('editor', '/roundup/merge', [...hidden, ...groups.map((items): [string, string] => ['group', items])]);
      expect(await merge(marks[0] ?? '')).toContain('Mark two groups or more');
      const merged = await merge(marks[0] ?? '', marks[1] ?? '');
      expect(rows(merged)).toEqual([`g${three}`, `g${one}`]);
      expect((await desk.group(three)).items).toHaveLength(5);
      expect(rows(await desk.send(three, 'split', {}, merged))).toHaveLength(3);
      expect([(await desk.group(three)).items.length, (await desk.group(two)).items.length]).toEqual([3, 2]);
      expect((await desk.audit()).map(({ act, detail }) => [act, detail])).toEqual([
        ['roundup.merge', { groups: [three, two] }],
        ['roundup.split', { reports: (await desk.group(two)).items.map(({ id }) => id) }],
      ]);
    });
  });
});

describe('the list of the roundup', () => {
  it('names the outlets whose reports no rule counts, where there is a rule', async () => {
    const store = await openMigrated();
    const [plain, ruled] = [await openRoundupDesk(store), await openMigrated()];
    expect(await plain.read('editor', '/roundup')).not.toContain('not certain');
    const desk = await openRoundupDesk(ruled, {
      edit: (yaml) => yaml.replace('- id: daily-roundup', '- id: daily-roundup\n    autoPick: true'),
    });
    const [three] = desk.groups;
    const [, doubtful] = (await desk.group(three)).items;
    const uncertain = ruled.db.updateTable('outlet_items').set({ certain: 0 });
    await uncertain.where('id', '=', doubtful?.id as number).execute();
    const page = await desk.read('editor', '/roundup');
    expect(page.match(/not certain<\/span> <bdi>Second Post<\/bdi><\/p>/g)).toHaveLength(1);
    expect(await desk.read('editor', `/roundup/g${three}`)).toMatch(/not certain: no rule counts it/);
    await desk.byBo(three, { kind: 'pick', text: 'Ours.' });
    expect(await desk.read('editor', '/roundup')).not.toContain('not certain');
  });

  it('has an address that says what it shows, and is read back as it was, whatever somebody searches for', () => {
    const text = anyText(200);
    const given = fc.record({ q: text, outlet: text, newsletter: text, show: text, outlets: text, limit: text });
    fc.assert(
      fc.property(given, (fields) => {
        const query = parseListQuery(new URLSearchParams(fields));
        expect(query.words.length).toBeLessThanOrEqual(100);
        expect(parseBackQuery(listPath(query))).toEqual(query);
      }),
    );
  });

  it('stays where it is, and says why, where another editor was first with a row', async () => {
    const desk = await openRoundupDesk(await openMigrated());
    const [three, two] = desk.groups;
    const page = await desk.read('editor', '/roundup');
    await desk.byBo(three, { kind: 'pick', text: 'Theirs.' });
    const refused = await desk.send(three, 'drop', {}, page);
    expect(rows(refused)).toHaveLength(3);
    expect(refused).toContain('Bo changed it since you looked. Bo picked it: “Theirs.”. Nothing was changed.');
    const groups = [three, two].map((id): [string, string] => ['group', String(id)]);
    const fields = Object.entries(desk.fieldsOf(page, '/roundup/merge'));
    expect(await desk.act('editor', '/roundup/merge', [...fields, ...groups])).toContain('Nothing was changed.');
    expect((await desk.group(three)).items).toHaveLength(3);
  });

  it('names groups that are perhaps the same, and sources whose reports are missing', async () => {
    const store = await openMigrated();
    const source = '{ id: held-one, url: "https://held.example.com/rss", use: roundup, outlet: Held }';
    const desk = await openRoundupDesk(store, {
      edit: (yaml) => `${yaml}\nsources:\n  - ${source}\n`,
    });
    const [three, two] = desk.groups;
    const task = await readGroupingTask(store.db, { now: NOW - 2 * MINUTE, windowMs: 26 * HOUR, language: 'en' });
    await writeGrouping(store, task, { groups: [], suggestions: [{ groupId: three, otherId: two, similarity: 0.4 }] });
    const page = await desk.read('editor', '/roundup');
    expect(page).toMatch(
      new RegExp(`Perhaps the same as <a id="like-${three}-${two}"\\s+href="/desk/roundup/g${two}">`),
    );
    const merged = await desk.send(three, 'merge', {}, page);
    expect(rows(merged)).not.toContain(`g${two}`);
    expect(rows(await desk.send(three, 'split', {}, merged))).toContain(`g${two}`);
    expect(page).toMatch(/Grouped <time[^>]*>2 min ago<\/time>/);
    expect(page).toContain('1 source not polled yet. See <a href="/desk/sources">');
  });

  it('links to no address that is a script', async () => {
    const store = await openMigrated();
    const desk = await openRoundupDesk(store);
    const [item] = await storeGroup(store.db, [
      report('a', 1, { url: 'javascript:alert(1)' }),
      report('b', 2, { imageUrl: 'javascript:alert(3)' }),
    ]);
    for (const path of ['/roundup', `/roundup/g${item?.id}`]) {
      expect(await desk.read('editor', path)).not.toMatch(/(?:href|src)="javascript:/i);
    }
  });

  it('shows an operator no act', async () => {
    const desk = await openRoundupDesk(await openMigrated());
    const [three] = desk.groups;
    for (const path of ['/roundup', `/roundup/g${three}`]) {
      expect(await desk.read('operator', path)).not.toMatch(/\/drop"|\/merge"|\/pick"/);
    }
  });
});
