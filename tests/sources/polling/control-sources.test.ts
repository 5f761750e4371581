import { describe, expect, it } from 'vitest';
import { HOUR, rfc3339 } from '../../../src/lib/time.ts';
import { decideWithdrawals } from '../../../src/own-sites/sweep.ts';
import { requestSourcePoll, setPaused } from '../../../src/sources/control-sources.ts';
import { findSourceRow } from '../../../src/sources/source-state.ts';
import { NOW } from '../../support/clock.ts';
import { forEachDatabase } from '../../support/databases.ts';
import { OUTLET, SITE, setSource } from '../../support/sources.ts';
import { openTestApp } from '../../support/test-app.ts';

const refuse = () => Promise.reject(new Error('the audit log is full'));

forEachDatabase((open) => {
  describe.each([SITE, OUTLET])('$id: a source of this kind', (source) => {
    it('is paused, is not polled on request then, and resumes at once', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { db } = app.store;
      await expect(setPaused(app, source, true, refuse)).rejects.toThrow('audit log');
      expect(await findSourceRow(db, source.id)).toBeNull();
      await setPaused(app, source, true);
      expect(await requestSourcePoll(app, source, refuse)).toEqual({ kind: 'stopped', why: 'paused' });
      app.now += HOUR;
      await setPaused(app, source, false);
      expect(await findSourceRow(db, source.id)).toMatchObject({ paused_at: null, due_at: NOW + HOUR });
    });

    it('is due at once on request, together with what the caller adds', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { db } = app.store;
      await setPaused(app, source, false);
      await setSource(db, { due_at: NOW + 5 * HOUR });
      await expect(requestSourcePoll(app, source, refuse)).rejects.toThrow('audit log');
      expect(await findSourceRow(db, source.id)).toMatchObject({ due_at: NOW + 5 * HOUR });
      expect(await requestSourcePoll(app, source)).toEqual({ kind: 'requested' });
      expect(await findSourceRow(db, source.id)).toMatchObject({ due_at: NOW });
    });
  });

  describe('the feed of an outlet', () => {
    it('is not polled before the instant that its server asked for, nor once it is gone', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { db } = app.store;
      await setPaused(app, OUTLET, false);
      await setSource(db, { due_at: NOW + HOUR });
      await setSource(db, { state: 'waiting', reason: 'it answered 429' });
      expect(await requestSourcePoll(app, OUTLET)).toEqual({ kind: 'requested' });
      const reason = `it answered 503: it asks not to be called before ${rfc3339(NOW + HOUR)}`;
      await setSource(db, { state: 'waiting', reason, due_at: NOW + 5 * HOUR });
      expect(await requestSourcePoll(app, OUTLET, refuse)).toEqual({
        kind: 'waiting',
        until: NOW + HOUR,
      });
      await setSource(db, { state: 'gone' });
      expect(await requestSourcePoll(app, OUTLET, refuse)).toEqual({
        kind: 'stopped',
        why: 'gone',
      });
    });
  });

  describe('deciding on withdrawn posts', () => {
    it('is one transaction with what the caller adds, which is added only if any waited', async () => {
      const app = openTestApp(await open(), { feeds: ['latest'] });
      const { db } = app.store;
      const item = { source: SITE.id, item: '1', article_id: 'our-site.1', published_at: NOW };
      await db
        .insertInto('source_items')
        .values({ ...item, withdrawal: 'waiting' })
        .execute();
      const withdrawal = async () =>
        (await db.selectFrom('source_items').select('withdrawal').execute())[0]?.withdrawal;
      await expect(decideWithdrawals(app, SITE, 'retract', refuse)).rejects.toThrow('audit log');
      expect(await withdrawal()).toBe('waiting');
      expect(await decideWithdrawals(app, SITE, 'keep', async () => {})).toBe(1);
      expect(await withdrawal()).toBe('left');
      expect(await decideWithdrawals(app, SITE, 'keep', refuse)).toBe(0);
    });
  });
});
