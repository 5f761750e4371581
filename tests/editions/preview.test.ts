import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { recordRejection } from '../../src/articles/rejections.ts';
import type { NewsletterConfig } from '../../src/core/config/config.ts';
import { composeSlot } from '../../src/delivery/closing/close.ts';
import { sendTestCopy } from '../../src/delivery/message/test-copy.ts';
import { formatPreview, previewJson } from '../../src/editions/cli/format-preview.ts';
import { findDraftTarget } from '../../src/editions/draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../src/editions/draft/edit-draft.ts';
import { type Preview, writePreview } from '../../src/editions/preview.ts';
import { findEdition } from '../../src/editions/queries.ts';
import { fillHtml, fillText } from '../../src/editions/rendering/placeholders.ts';
import { DAY, HOUR } from '../../src/lib/time.ts';
import { article, saveAll } from '../support/articles.ts';
import { NOW } from '../support/clock.ts';
import { openMigrated } from '../support/databases.ts';
import { openTestApp, type TestApp } from '../support/test-app.ts';

/** 07:30 on November 25 in Shanghai. */
const TOMORROW = NOW + 11.5 * HOUR;

async function withArticles(...articles: ReturnType<typeof article>[]): Promise<TestApp> {
  const store = await openMigrated();
  await saveAll(store, articles);
  return openTestApp(store);
}

function newsletterOf(app: TestApp): NewsletterConfig {
  return app.config.newsletters[0] as NewsletterConfig;
}

async function preview(app: TestApp, slot?: string): Promise<Preview> {
  const outcome = await writePreview(app, newsletterOf(app), slot);
  if (outcome.kind === 'refused') throw new Error(outcome.reason);
  return outcome;
}

describe('a preview', () => {
  it("is the next slot's edition, with its date and window, also below the minimum of stories", async () => {
    const until = TOMORROW - HOUR;
    const app = await withArticles(
      article('today'),
      article('embargoed', { publishedAt: until, status: { state: 'scheduled', until } }),
      article('later', { publishedAt: TOMORROW }),
      article('draft', { publishedAt: NOW - 2 * HOUR, status: { state: 'draft' } }),
      // Inside the window of an edition that went out now.
      article('old', { publishedAt: TOMORROW - 49 * HOUR, headline: 'Old news' }),
    );
    const outcome = await preview(app);
    expect(outcome).toMatchObject({ kind: 'written', stories: 2, isSkipped: true, earlierSlot: null });
    if (outcome.kind !== 'written') return;
    expect(readFileSync(outcome.htmlPath, 'utf8')).toContain('Wednesday, November 25, 2026');
    expect(formatPreview(outcome, newsletterOf(app), 'Asia/Shanghai')).toBe(
      `${outcome.htmlPath}

daily-roundup of 2026-11-25: stories published from 2026-11-23 07:30 until 2026-11-25 07:30 (Asia/Shanghai)
2 stories; the slot would be skipped below 3

in it
  lead  Headline of embargoed  embargoed
  news  Headline of today      today

not in it
  is not public before 2026-11-25 07:30  Headline of later  later
  is a draft                             Headline of draft  draft
  is too old: 2026-11-23 06:30           Old news           old`,
    );
    expect(previewJson(outcome, newsletterOf(app))).toMatchObject({
      slot: '2026-11-25',
      window: { from: '2026-11-22T23:30:00Z', until: '2026-11-24T23:30:00Z' },
      minimumStories: 3,
      articles: [{ id: 'embargoed', block: 'lead', headline: 'Headline of embargoed' }, { id: 'today' }],
      leftOut: [{ id: 'later' }, { id: 'draft' }, { id: 'old' }],
      number: 1,
    });
  });

  it('says what is not in an edition without a story', async () => {
    const app = await withArticles(article('draft', { status: { state: 'draft' } }));
    const place = { stage: 'import', source: 'a.md', line: null, articleId: null } as const;
    await recordRejection(app.store.db, { ...place, problems: ['It is wrong.'], raw: '' }, NOW);
    const outcome = await preview(app);
    expect(outcome.kind).toBe('empty');
    expect(formatPreview(outcome, newsletterOf(app), 'UTC')).toMatch(
      /^daily-roundup of 2026-11-25: .*\n0 stories; the slot would be skipped below 3\n\nnot in it\n {2}is a draft .* draft\n\n1 article was rejected: see "daywire rejected list"$/,
    );
    expect(readdirSync(app.folder)).toEqual([]);
  });

  it('is of any coming slot, and names the edition that comes before it', async () => {
    const until = TOMORROW + DAY;
    const app = await withArticles(
      article('today'),
      ...[1, 2, 3].map((n) => article(`n${n}`, { publishedAt: until - n, status: { state: 'scheduled', until } })),
    );
    const outcome = await preview(app, '2026-11-26');
    expect(outcome).toMatchObject({ slot: { slotAt: until }, stories: 4, isSkipped: false, earlierSlot: '2026-11-25' });
    expect(formatPreview(outcome, newsletterOf(app), 'UTC')).toContain(
      '\n4 stories\nthe edition of 2026-11-25 comes first and takes its stories from the same list\n',
    );
  });
});

