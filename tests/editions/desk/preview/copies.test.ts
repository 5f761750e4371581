import { describe, expect, it, onTestFinished } from 'vitest';
import { choiceText, EVERYTHING } from '../../../../src/articles/choice.ts';
import { addSubscriber } from '../../../../src/audience/subscriptions.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { choiceOf } from '../../../../src/editions/desk/preview/copy-choices.ts';
import { HOUR } from '../../../../src/lib/time.ts';
import { openTestDesk, type TestDesk } from '../../../app/desk/test-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { SECRETS } from '../../../support/sample.ts';

const PATH = '/editions/daily-roundup/2026-11-25/draft';
const CHOICES = 'choices: { sections: true, tags: [AI & Chips], reporters: true }';
const HOSTILE = 'Ann <b>"Quote"</b>';

async function openCopies(store: Store, choices = CHOICES) {
  const desk = await openTestDesk(store, {
    edit: (yaml) => yaml.replace('minimumStories: 3', `minimumStories: 3\n    ${choices}`),
  });
  onTestFinished(desk.close);
  const story = (id: string, hours: number, rest: object) => article(id, { publishedAt: NOW - hours * HOUR, ...rest });
  await saveAll(store, [
    story('chips', 1, { tags: ['AI & Chips'], bylines: [{ role: 'reporter', name: HOSTILE, email: null }] }),
    story('bank', 2, { section: 'finance-economy' }),
    story('border', 3, { section: 'world' }),
  ]);
  return desk;
}

/** Subscribes a person with a choice; null for everything. */
async function subscribe({ app: { store } }: TestDesk, email: string, choice: object | null): Promise<void> {
  await addSubscriber(store.db, SECRETS, { email, newsletters: ['daily-roundup'] }, { channel: 'operator' }, NOW);
  const text = choice === null ? null : choiceText({ ...EVERYTHING, ...choice });
  await store.db
    .updateTable('subscriptions')
    .set({ choice: text })
    .where('subscriber_id', '=', (e) => e.selectFrom('subscribers').select('id').where('email', '=', email))
    .execute();
}

const frameOf = (page: string): string =>
  (/<iframe [^>]*src="\/desk([^"]*)"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');
const headlinesIn = (text: string) => [...text.matchAll(/Headline of (\w+)/g)].map(([, id]) => id);
const rowOf = (page: string, id: string) => page.split('data-drag-item="').find((row) => row.startsWith(`${id}"`));

