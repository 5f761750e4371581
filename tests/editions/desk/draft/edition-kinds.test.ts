import { describe, expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import { composeNow } from '../../../../src/delivery/closing/close.ts';
import { makeAlertEdition } from '../../../../src/delivery/closing/newsletter-jobs.ts';
import { findDraftTarget } from '../../../../src/editions/draft/draft-target.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { openTestDesk } from '../../../app/desk/test-desk.ts';
import { approveDraft } from '../../../support/approve.ts';
import { articleFactory, saveAsPublished } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { until } from '../../../support/until.ts';

const article = articleFactory({ publishedAt: NOW - HOUR });
const IDS = ['a', 'b', 'c', 'd'];

const ALERT = `newsletters:
  - id: breaking
    kind: alert
    title: Breaking News
    kicker: Breaking
    description: One story, when it cannot wait.
    from: { name: The Meridian Wire, email: breaking@example.com }
    template: breaking-alert
`;

/** The line at the top as text. */
function lineOf(page: string): string {
  const line = page.match(/<p class="lead">([\s\S]*?)<\/p>/)?.[1] ?? '';
  return line
    .replace(/<[^>]*>/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

describe('the page of an edition', () => {
  forEachDatabase((open) => {
    it('of an alert newsletter has its one article, without buttons to move it', async () => {
      const store = await open();
      const edit = (yaml: string) => yaml.replace('newsletters:\n', ALERT);
      const desk = await openTestDesk(store, { feeds: ['latest'], edit });
      await saveAsPublished(
        store,
        IDS.map((id) => article(id)),
      );
      const next = '/editions/breaking/next';
      expect((await desk.get('editor', next)).status).toBe(404);
      const newsletter = desk.app.config.newsletters[0] as NewsletterConfig;
      await makeAlertEdition(desk.app, newsletter, 'b', 'Ada');
      const path = (await desk.get('editor', next)).headers.get('Location')?.replace('/desk', '') ?? '';
      const page = await desk.read('editor', path);
      expect(page).toContain('id="story-b"');
      expect(page).not.toContain('id="story-a"');
      expect(page).not.toMatch(/data-drag-item|id="block-news"/);
      expect(lineOf(page)).toMatch(/Waits for approval or lapses today \d\d:\d\d, in /);
      const text = await desk.act('editor', `${path}/subject`, { seen: '1', text: 'It happened' });
      expect(text).toContain('value="It happened"');
      const status = { state: 'retracted', note: 'It did not happen.', at: NOW } as const;
      await saveAsPublished(store, [article('b', { status })]);
      expect(await desk.read('editor', path)).toContain('Without a story it goes to nobody.');
    });

    it('marks what has changed since the approval, and takes changes for a reissue once it is closed', async () => {
      const store = await open();
      const desk = await openTestDesk(store, { feeds: ['latest'] });
      const { app } = desk;
      await saveAsPublished(
        store,
        IDS.map((id) => article(id)),
      );
      const newsletter = app.config.newsletters[0] as NewsletterConfig;
      const target = await findDraftTarget(app, newsletter);
      await approveDraft(app, target, 'Bob');
      const status = { state: 'corrected', note: 'It was two.', at: NOW } as const;
      await saveAsPublished(store, [article('b', { headline: 'Two', status })]);
      const path = `/editions/daily-roundup/${target.slot.label}/draft`;
      const approved = await desk.read('editor', path);
      expect(lineOf(approved)).toMatch(/Approved by Bob, today 20:00; closes by itself tomorrow 07:30, in /);
      expect(approved).toContain('<span class="badge warn">changed since the approval</span>');

      app.now = target.slot.slotAt;
      const closed = await composeNow(app, newsletter, target.slot.label);
      expect(closed.kind).toBe('closed');
      const page = await desk.read('editor', path);
      expect(lineOf(page)).toMatch(/Closed at today 07:30\. What you change now takes effect when it is reissued\./);
      expect(page).toContain(`href="/desk/editions/daily-roundup/${target.slot.label}"`);
      const dropped = await desk.act('editor', `${path}/drop`, { seen: '99', story: 'c' });
      expect(dropped).toContain('Dropped “Headline of c”.');
      expect((await desk.audit()).map(({ act }) => act)).toEqual(['edition.drop']);
    });

    it('looks links up where an editor asks for it', async () => {
      const store = await open();
      const desk = await openTestDesk(store, { feeds: ['latest'] });
      await saveAsPublished(
        store,
        IDS.map((id) => article(id, { url: `https://127.0.0.1/${id}` })),
      );
      const path = '/editions/daily-roundup/2026-11-25/draft';
      const checksOfToday = async (): Promise<string | undefined> =>
        />\s?(no warnings|\d+ warnings?)</.exec(await desk.read('editor', ''))?.[1];
      await until(async () => (await checksOfToday()) === 'no warnings');
      expect(await desk.act('editor', `${path}/links`)).toMatch(
        /id="checks"[\s\S]*Links looked up: 4 warnings\.<\/p><\/section>/,
      );
      // Today keeps what it has found for a minute.
      desk.app.now += MINUTE;
      await until(async () => (await checksOfToday()) === '4 warnings');
    });
  });
});
