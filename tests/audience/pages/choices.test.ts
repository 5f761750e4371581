/** Choosing sections, topics and reporters on the preferences page and at sign-up. */
import { beforeEach, describe, expect, it } from 'vitest';
import { messageToken } from '../../../src/audience/tokens.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Store } from '../../../src/core/store/store.ts';
import { DAY, HOUR } from '../../../src/lib/time.ts';
import {
  article,
  NOW,
  openTestSite,
  preferencesPath,
  save,
  type TestSite,
  withoutVersion,
} from '../../app/test-site.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { expectGolden } from '../../support/golden.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { SECRETS, sampleConfig } from '../../support/sample.ts';
import { addConfirmed, consentEvents } from '../fixtures.ts';

type Fields = [string, string][];
const DAILY = 'daily-roundup';
const WEEKLY = 'weekly-roundup';
const STAY: Fields = [
  ['newsletter', DAILY],
  ['zone', ''],
  ['paused', ''],
];

/** The sample, whose daily offers everything; its weekly offers two sections. */
function withChoices(config: Config = sampleConfig()): Config {
  const newsletters = config.newsletters.map((one) => {
    if (one.id === DAILY)
      return { ...one, choices: { sections: true, tags: ['Chips', 'A.I. & <us>', 'A I, us'], reporters: true } };
    const choices = { sections: true, tags: [], reporters: false };
    return { ...one, choices, select: { ...one.select, sections: ['world', 'trending'] }, weeklyOf: DAILY };
  });
  return { ...config, newsletters };
}

const reporter = (name: string) => ({ role: 'reporter' as const, name, email: null });

