import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newsletterSite } from '../../../../src/core/config/site-view.ts';
import { DraftComposer, type DraftComposition } from '../../../../src/editions/desk/preview/draft-composition.ts';
import { editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { composeUnrecorded, previewLinks } from '../../../../src/editions/preview.ts';
import { fillHtml, fillText } from '../../../../src/editions/rendering/placeholders.ts';
import { BUILT_IN_TEMPLATES } from '../../../../src/lib/templates.ts';
import { saveAsPublished } from '../../../support/articles.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { type DraftApp, openDraftApp, STORIES, storyFactory } from '../../draft/draft-steps.ts';

const SLOT = Date.UTC(2026, 10, 23, 23, 30);

describe('the composition of a draft', () => {
  forEachDatabase((open) => {
    async function openTest() {
      const app = await openDraftApp(await open(), SLOT);
      const { newsletter, slot } = app;
      const target = { newsletter, slot, edition: null };
      const composer = new DraftComposer(app);
      const compose = async (): Promise<DraftComposition> => {
        const composition = await composer.compose(target);
        if (composition.kind === 'empty') throw new Error(composition.reason);
        return composition;
      };
      return { app, target, composer, compose };
    }

    it('has the bytes of the mail', async () => {
      const { app, compose } = await openTest();
      const { composed, id } = await compose();
      const mail = await composeUnrecorded(app, app.newsletter, app.slot.label);
      if (mail.kind !== 'composed' || mail.composed.kind !== 'composed') throw new Error('nothing was composed');
      const links = previewLinks('https://example.com');
      expect(fillHtml(composed.html, composed.nonce, links)).toBe(
        fillHtml(mail.composed.html, mail.composed.nonce, links),
      );
      expect(fillText(composed.text, composed.nonce, links)).toBe(
        fillText(mail.composed.text, mail.composed.nonce, links),
      );
      // Another process, whose placeholders have another nonce, gives the same bytes the same id.
      const other = await new DraftComposer(app).compose({ ...app, edition: null });
      expect(other).toMatchObject({ id });
    });

    it('renders the same content once, also for requests at the same time', async () => {
      const { app, target, composer, compose } = await openTest();
      const { config, newsletter, templates } = app;
      const { composed, id } = await compose();
      const { nonce, render } = composer.rendering;
      const rendered = (headline: string) =>
        render({ ...composed.view, headline }, newsletterSite(config, newsletter), templates, {
          ...{ template: newsletter.template, nonce },
        });
      const [first, second, other] = await Promise.all(['One', 'One', 'Two'].map(rendered));
      expect(second).toBe(first);
      expect(other).not.toBe(first);
      expect(composer.find(target.newsletter.id, target.slot.label, id)).toMatchObject({ id });
      expect(composer.find(target.newsletter.id, 'another', id)).toBeUndefined();
    });

    it('follows the draft, the articles and the templates, and returns with an undo', async () => {
      const { app, target, compose } = await openTest();
      const first = await compose();
      await editDraft(app, target, 'Ada', { kind: 'subject', text: 'Tonight' });
      const renamed = await compose();
      // The subject is in no part of the body.
      expect([renamed.composed.subject, renamed.id]).toEqual(['Tonight', first.id]);
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
      useTemplate(app, (mjml) => mjml.replace('>Top Story</h2>', '>Our Own Title</h2>'));
      expect((await compose()).composed.html).toContain('Our Own Title');
    });

    it('can be approved as it was seen, and not after a story was edited', async () => {
      const { app, target, composer, compose } = await openTest();
      const { draft, hash } = await compose();
      const approve = (seen: { revision: number; hash: string }) =>
        editDraft(app, target, 'Ada', { kind: 'approve' }, { seen, rendering: composer.rendering });
      const [story = ''] = STORIES;
      const edit = (headline: string) =>
        saveAsPublished(app.store, [
          storyFactory(SLOT)(story, { pinned: true, headline, publishedAt: SLOT - 7_200_000 }),
        ]);
      await edit('Rewritten');
      await expect(approve({ revision: draft.revision, hash })).rejects.toThrow('the content of a story has changed');
      const { draft: approved } = await approve({ revision: draft.revision, hash: (await compose()).hash });
      expect(approved.state.kind).toBe('approved');
    });
  });
});

function useTemplate({ config, newsletter }: DraftApp, change: (mjml: string) => string): void {
  const name = `${newsletter.template}.mjml`;
  mkdirSync(config.paths.templates, { recursive: true });
  writeFileSync(join(config.paths.templates, name), change(readFileSync(join(BUILT_IN_TEMPLATES, name), 'utf8')));
}