describe('the copies of an edition on the desk', () => {
  forEachDatabase((open) => {
    it('are previewed by section, topic and reporter: mail, text and inbox line', async () => {
      const desk = await openCopies(await open());
      const page = await desk.read('editor', PATH);
      expect([...page.matchAll(/<option value="([^"]*)"[^>]*>([^<]*)</g)].map((one) => one.slice(1))).toEqual([
        ['', 'everything'],
        ['sections:business-tech', 'Business &amp; Tech'],
        ['sections:finance-economy', 'Finance &amp; Economy'],
        ['sections:world', 'World'],
        ['sections:trending', 'Trending Stories'],
        ['tags:ai-chips', 'topic AI &amp; Chips'],
        ['reporters:ann-b-quote-b', 'Ann &lt;b&gt;&quot;Quote&quot;&lt;/b&gt;'],
      ]);
      const shown = async (query: string) => {
        const chosen = await desk.read('editor', `${PATH}?${query}`);
        return (await desk.get('editor', frameOf(chosen))).text();
      };
      const mail = await shown('view=phone&copy=sections:finance-economy');
      expect([new Set(headlinesIn(mail)), mail.includes('%%')]).toEqual([new Set(['bank']), false]);
      expect(mail).toContain('/unsubscribe/preview');
      expect(new Set(headlinesIn(await shown('copy=tags:ai-chips&view=text')))).toEqual(new Set(['chips']));
      const inbox = await shown('copy=sections:world&view=inbox');
      expect(inbox).toMatch(/class="subject">Tech Roundup: Headline of border</);
      expect(inbox).toContain('Dek of border.');
      expect(new Set(headlinesIn(await shown('copy=reporters:ann-b-quote-b')))).toEqual(new Set(['chips']));
      expect(await shown('copy=sections:trending')).toContain(
        'Not mailed to them: too few chosen stories: 0 of at least 1.',
      );
      expect(new Set(headlinesIn(await shown('copy=sections:nonsense')))).toEqual(new Set(['chips', 'bank', 'border']));
    });

    it('keep the chosen one in other views, in searches and with unsaved texts', async () => {
      const desk = await openCopies(await open());
      const page = await desk.read('editor', `${PATH}?view=text&copy=sections:world`);
      expect(page).toMatch(/<option value="sections:world" dir="auto" selected>/);
      // The size is that of the whole edition.
      expect([page, await desk.read('editor', PATH)].map((one) => one.includes('of what Gmail shows'))).toEqual([
        false,
        true,
      ]);
      expect(page).toMatch(
        /id="preview-desktop"[^>]*\nhref="[^"]*view=desktop&amp;[^"]*copy=sections%3Aworld#preview"/,
      );
      expect(page).toMatch(/id="find"[\s\S]*?name="copy" value="sections:world"/);
      expect(page).toMatch(/id="copies"[\s\S]*?name="view" value="text"[\s\S]*?<\/form>/);
      const action = /id="preview-form" method="post" data-plain action="\/desk([^"]*)"/.exec(page)?.[1] ?? '';
      const typed = await desk.post('editor', action, { view: 'inbox', subject: 'Not saved' });
      const inbox = await typed.text();
      expect(inbox).toContain('<span class="subject">Not saved</span>');
      expect(inbox).toContain('Dek of border.');
    });

    it('show a story that is pinned meanwhile to everybody', async () => {
      const desk = await openCopies(await open());
      const query = `${PATH}?view=text&copy=sections:world`;
      const shown = async () => {
        const frame = await desk.get('editor', frameOf(await desk.read('editor', query)));
        return new Set(headlinesIn(await frame.text()));
      };
      expect(await shown()).toEqual(new Set(['border']));
      await desk.act('editor', `${PATH}/pin`, { seen: '0', story: 'bank' });
      expect(await shown()).toEqual(new Set(['bank', 'border']));
    });

    it('do not exist without choices in the configuration, whatever is stored', async () => {
      const desk = await openCopies(await open(), 'heartbeat: false');
      await subscribe(desk, 'a@example.com', { sections: ['trending'] });
      const page = await desk.read('editor', `${PATH}?copy=sections:world`);
      expect(page).toContain('It goes to 1 subscriber, tomorrow');
      expect(page).not.toMatch(/id="copies"|An approval covers|nobody gets it/);
      const mail = await (await desk.get('editor', `${frameOf(page)}&copy=sections:world`)).text();
      expect(new Set(headlinesIn(mail))).toEqual(new Set(['chips', 'bank', 'border']));
    });
  });

  forEachDatabase((open) => {
    it('are counted where an edition is approved and sent, and a story that nobody gets is marked', async () => {
      const store = await open();
      const desk = await openCopies(store);
      await subscribe(desk, 'a@example.com', { sections: ['business-tech', 'finance-economy'] });
      await subscribe(desk, 'b@example.com', { sections: ['finance-economy'] });
      await subscribe(desk, 'c@example.com', { sections: ['trending'] });
      const page = await desk.read('editor', PATH);
      expect(page).toContain('It goes to 2 of 3 subscribers, tomorrow 07:30 Asia/Shanghai, approved or not.');
      expect(page).toContain('2 get 1 to 4; 1 gets none: too few chosen stories.');
      expect(page).toContain('An approval covers all copies');
      expect(['chips', 'bank', 'border'].map((id) => rowOf(page, id)?.includes('nobody gets it'))).toEqual([
        ...[false, false, true],
      ]);
      const confirm = await desk.read('editor', `${PATH}/send`);
      expect(confirm).toMatch(/goes to 2 of 3 subscribers, in 1 min/);
      expect(confirm).toContain('1 gets none: too few chosen stories.');
      const { seen = '', hash = '' } = Object.fromEntries(
        [...page.matchAll(/name="(seen|hash)" value="([^"]+)"/g)].map(([, name, value]) => [name, value]),
      );
      const approved = await desk.act('editor', `${PATH}/approve`, { seen, hash });
      expect(approved).toContain('Approved: it goes to 2 of 3 subscribers');
      await subscribe(desk, 'd@example.com', null);
      const whole = await desk.read('editor', PATH);
      expect(whole).toContain('1 gets all 3 stories; 2 get 1 to 4; 1 gets none');
      expect(whole).not.toContain('nobody gets it');
    });
  });

  it('are named by facet and value', () => {
    expect(choiceOf('sections:world')).toEqual({ ...EVERYTHING, sections: ['world'] });
    expect(['', 'world', 'sections:', 'atLeast:3', '__proto__:x'].map(choiceOf)).toEqual(Array(5).fill(null));
  });
});