describe('choosing stories', () => {
  forEachDatabase((open) => {
    let store: Store;
    let site: TestSite;
    let path: string;
    let id: number;
    beforeEach(async () => {
      store = await open();
      await save(
        store,
        article('one', { bylines: [reporter('Zoë <O’Hara>'), reporter('Mei Tan')] }),
        article('old', { bylines: [reporter('Long Gone')], publishedAt: NOW - 91 * DAY }),
      );
      site = openTestSite(store, withChoices());
      id = await addConfirmed(store, 'ada@example.com', [DAILY], NOW - HOUR);
      path = preferencesPath(id);
    });
    const choices = async (): Promise<object> => {
      const rows = await store.db
        .selectFrom('subscriptions')
        .select(['newsletter', 'choice'])
        .where('subscriber_id', '=', id);
      return Object.fromEntries((await rows.execute()).map(({ newsletter, choice }) => [newsletter, choice]));
    };
    const boxesOf = (html: string, name: string): string[] =>
      [...html.matchAll(new RegExp(`name="${name}" value="([^"]*)"( checked)?`, 'g'))].map(
        ([, value, on]) => `${value}${on ?? ''}`,
      );

    it('accepts a form in Arabic with all that daily and weekly can offer', async () => {
      const name = (n: number) => `مراسل صحيفة الموجة ${n}`;
      const tags = Array.from({ length: 50 }, (_, n) => name(n));
      const newsletters = withChoices().newsletters.map((one) => ({
        ...one,
        choices: { tags, sections: true, reporters: true },
      }));
      site = openTestSite(store, { ...withChoices(), newsletters });
      const all = [DAILY, WEEKLY].flatMap((newsletter): Fields => {
        const values = Array.from({ length: 90 }, (_, n) => (n < 50 ? 'tags' : 'reporters'));
        return values.map((facet, n) => [`${facet}:${newsletter}`, name(n).replaceAll(' ', '-')]);
      });
      expect(new URLSearchParams(all).toString().length).toBeGreaterThan(16 * 1024);
      expect((await site.post(path, [...STAY, ...all])).status).toBe(200);
      expect(JSON.parse(Object.entries(await choices())[0]?.[1])).toHaveProperty('tags.length', 50);
    });

    it('is offered in the preferences, unfolded where it applies, and folded at sign-up', async () => {
      const html = await site.read(path);
      expect(boxesOf(html, `sections:${DAILY}`)).toEqual(['business-tech', 'finance-economy', 'world', 'trending']);
      expect(boxesOf(html, `tags:${DAILY}`)).toEqual(['chips', 'a-i-us']);
      expect(boxesOf(html, `reporters:${DAILY}`)).toEqual(['mei-tan', 'zoe-o-hara']);
      expect(boxesOf(html, `sections:${WEEKLY}`)).toEqual(['world', 'trending']);
      expect(html).toContain('Zoë &lt;O’Hara&gt;');
      expect(html.match(/<details class="choose"( open)?>/g)).toEqual([
        '<details class="choose" open>',
        '<details class="choose">',
      ]);
      const form = await site.read('/newsletters');
      expect(form.match(/<details class="choose"( open)?>/g)).toEqual([
        '<details class="choose">',
        '<details class="choose">',
      ]);
      expect([await htmlFaults(html), await htmlFaults(form)]).toEqual([[], []]);
      const unchanged = openTestSite(store);
      expect(await unchanged.read('/newsletters')).not.toContain('class="choose"');
    });

    it('looks as it did when a person last read it', async () => {
      await store.db.updateTable('subscriptions').set({ choice: '{"tags":["chips"],"atLeast":3}' }).execute();
      const html = withoutVersion(await site.read(path)).replaceAll(path, '/preferences/TOKEN');
      const [form] = /<fieldset class="choices">[\s\S]*<label for="zone">/.exec(html) ?? [''];
      expectGolden('pages/choices.html', form);
    });

    it('is saved and recorded once, and ends when nothing is chosen', async () => {
      const chosen: Fields = [
        [`sections:${DAILY}`, 'world'],
        [`reporters:${DAILY}`, 'zoe-o-hara'],
        [`tags:${DAILY}`, 'chips'],
        [`atLeast:${DAILY}`, '3'],
        [`atLeast:${WEEKLY}`, '4'],
      ];
      const text = '{"sections":["world"],"tags":["chips"],"reporters":["zoe-o-hara"],"atLeast":3}';
      for (let times = 0; times < 2; times++) {
        const html = await (await site.post(path, [...STAY, ...chosen])).text();
        expect(boxesOf(html, `reporters:${DAILY}`)).toEqual(['mei-tan', 'zoe-o-hara checked']);
        expect(html).toMatch(/name="atLeast:daily-roundup" type="number"[^>]* value="3"/);
        expect(await choices()).toEqual({ [DAILY]: text });
      }
      // A form without these fields, such as that of an own template, changes nothing.
      await site.post(path, STAY);
      expect(await choices()).toEqual({ [DAILY]: text });
      await site.post(path, [...STAY, [`atLeast:${DAILY}`, '']]);
      expect(await choices()).toEqual({ [DAILY]: null });
      expect((await consentEvents(store)).slice(1).map((event) => event.replace(/ at \d+/, ''))).toEqual([
        `choice ${DAILY} by preferences from 192.0.2.7 (${text})`,
        `choice ${DAILY} by preferences from 192.0.2.7`,
      ]);
    });

    it('keeps what is no longer offered until it is unticked, and shows its name', async () => {
      const text = '{"sections":["closed"],"tags":["former"],"reporters":["long-gone"]}';
      await store.db.updateTable('subscriptions').set({ choice: text }).execute();
      const html = await site.read(path);
      expect(boxesOf(html, `sections:${DAILY}`).at(-1)).toBe('closed checked');
      expect(boxesOf(html, `tags:${DAILY}`).at(-1)).toBe('former checked');
      expect(html).toMatch(/value="long-gone" checked>\n<label [^>]*>Long Gone</);
      const kept: Fields = [
        [`sections:${DAILY}`, 'closed'],
        [`tags:${DAILY}`, 'former'],
        [`reporters:${DAILY}`, 'long-gone'],
      ];
      await site.post(path, [...STAY, ...kept]);
      expect(await choices()).toEqual({ [DAILY]: text });
      await site.post(path, [...STAY, ...kept.slice(1)]);
      await site.post(path, [...STAY, ...kept]);
      expect(await choices()).toEqual({ [DAILY]: '{"tags":["former"],"reporters":["long-gone"]}' });
    });

    it('says beside the field what number of stories is possible, and saves nothing', async () => {
      for (const number of ['0', '21', '-1', '2.5', '1e1', 'many', '9'.repeat(5_000)]) {
        const fields: Fields = [...STAY, [`sections:${DAILY}`, 'world'], [`atLeast:${DAILY}`, number]];
        const response = await site.post(path, fields);
        const html = await response.text();
        expect([number, response.status]).toEqual([number, 422]);
        expect(html).toContain('Enter a number from 1 to 20.');
        expect(html).toContain(`aria-invalid="true" aria-describedby="atLeast-wrong:${DAILY}"`);
        expect(boxesOf(html, `sections:${DAILY}`)[2]).toBe('world checked');
        const signup: Fields = [['email', 'new@example.com'], ...fields];
        const page = await site.post('/subscribe', signup);
        expect([number, page.status, (await page.text()).match(/class="choose" open/g)]).toEqual([
          number,
          422,
          ['class="choose" open'],
        ]);
        const headers = { Origin: 'http://127.0.0.1:8080', Accept: 'application/json' };
        const answer = await (await site.post('/api/subscribe', signup, { headers })).json();
        expect(answer).toMatchObject({
          status: 'invalid',
          errors: { [`atLeast:${DAILY}`]: 'Enter a number from 1 to 20.' },
        });
      }
      expect(await choices()).toEqual({ [DAILY]: null });
      expect(
        (
          await site.post('/subscribe', [
            ['email', 'new@example.com'],
            ['newsletter', DAILY],
            [`atLeast:${WEEKLY}`, 'x'],
          ])
        ).status,
      ).toBe(200);
    });

    it('ignores values and newsletters that nobody offers', async () => {
      const plain = openTestSite(store);
      await plain.post(path, [...STAY, [`sections:${DAILY}`, 'world']]);
      const hostile: Fields = [
        [`sections:${DAILY}`, 'nowhere'],
        [`sections:${DAILY}`, '<script>'],
        [`tags:${DAILY}`, 'world'],
        [`reporters:${DAILY}`, 'long-gone'],
        ['sections:constructor', 'world'],
        ['sections:__proto__', 'world'],
        [`reporters:${WEEKLY}`, 'mei-tan'],
        ...Array.from({ length: 300 }, (): Fields[number] => [`sections:${DAILY}`, 'world']),
      ];
      expect((await site.post(path, [...STAY, ...hostile])).status).toBe(200);
      expect(await choices()).toEqual({ [DAILY]: '{"sections":["world"]}' });
    });

    it('changes from daily to weekly with one consent, and takes the choice along', async () => {
      await site.post(path, [...STAY, [`sections:${DAILY}`, 'world']]);
      await site.post(path, [
        ...[['newsletter', WEEKLY] as const, ['zone', ''] as const, ['paused', ''] as const].map(
          ([a, b]): Fields[number] => [a, b],
        ),
        [`sections:${DAILY}`, 'world'],
        [`atLeast:${DAILY}`, '1'],
        [`atLeast:${WEEKLY}`, '1'],
      ]);
      expect(await choices()).toEqual({ [DAILY]: '{"sections":["world"]}', [WEEKLY]: '{"sections":["world"]}' });
      expect((await consentEvents(store)).at(-1)).toMatch(`moved ${WEEKLY} by preferences from 192.0.2.7 (${DAILY})`);
    });

    it('at sign-up applies with the confirmation, and not where a subscription is confirmed', async () => {
      const wish: Fields = [
        ['newsletter', WEEKLY],
        ['newsletter', DAILY],
        [`sections:${WEEKLY}`, 'world'],
        [`sections:${DAILY}`, 'trending'],
        [`atLeast:${WEEKLY}`, '2'],
      ];
      await site.post('/subscribe', [['email', 'Ada@example.com'], ...wish]);
      expect(await choices()).toEqual({ [DAILY]: null, [WEEKLY]: null });
      const message = await store.db.selectFrom('service_messages').selectAll().executeTakeFirstOrThrow();
      const text = '{"sections":["world"],"atLeast":2}';
      expect(JSON.parse(message.choices ?? '')).toEqual({ [WEEKLY]: text });
      const confirm = `/confirm/${messageToken(SECRETS, 'confirm', { messageId: message.id, subscriberId: id })}`;
      expect((await site.post(confirm)).status).toBe(200);
      expect(await choices()).toEqual({ [DAILY]: null, [WEEKLY]: text });
      expect((await consentEvents(store)).slice(-2).map((event) => event.replace(/ at \d+/, ''))).toEqual([
        `confirmed ${WEEKLY} by confirmation from 192.0.2.7`,
        `choice ${WEEKLY} by confirmation from 192.0.2.7 (${text})`,
      ]);
    });
  });
});