describe('a test copy', () => {
  it('is mailed below the minimum of stories, dated at the present', async () => {
    const app = await withArticles(article('today'));
    const outcome = await sendTestCopy(app, newsletterOf(app), { to: 'me@example.com' });
    expect(outcome).toMatchObject({ kind: 'submitted', stories: 1, isSkipped: true });
    const [copy] = readdirSync(app.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.eml'),
    );
    const mail = await simpleParser(readFileSync(join(app.folder, copy as string)));
    expect(mail.date?.getTime()).toBe(NOW);
    expect(mail.html).toContain('Wednesday, November 25, 2026');
  });

  it('is not mailed without a story', async () => {
    const app = await withArticles();
    expect(await sendTestCopy(app, newsletterOf(app), { to: 'me@example.com' })).toEqual({
      kind: 'refused',
      reason: 'no story is ready since 2026-11-22T23:30:00Z, and daily-roundup needs at least 1',
    });
  });

  it('has the same HTML as the preview and the closed edition, after the same edits', async () => {
    const app = openTestApp(await openMigrated());
    const newsletter = newsletterOf(app);
    const ids = ['first', 'second', 'third', 'fourth'];
    await saveAll(app.store, [
      ...ids.map((id, index) => article(id, { publishedAt: NOW - (index + 1) * HOUR })),
      article('embargoed', { publishedAt: NOW + HOUR }),
    ]);
    const target = await findDraftTarget(app, newsletter);
    const requests: DraftRequest[] = [
      { kind: 'subject', text: 'Chips & <solar>' },
      { kind: 'note', text: 'Good *morning*, [all](https://example.com/?a=1&b=2)' },
      { kind: 'move', story: 'fourth', block: 'news', place: { kind: 'first' } },
      { kind: 'drop', story: 'second' },
    ];
    for (const request of requests) await editDraft(app, target, 'Ada', request);

    const preview = await writePreview(app, newsletter);
    if (preview.kind !== 'written') throw new Error(preview.kind);
    await sendTestCopy(app, newsletter, { to: 'ada@example.com' });
    app.now = target.slot.slotAt;
    expect(await composeSlot(app, newsletter, app.now)).toMatchObject({ kind: 'closed' });
    const edition = await findEdition(app.store.db, newsletter.id, target.slot.label);
    if (edition === null) throw new Error('it is closed');

    const { url } = app.config.publication;
    const fill = (unsubscribe: string, preferences: string) => ({
      html: fillHtml(edition.html, edition.nonce, { unsubscribe, preferences }),
      text: fillText(edition.text, edition.nonce, { unsubscribe, preferences }),
    });
    const previewed = fill(`${url}/unsubscribe/preview`, `${url}/preferences/preview`);
    expect(readFileSync(preview.htmlPath, 'utf8') === previewed.html).toBe(true);
    expect(readFileSync(preview.textPath, 'utf8') === previewed.text).toBe(true);
    const mailed = readdirSync(app.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.eml'),
    );
    const copy = await simpleParser(readFileSync(join(app.folder, mailed[0] as string)));
    expect(copy.subject).toBe('[Test] Chips & <solar>');
    expect(copy.html === fill(`${url}/newsletters`, `${url}/newsletters`).html).toBe(true);
    for (const shown of ['fourth', 'embargoed', 'Good <em>morning</em>'])
      expect(previewed.html.includes(shown)).toBe(true);
    expect(previewed.html.includes('Headline of second')).toBe(false);
  });
});
