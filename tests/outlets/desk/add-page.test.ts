import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { findArticle } from '../../../src/articles/queries.ts';
import { openSite } from '../../own-sites/test-site.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { openRoundupDesk } from './roundup-desk.ts';

const PAGE =
  '<title>Ferry Line Orders Ships</title><meta property="og:site_name" content="The Example">' +
  '<meta property="article:published_time" content="2026-11-24T02:15:00Z"><p>Text.</p>';

/** An outlet on this machine, which daywire may ask. */
async function openOutlet(...[store]: Parameters<typeof openRoundupDesk>) {
  const outlet = new Hono()
    .get('/report', (c) => c.html(PAGE))
    .get('/untitled', (c) => c.html('<p>Nothing.</p>'))
    .get('/hostile', (c) => c.html('<title>&lt;script&gt;alert(1)&lt;/script&gt;</title>'))
    .get('/login', (c) => c.text('no', 401));
  const site = await openSite(outlet);
  const desk = await openRoundupDesk(store, { edit: (yaml) => `${yaml}\nfetch: { allow: [127.0.0.0/8] }\n` });
  return { site, desk };
}

forEachDatabase((open) => {
  describe('adding a report by its address', () => {
    it('reads the page, and leads to its group, where it can be picked', async () => {
      const { site, desk } = await openOutlet(await open());
      const group = await desk.act('editor', '/roundup/add', { url: `${site.url}/report` });
      expect(group).toContain('Added “Ferry Line Orders Ships” of The Example.');
      expect(group).toMatch(/<h1 dir="auto">Ferry Line Orders Ships<\/h1>/);
      expect(group).toContain('/pick"');
      const [entry] = await desk.audit();
      expect(entry).toMatchObject({ act: 'roundup.add', subject: expect.stringMatching(/^g\d+$/) });
      const again = await desk.act('editor', '/roundup/add', { url: `${site.url}/report`, title: 'Other' });
      expect(again).toContain('Known already: “Ferry Line Orders Ships”');
      expect(again).toContain('keeps its title, outlet and date');
      expect(await desk.audit()).toHaveLength(1);
    });

    it('picks it at once with a sentence', async () => {
      const { site, desk } = await openOutlet(await open());
      const fields = { url: `${site.url}/report`, text: 'Our sentence.', section: 'world' };
      const page = await desk.act('editor', '/roundup/add', fields);
      expect(page).toContain('Added and picked “Ferry Line Orders Ships”');
      const [, id = ''] = /\/desk\/articles\/(roundup-\d+)/.exec(page) ?? [];
      expect(await findArticle(desk.app.store.db, id)).toMatchObject({
        ...{ section: 'world', outlet: { name: 'The Example' } },
        body: { source: 'Our sentence.' },
      });
      expect((await desk.audit()).map(({ act }) => act)).toEqual(['roundup.add', 'roundup.pick']);
      const refused = await desk.post('editor', '/roundup/add', { ...fields, section: 'none' });
      const group = await refused.text();
      expect(refused.status).toBe(422);
      expect(group).toContain('The report was added, but not picked: There is no section none');
      expect(group).toContain('Our sentence.</textarea>');
    });
  });
});

describe('adding a report by its address', () => {
  it('shows what the page says before anything is added, in fields that can be corrected', async () => {
    const { site, desk } = await openOutlet(await openMigrated());
    const count = async () => (await desk.app.store.db.selectFrom('outlet_items').select('id').execute()).length;
    const before = await count();
    const url = `${site.url}/report`;
    const page = await desk.act('editor', '/roundup/add/read', { url, text: 'Kept.' });
    expect(page).toContain('What the page says');
    expect(page).toMatch(/name="title"[^>]*value="Ferry Line Orders Ships"/);
    expect(page).toMatch(/name="published"[^>]*value="2026-11-24 10:15"/);
    expect(page).toContain('Kept.</textarea>');
    expect(await count()).toBe(before);
    expect(await desk.act('editor', '/roundup/add/read', { url: `${site.url}/hostile` })).not.toContain(
      '<script>alert',
    );
    const added = await desk.act('editor', '/roundup/add', { url, title: 'Corrected', outlet: 'The Outlet' });
    expect(added).toContain('Added “Corrected” of The Outlet.');
  });

  it('asks for title and outlet beside the reason where the page cannot be read, and adds it with them', async () => {
    const { site, desk } = await openOutlet(await openMigrated());
    const url = 'https://nowhere.invalid/report';
    const refused = await desk.post('editor', '/roundup/add', { url: 'nowhere.invalid/report' });
    const page = await refused.text();
    expect(refused.status).toBe(422);
    expect(page).toMatch(/id="url-error"[^>]*>https:\/\/nowhere.invalid\/report cannot be read: [^<]*\./);
    expect(page).not.toMatch(/ENOTFOUND|as the page says/);
    expect(page).not.toContain('--title');
    expect(page).toContain('id="title-error"');
    expect((await desk.post('editor', '/roundup/add/read', { url: `${site.url}/login` })).status).toBe(422);
    const own = { url, title: 'Ours', outlet: 'Elsewhere' };
    expect(await desk.act('editor', '/roundup/add', own)).toContain('Added “Ours” of Elsewhere.');
  });

  it('names the field that is wrong, and keeps what was typed', async () => {
    const { site, desk } = await openOutlet(await openMigrated());
    const errors = async (fields: Record<string, string>) => {
      const text = await (await desk.post('editor', '/roundup/add', { text: 'Typed.', ...fields })).text();
      expect(text).toContain('Typed.</textarea>');
      return [...text.matchAll(/<p class="error" id="([a-z-]+)"[^>]*>([^<]*)/g)].map(
        ([, id, error]) => `${id}: ${error}`,
      );
    };
    const url = `${site.url}/report`;
    expect(await errors({ url: 'javascript:alert(1)' })).toEqual([
      expect.stringMatching(/^url-error: .*http or https/),
    ]);
    // Not in a time that grows with the square of its length.
    expect(await errors({ url: `${'a.'.repeat(30_000)}@` })).toEqual([expect.stringMatching(/^url-error: /)]);
    expect(await errors({ url, outlet: 'x'.repeat(101) })).toEqual([
      'outlet-error: The outlet has 101 characters: at most 100 are allowed.',
    ]);
    expect(await errors({ url: `${site.url}/untitled` })).toEqual([
      'title-error: The headline is not on the page: write one.',
    ]);
  });
});
