import { describe, expect, it } from 'vitest';
import type { Store } from '../../../../src/core/store/store.ts';
import { readDraft, readDraftLog } from '../../../../src/editions/draft/draft-store.ts';
import { type DraftRequest, editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { HOUR } from '../../../../src/lib/time.ts';
import { openTestDesk } from '../../../app/desk/test-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import type { TestAppOptions } from '../../../support/test-app.ts';
import { openFiveStories } from '../../draft/draft-steps.ts';

/** 07:30 on November 25 in Shanghai: the next slot. */
const PATH = '/editions/daily-roundup/2026-11-25/draft';
async function openEdition(store: Store, options: TestAppOptions = {}) {
  const desk = await openTestDesk(store, options);
  const { app } = desk;
  const target = await openFiveStories(app);
  const { newsletter } = target;
  const readBlock = (page: string, block: string): string[] => {
    const [, list = ''] = page.split(`<ol class="rows" aria-labelledby="block-${block}"`);
    return [...(list.split('</ol>')[0] ?? '').matchAll(/data-drag-item="([^"]*)"/g)].map(([, id]) => id as string);
  };
  return {
    ...{ desk, app, target },
    readBlock,
    page: () => desk.read('editor', PATH),
    /** Posts an act of the page as the editor, with the draft's revision as seen. */
    act: async (act: string, fields: Record<string, string> = {}) => {
      const { revision } = await readDraft(store.db, newsletter.id, target.slot);
      return desk.act('editor', `${PATH}/${act}`, { seen: String(revision), ...fields });
    },
    /** Another editor. */
    other: (request: DraftRequest) => editDraft(app, target, 'Bob', request),
    draft: () => readDraft(store.db, newsletter.id, target.slot),
    log: () => readDraftLog(store.db, newsletter.id, target.slot.label),
  };
}

describe('the page of an edition', () => {
  forEachDatabase((open) => {
    it('is found from the newsletter, and shows the stories in their blocks and what is left out', async () => {
      const { desk, page, readBlock } = await openEdition(await open());
      const next = await desk.get('editor', '/editions/daily-roundup/next');
      expect([next.status, next.headers.get('Location')]).toEqual([302, `/desk${PATH}`]);
      const all = await desk.get('editor', '/edition?view=text');
      expect(all.headers.get('Location')).toBe('/desk/editions/daily-roundup/next?view=text');
      const viewed = await desk.get('editor', '/editions/daily-roundup/next?view=text');
      expect(viewed.headers.get('Location')).toBe(`/desk${PATH}?view=text`);
      const shown = await page();
      expect(readBlock(shown, 'lead')).toEqual(['first']);
      expect(readBlock(shown, 'news')).toEqual(['second', 'third', 'fourth', 'fifth']);
      expect(shown).toContain('closes by itself <time datetime="2026-11-24T23:30:00Z"');
      expect(shown).toContain('href="/desk/articles/second"');
      // The script names colleagues there.
      expect(shown).toMatch(/<body [^>]* data-presence>[\s\S]*<p id="presence"/);
      expect(shown).toContain('too old</span>');
      expect(shown).toMatch(/data-topics="draft:daily-roundup\/2026-11-25 articles"/);
      for (const path of ['/editions/none/next', '/editions/daily-roundup/2026-11-25-0101/draft']) {
        expect((await desk.get('editor', path)).status).toBe(404);
      }
    });

    it('moves a story by each of its buttons, and by drag', async () => {
      const { act, readBlock } = await openEdition(await open());
      const news = async (fields: Record<string, string>) => readBlock(await act('move', fields), 'news');
      const from = { from: 'news' };
      expect(await news({ ...from, story: 'third', before: 'second' })).toEqual(['third', 'second', 'fourth', 'fifth']);
      expect(await news({ ...from, story: 'second', after: 'fourth' })).toEqual(['third', 'fourth', 'second', 'fifth']);
      expect(await news({ ...from, story: 'fifth', place: 'first' })).toEqual(['fifth', 'third', 'fourth', 'second']);
      expect(await news({ ...from, story: 'fifth', place: 'last' })).toEqual(['third', 'fourth', 'second', 'fifth']);
      const moved = await act('move', { ...from, story: 'fourth', block: 'analysis' });
      expect(readBlock(moved, 'analysis')).toEqual(['fourth']);
      const drag = { block: 'news', before: '' };
      expect(await news({ ...drag, story: 'fourth' })).toEqual(['third', 'second', 'fifth', 'fourth']);
      expect(await news({ ...drag, story: 'old', before: 'third' })).toEqual(
        expect.arrayContaining(['old', 'third', 'second']),
      );
    });

    it('drops, restores and pins a story, and records each act with its account in one transaction', async () => {
      const { desk, act, readBlock, log } = await openEdition(await open());
      const dropped = await act('drop', { story: 'third' });
      expect(readBlock(dropped, 'news')).toEqual(['second', 'fourth', 'fifth']);
      expect(dropped).toContain('Dropped “Headline of third”.');
      expect(dropped).toContain('<span class="break">dropped</span>');
      expect(readBlock(await act('restore', { story: 'third' }), 'news')).toContain('third');
      const pinned = await act('pin', { story: 'old' });
      expect(readBlock(pinned, 'latest').concat(readBlock(pinned, 'news'), readBlock(pinned, 'lead'))).toContain('old');
      expect(pinned).toContain('<span class="badge plain">pinned</span>');
      expect(await desk.audit()).toEqual(
        [
          ['edition.drop', 'third'],
          ['edition.restore', 'third'],
          ['edition.pin', 'old'],
        ].map(([name, story]) => ({
          ...{ actor: desk.accounts.editor.name, act: name, subject: 'daily-roundup/2026-11-25', detail: { story } },
        })),
      );
      expect((await log()).map(({ editor }) => editor)).toEqual(Array(3).fill(desk.accounts.editor.name));
      // Nothing changes, and nothing is recorded.
      expect(await act('drop', { story: 'none' }).catch(String)).toContain('422');
      expect(await act('pin', { story: 'old' })).toContain('Nothing to change.');
      expect(await desk.audit()).toHaveLength(3);
    });

    it('writes the texts, shows the automatic ones, and goes back to them', async () => {
      const { act, draft } = await openEdition(await open());
      const page = await act('subject', { text: 'Hello' });
      expect(page).toMatch(/id="subject"[^>]*data-counter="60"[^>]*value="Hello"/);
      expect(page).toContain('Automatic: Tech Roundup: Headline of first, Headline of second');
      // It would cut off the end of a text that is pasted.
      expect(page.match(/<(?:input|textarea)[^>]*(?:subject|preheader|note)[^>]*maxlength/g)).toBeNull();
      await act('preheader', { text: 'What happened' });
      await act('note', { text: 'A *note*\n\nof two' });
      expect((await draft()).decisions).toMatchObject({
        ...{ subject: 'Hello', preheader: 'What happened', note: 'A *note*\n\nof two' },
      });
      for (const field of ['subject', 'preheader', 'note']) await act(field, { text: 'x', automatic: '1' });
      expect((await draft()).decisions).toMatchObject({ subject: null, preheader: null, note: null });
    });

    it('shows a refused text with what was typed, and the error beside it', async () => {
      const { desk, draft } = await openEdition(await open());
      const long = 'x'.repeat(201);
      for (const [text, error] of [
        [long, 'The subject has 201 characters: at most 200 are allowed.'],
        [' ', 'The subject is empty: write one, or leave the automatic one.'],
      ] as const) {
        const response = await desk.post('editor', `${PATH}/subject`, { seen: '0', text });
        expect(response.status).toBe(422);
        const page = await response.text();
        expect(page).toContain(`<p class="error" id="subject-error">${error}</p>`);
        expect(page).toContain(`value="${text}"`);
      }
      expect((await draft()).revision).toBe(0);
    });

    it('shows both texts of a conflict, keeps mine where I say so, and theirs otherwise', async () => {
      const { desk, other, draft } = await openEdition(await open());
      await other({ kind: 'subject', text: 'Ferry burns & sinks' });
      const response = await desk.post('editor', `${PATH}/subject`, { seen: '0', text: 'Ferry burns' });
      expect(response.status).toBe(409);
      const page = await response.text();
      expect(page).toMatch(
        /Theirs: <bdi>[^<]+<\/bdi><\/h3><pre dir="auto">Ferry burns<mark> &amp; sinks<\/mark><\/pre>/,
      );
      expect(page).toContain('<h3>Yours</h3><pre dir="auto">Ferry burns</pre>');
      // Once, at the field.
      expect(page.match(/has changed it, too|changed the same|class="errors"|role="alert"[^>]*>[^<\s]/g)).toHaveLength(
        1,
      );
      expect(page).toContain('<p class="error" id="subject-error">Not saved: ');
      expect(page).toContain(`<a id="take-theirs" href="/desk${PATH}">Take theirs</a>`);
      // The form has mine, to be merged by hand.
      expect(page).toMatch(/name="seen" value="1">[^?]*id="subject"[^>]* value="Ferry burns"/);
      expect((await draft()).decisions.subject).toBe('Ferry burns & sinks');
      expect(await desk.audit()).toEqual([]);
      await desk.act('editor', `${PATH}/subject`, { seen: '1', text: 'Ferry burns' });
      expect((await draft()).decisions.subject).toBe('Ferry burns');
    });

    it('shows a text again after signing in, and still finds that a colleague has changed it', async () => {
      const { desk, other, draft } = await openEdition(await open());
      await other({ kind: 'note', text: 'Theirs' });
      const kept = { kept: `/desk${PATH}/note`, 'kept-seen': '0', 'kept-text': 'Mine' };
      const page = await (await desk.post('editor', `${PATH}/note`, kept)).text();
      expect(page).toContain('You are signed in as Edda Moreno. Nothing has been saved yet.');
      expect(page).toMatch(/name="seen" value="0">[^?]*id="note"[^>]*>\nMine<\/textarea>/);
      expect((await desk.post('editor', `${PATH}/note`, { seen: '0', text: 'Mine' })).status).toBe(409);
      expect((await draft()).decisions.note).toBe('Theirs');
    });

    it('undoes and redoes, by the notice, the log and the buttons, but not what another editor did', async () => {
      const { desk, act, other, page, draft } = await openEdition(await open());
      const dropped = await act('drop', { story: 'third' });
      expect(dropped).toMatch(/<input type="hidden" name="entry" value="1">[\s\S]*id="undo-notice"/);
      await act('undo', { entry: '1' });
      expect((await draft()).decisions.stories).toEqual({});
      expect(await act('redo')).toContain('Redo of: dropped “');
      expect((await draft()).decisions.stories).toEqual({ third: { kind: 'dropped' } });
      await other({ kind: 'subject', text: 'From Bob' });
      const shown = await page();
      expect(shown).toContain('id="undo-3"');
      expect(shown).not.toContain('id="undo-4"');
      // The log leads to the stories.
      for (const path of ['', '/log']) {
        const text = await desk.read('editor', PATH + path);
        expect(text.slice(text.indexOf('id="log"'))).toMatch(
          /dropped “<a href="\/desk\/articles\/third" dir="auto">[^<]+<\/a>”/,
        );
      }
      const refused = await desk.post('editor', `${PATH}/undo`, { entry: '4' });
      expect(refused.status).toBe(422);
      expect(await refused.text()).toContain('cannot undo the entry 4');
      await act('undo');
      expect((await draft()).decisions).toMatchObject({ stories: {}, subject: 'From Bob' });
    });

    it('marks stories that are new, changed, corrected or moved', async () => {
      const store = await open();
      const { act, page } = await openEdition(store);
      await act('move', { story: 'third', from: 'news', before: 'second' });
      const status = { state: 'corrected', note: 'It was two.', at: NOW } as const;
      await saveAll(store, [
        article('sixth', { publishedAt: NOW - 6 * HOUR }),
        article('fourth', { publishedAt: NOW - 4 * HOUR, status }),
      ]);
      const rows = (await page()).split('<li data-row');
      const marksOf = (id: string) =>
        [
          ...(rows.find((row) => row.includes(`id="story-${id}"`)) ?? '').matchAll(/class="badge [a-z]+">([^<]*)</g),
        ].map(([, mark]) => mark);
      expect(marksOf('third')).toEqual(['moved']);
      expect(marksOf('fourth')).toEqual(['corrected']);
      expect(marksOf('sixth')).toEqual(['new']);
      expect(marksOf('second')).toEqual([]);
    });

    it('finds words in its stories and in all articles, and adds what the rules allow', async () => {
      const store = await open();
      const { desk, act, page } = await openEdition(store);
      await saveAll(store, [
        article('ferry', { publishedAt: NOW - 90 * 24 * HOUR, headline: 'Ferries of Second Street' }),
        article('sketch', { publishedAt: NOW - HOUR, headline: 'A second sketch', status: { state: 'draft' } }),
      ]);
      const shown = await desk.read('editor', `${PATH}?q=second`);
      const rowOf = (id: string) => shown.split('<li data-row').find((row) => row.includes(`id="${id}"`)) ?? '';
      expect(rowOf('story-second')).not.toMatch(/^[^>]* hidden>/);
      expect(rowOf('story-third')).toMatch(/^[^>]* hidden>/);
      expect(rowOf('found-second')).toContain('<a href="#story-second">in the edition</a>');
      expect(rowOf('found-sketch')).toMatch(/class="hint facts"><span class="break">draft<\/span>/);
      expect(rowOf('found-sketch')).not.toContain('<button');
      expect(rowOf('found-ferry')).toContain('too old</span>');
      expect(rowOf('found-ferry')).toMatch(/formaction="\/desk[^"]*\/pin"[^>]* id="add-ferry"/);
      const added = await act('pin', { story: 'ferry' });
      expect(added).toContain('id="x-ferry"');
      expect(await page()).not.toContain('id="found-title"');
      expect(await desk.read('editor', `${PATH}?q=nowhere`)).toContain('No article has these words');
      expect(await desk.read('operator', `${PATH}?q=second`)).not.toContain('id="add-');
    });

    it('shows an account that may only read no forms', async () => {
      const { desk } = await openEdition(await open());
      const shown = await desk.read('operator', PATH);
      expect(shown).not.toContain(`${PATH}/`);
      expect(shown).toContain('Headline of second');
    });
  });
});
