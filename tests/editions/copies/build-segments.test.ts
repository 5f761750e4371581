import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../../../src/articles/choice.ts';
import { editionLocale } from '../../../src/core/config/site-view.ts';
import { composeEdition } from '../../../src/editions/compose.ts';
import { fillCopy, openCopies } from '../../../src/editions/copies/copy.ts';
import { editionSlot } from '../../../src/editions/slot.ts';
import { openTemplates } from '../../../src/lib/templates.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { article, CUTOFF, compose, config, NONCE, newsletter, roundupItem, save } from '../fixtures.ts';

const choices = { sections: true, tags: ['Chips'], reporters: true };
const byline = { role: 'reporter' as const, name: 'Mei Tan', email: null };
const STORIES = [
  article('lead', { kind: 'feature', kicker: 'Exclusive', tags: ['Chips'] }),
  article('brief', { section: 'finance-economy' }),
  article('pinned', { pinned: true, section: 'finance-economy', publishedAt: CUTOFF - 3_600_001 }),
  article('by-mei', { kind: 'analysis', bylines: [byline] }),
  roundupItem('first', 'Reuters', { eventKey: 'deal', section: 'finance-economy', dek: null }),
  roundupItem('second', 'Yicai', { eventKey: 'deal', section: 'business-tech', tags: ['Chips'] }),
];

describe('the segments of an edition', () => {
  forEachDatabase((open) => {
    it('have the facets of each story, of an event those of all its reports, and which are for all', async () => {
      const store = await open();
      await save(store, STORIES);
      const composed = await compose(store, CUTOFF, { choices });
      const stories = composed.segments?.stories.map(({ minutes: _, ...one }) => one);
      const none = { sections: ['business-tech'], tags: [], reporters: [], isForAll: false };
      expect(stories).toEqual([
        { ...none, articleId: 'pinned', sections: ['finance-economy'], isForAll: true },
        { ...none, articleId: 'lead', tags: ['chips'] },
        { ...none, articleId: 'brief', sections: ['finance-economy'] },
        { ...none, articleId: 'by-mei', reporters: ['mei-tan'] },
        { ...none, articleId: 'first', sections: ['finance-economy', 'business-tech'], tags: ['chips'] },
      ]);
      const decide = openCopies(composed, editionLocale(config, newsletter));
      const copy = decide({ ...EVERYTHING, tags: ['chips'] });
      expect(copy).toMatchObject({ stories: [0, 1, 4] });
      expect(copy.subject).toContain('Headline of pinned, Headline of lead');
      const links = { unsubscribe: 'https://example.com/u', preferences: 'https://example.com/p' };
      const { text } = fillCopy(composed.segments as never, copy, NONCE, links);
      expect(text).toContain('Headline of first');
      expect(text).not.toMatch(/Headline of (brief|by-mei)/);
      expect(decide({ ...EVERYTHING, atLeast: 2 })).toMatchObject({ subject: composed.subject });
    });

    it('are not kept for a newsletter without choices', async () => {
      const store = await open();
      await save(store, STORIES);
      expect((await compose(store)).segments).toBeNull();
    });

    it('must be in a template of the newsroom: it is refused with what to add, not sent to all', async () => {
      const store = await open();
      await save(store, STORIES);
      const folder = temporaryFolder();
      mkdirSync(join(folder, 'daily-roundup'));
      writeFileSync(join(folder, 'daily-roundup/latest-line.mjml'), '<tr><td>{{ line.headline }}</td></tr>');
      writeFileSync(join(folder, 'daily-roundup/news-line.mjml'), '<tr><td>{{ line.headline }}</td></tr>');
      const slot = editionSlot(CUTOFF, config.publication.zone, false);
      const options = { slot, cutoffAt: CUTOFF, now: CUTOFF, nonce: NONCE };
      const templates = openTemplates(folder, config.publication.zone);
      await expect(composeEdition(store, config, templates, { ...newsletter, choices }, options)).rejects.toThrow(
        'the .mjml template shows stories outside of {% segment any: story %}',
      );
      expect((await composeEdition(store, config, templates, newsletter, options)).kind).toBe('composed');
    });
  });
});
