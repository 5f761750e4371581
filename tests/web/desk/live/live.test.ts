import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AccountRole } from '../../../../src/accounts/permissions.ts';
import { raiseAlert } from '../../../../src/core/alerts/alerts.ts';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import { DELIVERY_HELD, writeMeta } from '../../../../src/core/store/meta.ts';
import type { Store } from '../../../../src/core/store/store.ts';
import { composeNow } from '../../../../src/delivery/closing/close.ts';
import { findDraftTarget } from '../../../../src/editions/draft/draft-target.ts';
import { editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { HOUR } from '../../../../src/lib/time.ts';
import { LiveHub, type LiveMessage } from '../../../../src/web/desk/live/live-hub.ts';
import { openTestDesk, type TestDesk, type TestDeskOptions } from '../../../app/desk/test-desk.ts';
import { alertNamed } from '../../../support/alerts.ts';
import { forEachDatabase } from '../../../support/databases.ts';
import { openTestApp } from '../../../support/test-app.ts';

async function open(store: Store, options: TestDeskOptions = {}): Promise<TestDesk> {
  const desk = await openTestDesk(store, options);
  onTestFinished(() => desk.close());
  return desk;
}

async function closeEdition({ app }: TestDesk) {
  const closed = await composeNow(app, app.config.newsletters[0] as NewsletterConfig);
  if (closed.kind !== 'closed') throw new Error('no edition was closed');
  return { editionId: closed.edition.id, queued: closed.queued };
}

/** The messages of a stream, one after the other. */
async function connect(desk: TestDesk, role: AccountRole) {
  const response = await desk.get(role, '/live');
  if (response.body === null) throw new Error('the response has no body');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const next = async (): Promise<LiveMessage> => {
    for (;;) {
      const [event, rest] = text.split('\n\n', 2);
      if (rest !== undefined) {
        text = text.slice((event as string).length + 2);
        if (event?.startsWith('data: ')) return JSON.parse(event.slice(6));
        continue;
      }
      const { value, done } = await reader.read();
      if (done) throw new Error('the stream has ended');
      text += value;
    }
  };
  /** The next message that has something for `look`. */
  const until = async <T>(look: (message: LiveMessage) => T | undefined): Promise<T> => {
    for (;;) {
      const found = look(await next());
      if (found !== undefined) return found;
    }
  };
  return { response, next, until, cancel: () => reader.cancel() };
}

describe('the live stream', () => {
  forEachDatabase((openStore) => {
    it('begins with everything, and says what others have changed', async () => {
      const store = await openStore();
      const desk = await open(store);
      const stream = await connect(desk, 'editor');
      expect(stream.response.headers.get('Content-Type')).toBe('text/event-stream');
      expect(stream.response.headers.get('Cache-Control')).toBe('no-cache');
      const first = await stream.next();
      expect(Object.keys(first.topics)).toEqual(expect.arrayContaining(['roundup', 'articles', 'alerts']));
      const [newsletter] = desk.app.config.newsletters;
      if (newsletter === undefined) throw new Error('no newsletter');
      const target = await findDraftTarget(desk.app, newsletter);
      const topic = `draft:${newsletter.id}/${target.slot.label}`;
      expect(first.topics[topic]).toBeUndefined();
      desk.app.now += 60_000;
      await editDraft(desk.app, target, 'Otto', { kind: 'subject', text: 'A new subject' });
      expect(await stream.until(({ topics }) => topics[topic])).toBe(desk.app.now);
      await stream.cancel();
    });

    it('tells only who may read editions about drafts, figures and colleagues; everybody about alerts', async () => {
      const store = await openStore();
      const desk = await open(store);
      const posted = await desk.post('editor', '/presence', {
        page: 'draft:daily-roundup/2026-11-25',
        tab: 'abcdefgh',
      });
      expect(posted.status).toBe(204);
      const [editor, audience] = [await connect(desk, 'editor'), await connect(desk, 'audience')];
      const seen = await editor.next();
      const { id, name } = desk.accounts.editor;
      expect(seen.presence).toEqual({ 'draft:daily-roundup/2026-11-25': [{ id, name }] });
      const others = await audience.next();
      expect(others).toEqual({ topics: { alerts: expect.any(Number) }, versions: {}, figures: {}, presence: {} });
      desk.app.now += 1;
      await raiseAlert(store.db, { ...alertNamed('x'), message: 'A new alert' }, desk.app.now);
      expect(await audience.until(({ topics }) => topics.alerts)).toBe(desk.app.now);
      await desk.post('editor', '/presence', { page: 'draft:daily-roundup/2026-11-25', tab: 'abcdefgh', closed: '1' });
      expect(await editor.until(({ presence }) => presence['draft:daily-roundup/2026-11-25'])).toEqual([]);
      await Promise.all([editor.cancel(), audience.cancel()]);
    });

    it('counts the messages of an edition under delivery, and measures their rate', async () => {
      const store = await openStore();
      const desk = await open(store, { sample: true });
      const { editionId, queued } = await closeEdition(desk);
      const name = (figure: string): string => `edition:${editionId}:${figure}`;
      const stream = await connect(desk, 'operator');
      const { figures } = await stream.next();
      expect(queued).toBeGreaterThan(2);
      expect(figures).toMatchObject({
        [name('pending')]: String(queued),
        [name('rate')]: 'not known',
        [name('over')]: '0 %',
      });
      desk.app.now += 2_000;
      const one = store.db
        .selectFrom('deliveries')
        .select('subscriber_id')
        .where('edition_id', '=', editionId)
        .limit(1);
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitted' })
        .where('edition_id', '=', editionId)
        .where('subscriber_id', 'in', one)
        .execute();
      const [submitted, rate, left] = await stream.until(({ figures }) =>
        figures[name('submitted')] === '1'
          ? [figures[name('submitted')], figures[name('rate')], figures[name('left')]]
          : undefined,
      );
      expect([submitted, rate, left]).toEqual(['1', '0.5', `${(queued - 1) * 2} s`]);
      await stream.cancel();
    });

    it('does not keep a session from ending while nobody uses the page that is open', async () => {
      const store = await openStore();
      const desk = await open(store);
      desk.app.now += 11 * HOUR;
      const stream = await connect(desk, 'editor');
      await desk.post('editor', '/presence', { page: 'draft:a/b', tab: 'abcdefgh' });
      expect((await desk.get('editor', '', { 'X-Background': '1' })).status).toBe(200);
      await stream.cancel();
      await desk.read('operator', '');
      desk.app.now += HOUR;
      expect((await desk.get('editor', '')).headers.get('Location')).toMatch(/^\/desk\/sign-in/);
      await desk.read('operator', '');
    });

    it('says when messages are uncertain or failed, the server is busy, and the queue is held', async () => {
      const store = await openStore();
      const desk = await open(store, { sample: true });
      const { editionId } = await closeEdition(desk);
      // In progress, until its time is over.
      const one = store.db.selectFrom('deliveries').select('subscriber_id').limit(1);
      await store.db
        .updateTable('deliveries')
        .set({ state: 'submitting', lease_until: desk.app.now + 30 })
        .where('subscriber_id', 'in', one)
        .execute();
      // Over before: the bar stays where it is.
      const last = store.db.selectFrom('deliveries').select('subscriber_id').orderBy('subscriber_id', 'desc').limit(1);
      const setLast = (state: 'suppressed' | 'failed') =>
        store.db.updateTable('deliveries').set({ state }).where('subscriber_id', 'in', last).execute();
      await setLast('suppressed');
      const stream = await connect(desk, 'operator');
      await stream.next();
      const backOff = { id: 1, reason: '421 later', failures: 1, since: 1, retry_at: 2, alerted: 0 };
      const changes: [topic: string, change: () => Promise<unknown>][] = [
        [
          `edition:${editionId}`,
          async () => {
            desk.app.now += 60;
          },
        ],
        [`edition:${editionId}`, () => setLast('failed')],
        ['deliveries', () => store.db.insertInto('back_off').values(backOff).execute()],
        ['deliveries', () => writeMeta(store.db, DELIVERY_HELD, 'a backup was restored')],
      ];
      for (const [topic, change] of changes) {
        desk.app.now += 1;
        await change();
        expect(await stream.until(({ topics }) => topics[topic])).toBe(desk.app.now);
      }
      await stream.cancel();
    });

    it('says something more often than a proxy or the server waits for it', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
      onTestFinished(() => void vi.useRealTimers());
      const desk = await open(await openStore());
      const stream = await connect(desk, 'operator');
      expect(Object.keys((await stream.next()).topics)).toContain('alerts');
      for (let times = 1; times <= 3; times++) {
        // The server closes a connection on which nothing is sent for 30 s, nginx one of 60 s.
        vi.advanceTimersByTime(20_000);
        expect(await stream.next()).toEqual({ topics: {}, versions: {}, figures: {}, presence: {} });
      }
      await stream.cancel();
    });

    it('refuses the stream to a page of another account than the one that is signed in', async () => {
      const desk = await open(await openStore());
      const { editor, operator } = desk.accounts;
      expect((await desk.get('operator', `/live?account=${editor.id}`)).status).toBe(409);
      const own = await desk.get('operator', `/live?account=${operator.id}`);
      expect(own.status).toBe(200);
      const reader = own.body?.getReader();
      await reader?.read();
      await reader?.cancel();
    });

    it('says what changed while nobody was connected, and nothing else, so that each page is loaded once', async () => {
      const app = openTestApp(await openStore());
      const hub = new LiveHub(app, 1);
      const firstMessage = async (): Promise<LiveMessage> => {
        for (;;) {
          const received: LiveMessage[] = [];
          const { promise, resolve } = Promise.withResolvers<void>();
          const end = hub.subscribe((message) => {
            received.push(message);
            resolve();
          });
          // At once: the loop has not noticed yet that the stream before is gone.
          const isOfRunningLoop = received.length > 0;
          await promise;
          end();
          if (!isOfRunningLoop) return received[0] as LiveMessage;
          await setImmediate();
        }
      };
      const first = await firstMessage();
      const begun = app.now;
      expect(new Set(Object.values(first.topics))).toEqual(new Set([begun]));
      app.now += 60_000;
      await raiseAlert(app.store.db, { ...alertNamed('x'), message: 'A new alert' }, app.now);
      const { topics } = await firstMessage();
      expect(topics).toEqual({ ...first.topics, alerts: app.now });
      await hub.stop();
    });

    it('forgets colleagues whose tab has been silent', async () => {
      const store = await openStore();
      const desk = await open(store);
      await desk.post('editor', '/presence', { page: 'draft:a/b', tab: 'abcdefgh' });
      desk.app.now += 41_000;
      const stream = await connect(desk, 'operator');
      expect((await stream.next()).presence).toEqual({});
      await stream.cancel();
    });
  });
});
