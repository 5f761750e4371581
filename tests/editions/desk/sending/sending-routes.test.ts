import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addSubscriber } from '../../../../src/audience/subscriptions.ts';
import { recordProcess, recordStop } from '../../../../src/core/schedule/processes.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { closeDueEditions } from '../../../../src/delivery/closing/send-now.ts';
import { findEdition, listEditionArticles } from '../../../../src/editions/queries.ts';
import { HOUR, MINUTE } from '../../../../src/lib/time.ts';
import { openTestDesk } from '../../../app/desk/test-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { mailsIn } from '../../../support/mails.ts';
import { SECRETS } from '../../../support/sample.ts';

const NEWSLETTER = 'daily-roundup';
const SLOT = '2026-11-25';
const PATH = `/editions/${NEWSLETTER}/${SLOT}/draft`;
const SUBJECT = `${NEWSLETTER}/${SLOT}`;

async function openSending(store: Store, approval: 'auto' | 'required' = 'auto') {
  const desk = await openTestDesk(store, {
    edit: (yaml) => yaml.replace('minimumStories: 3', `minimumStories: 3\n    approval: ${approval}`),
  });
  onTestFinished(desk.close);
  const { app } = desk;
  const ids = ['first', 'second', 'third', 'fourth'];
  const story = (id: string, rest = {}) => article(id, { publishedAt: NOW - (ids.indexOf(id) + 1) * HOUR, ...rest });
  await saveAll(
    store,
    ids.map((id) => story(id)),
  );
  for (const email of ['a@example.com', 'b@example.com']) {
    await addSubscriber(store.db, SECRETS, { email, newsletters: [NEWSLETTER] }, { channel: 'operator' }, NOW);
  }
  const run = { id: 'p1', host: 'h', pid: 1, scope: null, version: '0', startedAt: NOW };
  return {
    ...{ desk, app },
    edit: (id: string, rest: object) => saveAll(store, [story(id, rest)]),
    startSchedule: () => recordProcess(store.db, { ...run, roles: ['schedule', 'web'] }, app.now),
    stopSchedule: () => recordStop(store.db, 'p1', app.now),
    /** The hidden fields of a form of a page. */
    fields: async (act: string, path = PATH) => {
      const page = await desk.read('editor', path);
      const form = new RegExp(`<form[^>]*action="/desk${PATH}/${act}".*?</form>`, 's').exec(page)?.[0] ?? '';
      if (form === '') throw new Error(`there is no form ${act}`);
      return Object.fromEntries(
        [...form.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
      ) as Record<string, string>;
    },
    acts: async () => (await desk.audit()).map(({ act }) => act),
  };
}

describe('sending an edition from the desk', () => {
  forEachDatabase((open) => {
    it('names count, time and zone, and what the count means', async () => {
      const { desk } = await openSending(await open());
      const page = await desk.read('editor', PATH);
      expect(page).toContain('It goes to 2 subscribers, tomorrow 07:30 Asia/Shanghai, approved or not.');
      expect(page).toContain('The count is of confirmed subscriptions now.');
      const required = await openSending(await open(), 'required');
      expect(await required.desk.read('editor', PATH)).toContain('Once it is approved, it goes to 2 subscribers');
    });

    it('holds it with a reason, and releases it; each is in the audit log', async () => {
      const { desk, fields } = await openSending(await open());
      const held = await desk.act('editor', `${PATH}/hold`, { ...(await fields('hold')), reason: '<b>Late</b> quote' });
      expect(held).toContain('Held: it is not sent until somebody releases it.');
      expect(held).toContain('&lt;b&gt;Late&lt;/b&gt; quote');
      expect(held).not.toContain('id="approve"');
      expect(await desk.act('editor', `${PATH}/release`, await fields('release'))).toContain('Released');
      expect(await desk.audit()).toMatchObject([
        { actor: 'Edda Moreno', act: 'edition.hold', subject: SUBJECT },
        { actor: 'Edda Moreno', act: 'edition.release', subject: SUBJECT },
      ]);
    });

    it('approves the edition that the page showed, and no other', async () => {
      const { desk, fields, edit, acts } = await openSending(await open(), 'required');
      const seen = await fields('approve');
      await edit('third', { headline: 'Rewritten' });
      const refused = await desk.post('editor', `${PATH}/approve`, seen);
      expect([refused.status, await refused.text()]).toEqual([
        422,
        expect.stringContaining('Since you looked, the content of a story has changed'),
      ]);
      const now = await fields('approve');
      await desk.act('admin', `${PATH}/drop`, { seen: '0', story: 'fourth' });
      expect((await desk.post('editor', `${PATH}/approve`, now)).status).toBe(422);
      expect((await desk.post('editor', `${PATH}/approve`, {})).status).toBe(422);
      const approved = await desk.act('editor', `${PATH}/approve`, await fields('approve'));
      expect(approved).toContain('Approved: it goes to 2 subscribers, tomorrow 07:30 Asia/Shanghai.');
      expect(await acts()).toEqual(['edition.drop', 'edition.approve']);
    });

    for (const approval of ['auto', 'required'] as const) {
      it(`offers to approve again what lost its lead after its approval (${approval})`, async () => {
        const { desk, fields, edit } = await openSending(await open(), approval);
        await desk.act('editor', `${PATH}/approve`, await fields('approve'));
        expect(await desk.read('editor', PATH)).not.toContain('id="approve"');
        await edit('first', { status: { state: 'retracted', note: 'It was false.', at: NOW } });
        const page = await desk.read('editor', PATH);
        expect(page).toContain('its lead first is no longer available');
        expect(page).not.toContain('Approved, it goes');
        expect(await desk.act('editor', `${PATH}/approve`, await fields('approve'))).toContain('Approved, it goes');
      });
    }

    it('says that too few stories go to nobody, and offers no button that would be refused', async () => {
      const { desk, edit } = await openSending(await open());
      for (const id of ['first', 'second']) {
        await edit(id, { status: { state: 'retracted', note: 'It was false.', at: NOW } });
      }
      const page = await desk.read('editor', PATH);
      expect(page).toContain('With fewer than 3 stories it goes to nobody.');
      expect(page).not.toContain('subscribers, tomorrow');
      expect(page).not.toContain('id="send-now"');
      const confirm = await desk.read('editor', `${PATH}/send`);
      expect(confirm).toContain('daily-roundup/2026-11-25 has 2 stories: daily-roundup needs at least 3.');
      expect(confirm).toMatch(/id="send" disabled/);
    });

    it('says what an act while it is being sent, or after the edition has closed, is worth', async () => {
      const { desk, app, fields, startSchedule } = await openSending(await open(), 'required');
      await startSchedule();
      await desk.act('editor', `${PATH}/approve`, await fields('approve'));
      const dropped = await desk.act('editor', `${PATH}/drop`, { seen: '1', story: 'fourth' });
      expect(dropped).toContain('The approval was withdrawn: approve what the page shows now.');
      await desk.act('editor', `${PATH}/approve`, await fields('approve'));
      await desk.act('editor', `${PATH}/send`, await fields('send', `${PATH}/send`));
      const held = await desk.act('editor', `${PATH}/hold`, { seen: '4', reason: 'Wait' });
      expect(held).toContain('Nothing is sent then: held by Edda Moreno: Wait.');
      await desk.act('editor', `${PATH}/undo`, {});
      app.now += MINUTE;
      await closeDueEditions(app);
      const late = await desk.act('editor', `${PATH}/drop`, { seen: '4', story: 'third' });
      expect(late).toContain('The edition is closed: this takes effect only if it is reissued.');
      expect(await desk.act('editor', `${PATH}/cancel-send`)).toContain(
        'too late to cancel. On the page Deliveries, a pause stops what is not submitted yet.',
      );
    });

    it('sends it after undoSeconds, once somebody has confirmed the sentence', async () => {
      const { desk, app, fields, startSchedule, acts } = await openSending(await open());
      await startSchedule();
      const confirm = await desk.read('editor', `${PATH}/send`);
      expect(confirm).toContain('goes to 2 subscribers, in 1 min.');
      const sent = await desk.act('editor', `${PATH}/send`, await fields('send', `${PATH}/send`));
      expect(sent).toContain('It is being sent: it');
      expect(sent).toContain('id="cancel-send"');
      const again = await desk.read('editor', `${PATH}/send`);
      expect(again).toContain('It is being sent already: it closes');
      expect(again).not.toContain('id="send"');
      app.now += MINUTE;
      await closeDueEditions(app);
      expect(await findEdition(app.store.db, NEWSLETTER, SLOT)).not.toBeNull();
      expect(await desk.read('editor', PATH)).toMatch(/<section id="sending" data-region="\w+" hidden/);
      expect(await acts()).toEqual(['edition.send']);
    });

    it('says before it is sent which stories are not public by then', async () => {
      const { desk, app, edit, fields, startSchedule } = await openSending(await open());
      await startSchedule();
      await edit('fourth', { headline: 'Under embargo', publishedAt: NOW + HOUR });
      expect(await desk.read('editor', PATH)).toMatch(/Under embargo<\/a> <span class="badge warn">public from today/);
      const confirm = await desk.read('editor', `${PATH}/send`);
      expect(confirm).toMatch(/”, with 3 stories, goes/);
      expect(confirm).toContain('1 of 4 stories is not public when it closes, and will not be in it:');
      expect(confirm).toMatch(/Under embargo<\/a>, public from <time/);
      expect(confirm).not.toContain('Headline of first</a>, public');
      const sent = await desk.act('editor', `${PATH}/send`, await fields('send', `${PATH}/send`));
      expect(sent).toContain('It is being sent: it');
      app.now += MINUTE;
      await closeDueEditions(app);
      const edition = await findEdition(app.store.db, NEWSLETTER, SLOT);
      const stories = await listEditionArticles(app.store.db, edition?.id ?? 0);
      expect(stories.map(({ id }) => id).sort()).toEqual(['first', 'second', 'third']);
    });

    it('cancels that, and says when it is too late', async () => {
      const { desk, app, fields, startSchedule, acts } = await openSending(await open());
      await startSchedule();
      await desk.act('editor', `${PATH}/send`, await fields('send', `${PATH}/send`));
      expect(await desk.act('editor', `${PATH}/cancel-send`)).toContain('Cancelled: it was not sent.');
      app.now += MINUTE;
      await closeDueEditions(app);
      expect(await findEdition(app.store.db, NEWSLETTER, SLOT)).toBeNull();
      expect(await desk.act('editor', `${PATH}/cancel-send`)).toContain(
        'is not being sent: there is nothing to cancel',
      );
      expect(await acts()).toEqual(['edition.send', 'edition.cancel-send']);
    });

    it('refuses to send what has changed, what is held, and where nothing would close it', async () => {
      const { desk, fields, edit, startSchedule, stopSchedule, acts } = await openSending(await open());
      const send = async (seen: Record<string, string>) => {
        const response = await desk.post('editor', `${PATH}/send`, seen);
        return `${response.status} ${await response.text()}`;
      };
      const seen = await fields('send', `${PATH}/send`);
      expect(await send(seen)).toMatch(/^422 [\s\S]*no running daywire has the role schedule/);
      await startSchedule();
      await edit('second', { headline: 'Rewritten' });
      expect(await send(seen)).toMatch(/^422 [\s\S]*It has changed since you looked/);
      const current = await fields('send', `${PATH}/send`);
      await desk.act('editor', `${PATH}/hold`, { seen: '0', reason: 'Wait' });
      expect(await send(current)).toMatch(/^422 [\s\S]*is held by Edda Moreno: Wait/);
      await desk.act('editor', `${PATH}/release`, { seen: '1' });
      await stopSchedule();
      expect(await desk.read('editor', `${PATH}/send`)).toContain('no running daywire has the role schedule');
      expect(await acts()).toEqual(['edition.hold', 'edition.release']);
    });

    it('mails a test copy to the own address, and shows the reply of the server', async () => {
      const { desk, app, fields } = await openSending(await open());
      const page = await desk.act('editor', `${PATH}/test`, await fields('test'));
      expect(page).toContain('A test copy to editor@example.com was submitted. The mail server answered:');
      const mail = mailsIn(app.folder);
      expect(mail).toHaveLength(1);
      expect(mail[0]).toContain('[Test]');
      expect(await desk.audit()).toMatchObject([{ act: 'edition.test', detail: { to: 'own address' } }]);
    });

    it('asks for another address, keeps what was typed with what is wrong, and logs it masked', async () => {
      const { desk, app } = await openSending(await open());
      expect(await desk.read('editor', `${PATH}/test`)).toContain('value="editor@example.com"');
      const wrong = await desk.post('editor', `${PATH}/test`, { to: '"><script>' });
      expect(wrong.status).toBe(422);
      const text = await wrong.text();
      expect(text).toContain('value="&quot;&gt;&lt;script&gt;"');
      expect(text).toMatch(/id="to-error">Enter an address, such as name@example.com: /);
      await desk.act('editor', `${PATH}/test`, { to: 'colleague@example.com' });
      expect(mailsIn(app.folder)[0]).toContain('colleague@example.com');
      expect(await desk.audit()).toMatchObject([{ act: 'edition.test', detail: { to: 'c…@example.com' } }]);
    });

    it('logs a test copy also where its submission fails, since the answer may only be lost', async () => {
      const { desk, app } = await openSending(await open());
      mkdirSync(app.config.paths.data, { recursive: true });
      // In the place of the folder of messages.
      writeFileSync(join(app.config.paths.data, 'mail'), '');
      const failed = await desk.post('editor', `${PATH}/test`, { own: '1' });
      expect(failed.status).toBe(422);
      expect(await failed.text()).toContain('The copy was not submitted');
      expect(await desk.audit()).toMatchObject([{ act: 'edition.test', detail: { to: 'own address' } }]);
    });

    it('limits how many test copies an account sends', async () => {
      const { desk, app } = await openSending(await open());
      const send = () => desk.post('editor', `${PATH}/test`, { own: '1' });
      const statuses: number[] = [];
      for (let n = 0; n < 11; n++) statuses.push((await send()).status);
      expect(statuses).toEqual([...Array(10).fill(303), 422]);
      app.now += 2 * MINUTE;
      expect((await send()).status).toBe(303);
    });
  });
});
