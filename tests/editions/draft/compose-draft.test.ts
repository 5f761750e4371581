import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../src/core/config/schema.ts';
import { composeSlot } from '../../../src/delivery/closing/close.ts';
import { sendTestCopy } from '../../../src/delivery/message/test-copy.ts';
import { composeDraft, type DraftComposition } from '../../../src/editions/draft/compose-draft.ts';
import { type DraftTarget, findDraftTarget } from '../../../src/editions/draft/draft-target.ts';
import { type DraftRequest, editDraft } from '../../../src/editions/draft/edit-draft.ts';
import { writePreviewFiles } from '../../../src/editions/preview.ts';
import { findEdition } from '../../../src/editions/queries.ts';
import { fillHtml, fillText } from '../../../src/editions/rendering/placeholders.ts';
import { BUILT_IN_TEMPLATES } from '../../../src/lib/templates.ts';
import { HOUR } from '../../../src/lib/time.ts';
import { article, saveAll, saveAsPublished } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase, openMigrated } from '../../support/databases.ts';
import { mailsIn } from '../../support/mails.ts';
import { openTestApp, type TestApp } from '../../support/test-app.ts';
import { type DraftApp, openDraftApp, STORIES, storyFactory } from './draft-steps.ts';

const SLOT = Date.UTC(2026, 10, 23, 23, 30);

describe('the composition of a draft', () => {
  forEachDatabase((open) => {
    async function openTest() {
      const app = await openDraftApp(await open(), SLOT);
      const { newsletter, slot } = app;
      const target = { newsletter, slot, edition: null };
      const compose = async (): Promise<DraftComposition> => {
        const composition = await composeDraft(app, target);
        if (composition.kind === 'empty') throw new Error(composition.reason);
        return composition;
      };
      return { app, target, compose };
    }

    it('follows the draft, the articles and the templates, and returns with an undo', async () => {
      const { app, target, compose } = await openTest();
      const first = await compose();
      await editDraft(app, target, 'Ada', { kind: 'subject', text: 'Tonight' });
      const renamed = await compose();
      expect(renamed.composed.subject).toBe('Tonight');
      // In no part of the body, but in its line of an inbox, which is previewed, too.
      expect(renamed.composed.text).toBe(first.composed.text.replaceAll(first.composed.nonce, renamed.composed.nonce));
      expect(renamed.id).not.toBe(first.id);
      expect(renamed.hash).not.toBe(first.hash);
      await editDraft(app, target, 'Ada', { kind: 'undo' });
      await editDraft(app, target, 'Ada', { kind: 'drop', story: 'three' });
      expect((await compose()).id).not.toBe(first.id);
      await editDraft(app, target, 'Ada', { kind: 'undo' });
      expect((await compose()).id).toBe(first.id);
      const [story = ''] = STORIES;
      await saveAsPublished(app.store, [
        storyFactory(SLOT)(story, { pinned: true, headline: 'Rewritten', publishedAt: SLOT - 7_200_000 }),
      ]);
      const rewritten = await compose();
      expect(rewritten.composed.html).toContain('Rewritten');
      expect(rewritten.hash).not.toBe(first.hash);
      useTemplate(app, (mjml) => mjml.replace(">{{ 'edition.topStory' | t }}</h2>", '>Our Own Title</h2>'));
      expect((await compose()).composed.html).toContain('Our Own Title');
    });
  });

  it('is one of too few stories, too, with those that will be public at the slot', async () => {
    const until = NOW + 10.5 * HOUR;
    const app = await withArticles(
      article('today'),
      article('embargoed', { publishedAt: until, status: { state: 'scheduled', until } }),
      article('draft', { publishedAt: NOW - 2 * HOUR, status: { state: 'draft' } }),
    );
    const composition = await composeDraft(app, await nextDraft(app));
    expect(composition).toMatchObject({ kind: 'composed', stories: 2, isSkipped: true, composed: { number: 1 } });
  });
});

describe('a test copy', () => {
  it('is mailed below the minimum of stories, dated at the present', async () => {
    const app = await withArticles(article('today'));
    const outcome = await sendTestCopy(app, await nextDraft(app), { to: 'me@example.com' });
    expect(outcome).toMatchObject({ kind: 'submitted' });
    const mail = await simpleParser(mailsIn(app.folder)[0] as string);
    expect(mail.date?.getTime()).toBe(NOW);
    expect(mail.html).toContain('Wednesday, November 25, 2026');
  });

  it('is not mailed without a story', async () => {
    const app = await withArticles();
    expect(await sendTestCopy(app, await nextDraft(app), { to: 'me@example.com' })).toEqual({
      kind: 'empty',
      reason: 'no story is ready since 2026-11-22T23:30:00Z, and daily-roundup needs at least 1',
    });
  });

  it('has the same HTML as the preview and the closed edition, after the same edits', async () => {
    const app = openTestApp(await openMigrated());
    const ids = ['first', 'second', 'third', 'fourth'];
    await saveAll(app.store, [
      ...ids.map((id, index) => article(id, { publishedAt: NOW - (index + 1) * HOUR })),
      article('embargoed', { publishedAt: NOW + HOUR }),
    ]);
    const target = await nextDraft(app);
    const { newsletter } = target;
    const requests: DraftRequest[] = [
      { kind: 'subject', text: 'Chips & <solar>' },
      { kind: 'note', text: 'Good *morning*, [all](https://example.com/?a=1&b=2)' },
      { kind: 'move', story: 'fourth', block: 'news', place: { kind: 'first' } },
      { kind: 'drop', story: 'second' },
    ];
    for (const request of requests) await editDraft(app, target, 'Ada', request);

    const composition = await composeDraft(app, target);
    if (composition.kind === 'empty') throw new Error(composition.reason);
    const preview = writePreviewFiles(app, composition.composed);
    await sendTestCopy(app, target, { to: 'ada@example.com' });
    app.now = target.slot.slotAt;
    expect(await composeSlot(app, newsletter, target.slot)).toMatchObject({ kind: 'closed' });
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
    const copy = await simpleParser(mailsIn(app.folder)[0] as string);
    expect(copy.subject).toBe('[Test] Chips & <solar>');
    expect(copy.html === fill(`${url}/newsletters`, `${url}/newsletters`).html).toBe(true);
    for (const shown of ['fourth', 'embargoed', 'Good <em>morning</em>'])
      expect(previewed.html.includes(shown)).toBe(true);
    expect(previewed.html.includes('Headline of second')).toBe(false);
  });
});

async function withArticles(...articles: ReturnType<typeof article>[]): Promise<TestApp> {
  const store = await openMigrated();
  await saveAll(store, articles);
  return openTestApp(store);
}

function nextDraft(app: TestApp): Promise<DraftTarget> {
  return findDraftTarget(app, app.config.newsletters[0] as NewsletterConfig);
}

function useTemplate({ config, newsletter }: DraftApp, change: (mjml: string) => string): void {
  const name = `${newsletter.template}.mjml`;
  mkdirSync(config.paths.templates, { recursive: true });
  writeFileSync(join(config.paths.templates, name), change(readFileSync(join(BUILT_IN_TEMPLATES, name), 'utf8')));
}
