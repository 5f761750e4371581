import { describe, expect, it } from 'vitest';
import type { Article } from '../../../src/articles/article.ts';
import { readStoredArticle } from '../../../src/articles/edits/stored-article.ts';
import { findArticle } from '../../../src/articles/queries.ts';
import { INDEXED_TO, writeMeta } from '../../../src/core/store/meta.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { openTestDesk, type TestDesk } from '../../app/desk/test-desk.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';

const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)> & 'quotes'`;

async function digestOf({ app }: TestDesk, id: string): Promise<string> {
  return (await readStoredArticle(app.store.db, id))?.digest ?? '';
}

/** The fields of a form as a browser sends them. */
function formFields(page: string): Record<string, string> {
  const unescaped = (text: string): string =>
    text
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
  const form = /<form method="post" action="[^"]*\/(?:edit|new|retract)"[\s\S]*?<\/form>/.exec(page)?.[0] ?? '';
  const fields: Record<string, string> = {};
  for (const [tag] of form.matchAll(/<input [^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1] ?? '';
    const isOff = /type="(?:radio|checkbox)"/.test(tag) && !/ checked/.test(tag);
    // Tests post them as another account, too.
    if (!isOff && name !== 'page-account') fields[name] = unescaped(/ value="([^"]*)"/.exec(tag)?.[1] ?? '');
  }
  for (const [, name = '', value = ''] of form.matchAll(
    /<textarea [^>]*name="([^"]*)"[^>]*>\n?([\s\S]*?)<\/textarea>/g,
  )) {
    fields[name] = unescaped(value).replaceAll('\n', '\r\n');
  }
  for (const [, name = '', options = ''] of form.matchAll(/<select [^>]*name="([^"]*)"[^>]*>([\s\S]*?)<\/select>/g)) {
    fields[name] = unescaped(/value="([^"]*)" selected/.exec(options)?.[1] ?? '');
  }
  return fields;
}

forEachDatabase((open) => {
  const openDesk = async (articles: Article[] = [article('one')]): Promise<TestDesk> => {
    const desk = await openTestDesk(await open());
    await saveAll(desk.app.store, articles);
    return desk;
  };

  describe('/desk/articles', () => {
    it('finds articles by words, id, slug and address, with what they are', async () => {
      const retracted: Article['status'] = { state: 'retracted', note: 'Wrong.', at: NOW };
      const desk = await openDesk([
        article('ferry', { headline: 'Ferry Burns off Naxos', slug: 'ferry-burns' }),
        article('rates', { headline: '央行下调利率', status: retracted, pinned: true }),
      ]);
      const url = desk.app.config.publication.url;
      for (const query of [
        'nax fer',
        'ferry',
        'ferry-burns',
        `${url}/articles/ferry-burns?utm=1`,
        'tag:x,2026:articles/ferry',
      ]) {
        const page = await desk.read('operator', `/articles?q=${encodeURIComponent(query)}`);
        expect(page.match(/<tr [^>]*data-row/g)).toHaveLength(1);
        expect(page).toContain('Ferry Burns off Naxos');
      }
      for (const filter of ['state=retracted', 'kind=feature', 'section=world']) {
        expect(await desk.read('editor', `/articles?q=ferry-burns&${filter}`)).toContain('No article');
      }
      expect(await desk.read('editor', '/articles?q=ferry-burns&state=published&kind=brief')).toContain('Naxos');
      const page = await desk.read('editor', `/articles?q=${encodeURIComponent('利率')}&state=retracted`);
      expect(page).toMatch(/央行下调利率[\s\S]*pinned[\s\S]*▲<\/span> retracted/);
      expect(await desk.read('editor', '/articles?q=%00&state=no&kind=no&section=%00&after=x')).toContain('No article');
    });

    it('says from when articles may be missing while the index is built', async () => {
      const desk = await openDesk();
      expect(await desk.read('editor', '/articles?q=headline')).not.toContain('is being built');
      await writeMeta(desk.app.store.db, INDEXED_TO, JSON.stringify([NOW - HOUR, 'one']));
      expect(await desk.read('editor', '/articles?q=headline')).toMatch(
        /before <time[^>]*>[^<]+<\/time> may be missing/,
      );
      expect(await desk.read('editor', '/articles')).not.toContain('is being built');
    });

    it('leads from page to page', async () => {
      const many = Array.from({ length: 60 }, (_, index) => article(`a${index}`, { publishedAt: NOW - index }));
      const desk = await openDesk(many);
      const first = await desk.read('editor', '/articles?kind=brief');
      expect(first.match(/<tr [^>]*data-row/g)).toHaveLength(50);
      const next = /href="\/desk(\/articles\?[^"]*after=[^"]*)"/.exec(first)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const second = await desk.read('editor', next);
      expect(second.match(/<tr [^>]*data-row/g)).toHaveLength(10);
      expect(second).not.toContain('>Older<');
    });
  });

  describe('/desk/articles/:id', () => {
    it('keeps the text of an article from doing anything', async () => {
      const desk = await openDesk();
      const response = await desk.get('editor', '/articles/one/text');
      const policy = response.headers.get('Content-Security-Policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain('sandbox');
      expect(policy).not.toContain('script-src');
      expect(await response.text()).toContain('<p>Body of one.</p>');
    });

    it('serves an article with the id `new` as any other', async () => {
      const desk = await openDesk([article('new', { headline: 'New as an id' })]);
      expect(await desk.read('editor', '/articles/new')).toContain('New as an id</h1>');
      expect(formFields(await desk.read('editor', '/articles/new/edit')).headline).toBe('New as an id');
    });

    it('answers 404 for an unknown id', async () => {
      const desk = await openDesk();
      for (const path of ['/articles/none', '/articles/%00', '/articles/none/edit', '/articles/none/text']) {
        expect((await desk.get('editor', path)).status).toBe(404);
      }
    });

    it('says what a later import of its file does to an edit', async () => {
      const desk = await openDesk();
      await desk.app.store.db.updateTable('articles').set({ origin: '/news/content/one.md' }).execute();
      const page = await desk.read('editor', '/articles/one/edit');
      expect(page).toContain('The file /news/content/one.md brings this article.');
      expect(page).toContain('<p>What you change here stays until the same field changes there');
    });
  });

  describe('the form of an edit', () => {
    it('changes nothing when it comes back as it was shown, also at a repeated hour', async () => {
      const until = Date.parse('2027-10-31T01:30:00Z');
      const desk = await openTestDesk(await open(), {
        edit: (yaml) => yaml.replace(/zone: \S+/, 'zone: Europe/Berlin'),
      });
      await saveAll(desk.app.store, [
        article('one', { headline: HOSTILE, body: { format: 'markdown', source: '\n\n  x\n<b>\n' } }),
        article('two', { status: { state: 'scheduled', until }, publishedAt: until, section: 'gone' }),
      ]);
      const before = await desk.app.store.db.selectFrom('articles').selectAll().orderBy('id').execute();
      for (const id of ['one', 'two']) {
        const fields = formFields(await desk.read('editor', `/articles/${id}/edit`));
        expect(fields.seen).toBe(before.find((row) => row.id === id)?.digest);
        expect(await desk.act('editor', `/articles/${id}/edit`, fields)).toContain('Nothing was changed.');
      }
      expect(await desk.app.store.db.selectFrom('articles').selectAll().orderBy('id').execute()).toEqual(before);
      expect(await desk.audit()).toEqual([]);
    });

    it('saves with an audit row, and the notice takes it back', async () => {
      const desk = await openDesk();
      const fields = formFields(await desk.read('editor', '/articles/one/edit'));
      const page = await desk.act('editor', '/articles/one/edit', { ...fields, headline: 'Better', notice: 'silent' });
      expect(page).toContain('Changed: headline. It is published: readers see it within seconds.');
      expect(page).toMatch(/<strong>Edda Moreno<\/strong> changed headline/);
      expect(await desk.audit()).toEqual([{ actor: 'Edda Moreno', act: 'article.edit', subject: 'one', detail: {} }]);
      const number = /name="number" value="(\d+)"/.exec(page)?.[1] ?? '';
      const undone = await desk.act('editor', '/articles/one/undo', { number });
      expect(undone).toContain('Headline of one</h1>');
      expect(await desk.act('editor', '/articles/one/undo', { number })).toContain('nothing was taken back');
    });

    it('shows what is wrong beside its field, with what was typed', async () => {
      const desk = await openDesk();
      const fields = formFields(await desk.read('editor', '/articles/one/edit'));
      const typed = { ...fields, headline: ' ', dek: 'My dek', notice: 'correction', note: '' };
      const response = await desk.post('editor', '/articles/one/edit', typed);
      expect(response.status).toBe(422);
      const page = await response.text();
      expect(page).toMatch(/id="headline-error">Give a headline\./);
      expect(page).toMatch(/id="note-error">Write the note/);
      expect(page).toContain('My dek');
      const silent = await desk.post('editor', '/articles/one/edit', { ...fields, headline: 'Other' });
      expect(await silent.text()).toContain('say whether this is a correction');
    });

    it('shows both texts of a conflict, and keeps mine or takes theirs', async () => {
      const desk = await openDesk();
      const mine = {
        ...formFields(await desk.read('editor', '/articles/one/edit')),
        headline: 'Mine',
        notice: 'silent',
      };
      await desk.act('admin', '/articles/one/edit', { ...mine, headline: 'Theirs' });
      const response = await desk.post('editor', '/articles/one/edit', mine);
      expect(response.status).toBe(409);
      const page = await response.text();
      expect(page).toMatch(
        /Theirs: <bdi>Ada Lindqvist<\/bdi>, <time [\s\S]*<mark>Theirs<\/mark>[\s\S]*<mark>Mine<\/mark>/,
      );
      expect(formFields(page).headline).toBe('Mine');
      await desk.act('editor', '/articles/one/edit', formFields(page));
      expect(await desk.read('editor', '/articles/one')).toContain('Mine</h1>');
    });

    it('merges changes of different fields without a question, also those of a file, and says so', async () => {
      const desk = await openDesk();
      const shown = { ...formFields(await desk.read('editor', '/articles/one/edit')), notice: 'silent' };
      await desk.act('admin', '/articles/one/edit', { ...shown, headline: 'Theirs' });
      await saveAll(desk.app.store, [article('one', { headline: 'Theirs', dek: 'Of the file' })]);
      const page = await desk.act('editor', '/articles/one/edit', { ...shown, body: 'Mine' });
      expect(page).toContain(
        'Changed: body. Somebody else has changed headline, dek since you opened it: both are kept.',
      );
      const merged = await findArticle(desk.app.store.db, 'one');
      expect([merged?.headline, merged?.dek, merged?.body.source]).toEqual(['Theirs', 'Of the file', 'Mine']);
    });

    it('asks about the field that both changed alone, and takes the text that was made of both', async () => {
      const desk = await openDesk();
      const shown = { ...formFields(await desk.read('editor', '/articles/one/edit')), notice: 'silent' };
      await desk.act('admin', '/articles/one/edit', { ...shown, headline: 'Ferry burns', kicker: 'Live' });
      const mine = { ...shown, headline: 'Ferry sinks', body: 'Mine' };
      const page = await (await desk.post('editor', '/articles/one/edit', mine)).text();
      expect(page).toContain('Ferry <mark>burns</mark>');
      expect(page).toContain('Ferry <mark>sinks</mark>');
      expect(page).not.toMatch(/<h2>(?!Headline)/);
      await desk.act('editor', '/articles/one/edit', { ...formFields(page), headline: 'Ferry burns and sinks' });
      const merged = await findArticle(desk.app.store.db, 'one');
      expect([merged?.headline, merged?.kicker, merged?.body.source]).toEqual([
        ...['Ferry burns and sinks', 'Live', 'Mine'],
      ]);
    });

    it('asks before a correction note replaces one that a colleague has written since', async () => {
      const desk = await openDesk();
      const shown = { ...formFields(await desk.read('editor', '/articles/one/edit')), notice: 'correction' };
      await desk.act('admin', '/articles/one/edit', { ...shown, dek: 'A', note: 'It was Monday.' });
      const response = await desk.post('editor', '/articles/one/edit', { ...shown, body: 'B', note: 'It was Naxos.' });
      expect(response.status).toBe(409);
      const page = await response.text();
      expect(page).toContain('<h2>State</h2>');
      expect(formFields(page)).toMatchObject({ notice: 'correction', note: 'It was Naxos.', dek: 'A', body: 'B' });
    });

    it('previews the text without storing it', async () => {
      const desk = await openDesk();
      const digest = await digestOf(desk, 'one');
      const response = await desk.post('editor', '/articles/one/preview', {
        ...{ headline: 'New', kicker: '', dek: '', body: 'Plain <script>alert(1)</script><b>bold</b>' },
      });
      expect(response.headers.get('Content-Security-Policy')).toContain('sandbox');
      expect(await response.text()).toMatch(/<h1>New<\/h1>\s*Plain <b>bold<\/b>/);
      expect(await digestOf(desk, 'one')).toBe(digest);
    });

    it('moves an embargo by the clock of the publication', async () => {
      const desk = await openTestDesk(await open(), {
        edit: (yaml) => yaml.replace(/zone: \S+/, 'zone: Europe/Berlin'),
      });
      const status: Article['status'] = { state: 'scheduled', until: NOW + HOUR };
      await saveAll(desk.app.store, [article('one', { status, publishedAt: NOW + HOUR })]);
      const fields = formFields(await desk.read('editor', '/articles/one/edit'));
      const page = await desk.act('editor', '/articles/one/edit', {
        ...fields,
        release: 'at',
        embargo: '2027-03-28T02:30',
      });
      expect(page).toContain('datetime="2027-03-28T01:30:00Z"');
      const again = formFields(await desk.read('editor', '/articles/one/edit'));
      const past = await desk.post('editor', '/articles/one/edit', {
        ...again,
        release: 'at',
        embargo: '2020-01-01T07:30',
      });
      expect(await past.text()).toMatch(/id="embargo-error">The time of publication is over/);
    });
  });

  describe('a retraction', () => {
    it('needs a note, is recorded, and can be taken back', async () => {
      const desk = await openDesk();
      const seen = async () => ({ seen: await digestOf(desk, 'one') });
      const refused = await desk.post('editor', '/articles/one/retract', { note: ' ', ...(await seen()) });
      expect(refused.status).toBe(422);
      expect(await refused.text()).toMatch(/id="retract-note-error">Write the note/);
      const page = await desk.act('editor', '/articles/one/retract', {
        ...{ note: 'The source was wrong.', ...(await seen()) },
      });
      expect(page).toMatch(/▲<\/span> retracted[\s\S]*The source was wrong\./);
      expect(await desk.act('editor', '/articles/one/restore', { note: '', ...(await seen()) })).toContain(
        '●</span> published',
      );
      expect((await desk.audit()).map(({ act }) => act)).toEqual(['article.retract', 'article.restore']);
    });

    it('of an article that somebody has changed since shows that change, and the note to be sent again', async () => {
      const desk = await openDesk();
      const shown = formFields(await desk.read('editor', '/articles/one'));
      const fields = formFields(await desk.read('admin', '/articles/one/edit'));
      await desk.act('admin', '/articles/one/edit', { ...fields, headline: 'Theirs', notice: 'silent' });
      const response = await desk.post('editor', '/articles/one/retract', { ...shown, note: HOSTILE });
      expect(response.status).toBe(409);
      const page = await response.text();
      expect(page).toContain('has been changed since you opened it.');
      expect(page).toMatch(/<strong>Ada Lindqvist<\/strong> changed headline/);
      expect(page).toContain('&lt;script&gt;');
      expect(page).not.toContain('<script>alert');
      await desk.act('editor', '/articles/one/retract', { ...formFields(page), note: 'Wrong.' });
      expect((await findArticle(desk.app.store.db, 'one'))?.status.state).toBe('retracted');
    });
  });

  describe('/desk/briefs/new', () => {
    it('stores a brief once, and shows it', async () => {
      const desk = await openDesk([]);
      const fields = formFields(await desk.read('editor', '/briefs/new'));
      const typed = { ...fields, headline: 'Ferry resumes', body: 'It *runs* again.', section: 'world' };
      const page = await desk.act('editor', '/briefs/new', typed);
      expect(page).toContain('The brief is stored. It is published: readers see it within seconds.');
      expect(page).toContain('It was written at the desk.');
      expect(await desk.act('editor', '/briefs/new', typed)).toContain('The brief was stored before,');
      expect(await desk.audit()).toEqual([
        { actor: 'Edda Moreno', act: 'article.create', subject: fields.id, detail: {} },
      ]);
    });

    it.each([
      [{ release: 'now' }, 'It is published: readers see it within seconds.'],
      [{ release: 'draft' }, 'It is a draft: readers do not see it.'],
      [{ release: 'at', embargo: '2026-11-25T07:30' }, 'It is scheduled: readers see it from 2026-11-25 07:30.'],
    ])('says truly what was done with %j, as time goes by', async (release, text) => {
      const desk = await openDesk([]);
      const fields = formFields(await desk.read('editor', '/briefs/new'));
      // Each reading of the clock is later.
      Object.defineProperty(desk.app, 'now', { get: () => now++ });
      let now = NOW;
      const typed = { ...fields, headline: 'Ferry resumes', body: 'It runs again.', ...release };
      expect(await desk.act('editor', '/briefs/new', typed)).toContain(`The brief is stored. ${text}`);
    });

    it('shows what is wrong beside its field', async () => {
      const desk = await openDesk([]);
      const fields = formFields(await desk.read('editor', '/briefs/new'));
      const typed = {
        ...fields,
        headline: HOSTILE,
        outletName: 'The Courier',
        linkUrl: 'javascript:x',
        linkTitle: 'x',
      };
      const response = await desk.post('editor', '/briefs/new', typed);
      expect(response.status).toBe(422);
      const page = await response.text();
      expect(page).toMatch(/id="body-error">Write one to three sentences\./);
      expect(page).toMatch(/id="outletUrl-error">Give the address of its report/);
      expect(page).toMatch(/id="linkUrl-error">/);
      expect(page).not.toContain('<script>alert');
    });
  });

  it('lets operators read articles, and editors alone change them', async () => {
    const desk = await openDesk();
    expect(await desk.read('operator', '/articles/one')).not.toContain('>Edit<');
    for (const path of ['/articles/one/edit', '/articles/one/retract', '/briefs/new', '/articles/one/undo']) {
      expect((await desk.post('operator', path)).status).toBe(403);
      expect((await desk.post('audience', path)).status).toBe(403);
    }
    expect((await desk.get('audience', '/articles')).status).toBe(403);
  });
});
