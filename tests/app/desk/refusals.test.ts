/** What editors and operators read when an act is refused: what to do at the desk, and nothing of the command line. */

import { expect, it } from 'vitest';
import { queueEdition } from '../../../scripts/test-edition.ts';
import type { AccountRole } from '../../../src/accounts/permissions.ts';
import type { EditionDeliveryState } from '../../../src/core/store/tables/edition-tables.ts';
import { DAY } from '../../../src/lib/time.ts';
import { openRoundupDesk, type RoundupDesk } from '../../outlets/desk/roundup-desk.ts';
import { article, saveAll } from '../../support/articles.ts';
import { NOW } from '../../support/clock.ts';
import { openMigrated } from '../../support/databases.ts';

const SLOT = '2026-11-25';
const DRAFT = `/editions/daily-roundup/${SLOT}/draft`;

interface Attempt {
  role: AccountRole;
  /** In place of IDs: EDITION, and G1 to G3 for the groups. */
  path: string;
  fields?: Record<string, string>;
  /** Of the edition that has closed, before the act. */
  state?: EditionDeliveryState;
  /** Part of the words that it is refused with. */
  says: string;
}

const delivery = (act: string, state: EditionDeliveryState, says: string, fields = {}): Attempt => ({
  ...{ role: 'admin', path: `/deliveries/EDITION/${act}`, fields: { password: 'correct horse battery', ...fields } },
  ...{ state, says },
});
const draft = (act: string, fields: Record<string, string>, says: string): Attempt => ({
  ...{ role: 'editor', path: `${DRAFT}/${act}`, fields: { seen: '99', ...fields }, says },
});
const group = (act: string, fields: Record<string, string>, says: string): Attempt => ({
  ...{ role: 'editor', path: `/roundup/G1/${act}`, fields: { seen: '99', ...fields }, says },
});
const article1 = (act: string, fields: Record<string, string>, says: string): Attempt => ({
  ...{ role: 'editor', path: `/articles/first/${act}`, fields, says },
});

const ATTEMPTS: Attempt[] = [
  delivery('pause', 'done', 'is done and cannot be paused'),
  delivery('resume', 'done', 'to deliver what was not submitted, use “Retry failed” under Deliveries'),
  delivery('resume', 'cancelled', 'to deliver what was not submitted, use “Deliver it after all” under Deliveries'),
  delivery('resume', 'paused', 'an extension must be at most', { hours: '9999' }),
  delivery('retry', 'cancelled', 'to deliver it after all, use “Deliver it after all” under Deliveries'),
  delivery('settle', 'done', 'Say whether it was submitted'),
  delivery('cancel', 'done', 'is done and cannot be cancelled'),
  draft('approve', { hash: 'x' }, 'It cannot be approved'),
  draft('release', {}, 'It is not held'),
  draft('pin', { story: 'unknown' }, 'There is no article unknown'),
  draft('move', { story: 'item', block: 'lead' }, '“Headline of item” is a roundup item'),
  draft('move', { story: 'first', block: 'cellar' }, 'There is no block cellar'),
  draft('subject', { text: 'x'.repeat(1_000) }, 'at most'),
  draft('undo', {}, 'has no command to undo: to see all commands, use the log on its page'),
  draft('redo', {}, 'has no undone command to redo: to see all commands, use the log on its page'),
  draft('send', {}, 'needs at least 3'),
  draft('cancel-send', {}, 'there is nothing to cancel'),
  group('first', { item: '99999' }, 'the report is no longer in this group'),
  group('split', { report: '99999' }, 'the report is no longer in this group'),
  group('restore', {}, 'neither picked nor dropped'),
  group('edit', { text: 'Text.' }, 'it is not picked'),
  group('pick', { text: ' ' }, 'the sentence is empty'),
  group('merge', { with: '99999' }, 'the group is no longer there'),
  article1('undo', { number: '99' }, 'nothing was taken back'),
  { role: 'operator', path: '/sources/unknown/poll', says: 'There is no source unknown' },
];

it('says what to do at the desk, for every act that is refused', async () => {
  const store = await openMigrated();
  const desk = await openRoundupDesk(store);
  // Too old for the edition, so that none is rendered.
  const publishedAt = NOW - 30 * DAY;
  await saveAll(store, [
    article('first', { publishedAt }),
    article('item', { kind: 'roundup-item', publishedAt, headline: 'Headline of item' }),
  ]);
  const { editionId } = await queueEdition(store, 1);
  await store.db.updateTable('deliveries').set({ state: 'failed' }).execute();
  for (const { role, path, fields, state, says } of ATTEMPTS) {
    if (state !== undefined) await store.db.updateTable('editions').set({ delivery_state: state }).execute();
    const named = path
      .replace('EDITION', String(editionId))
      .replace(/G(\d)/, (_, n: string) => `g${desk.groups[Number(n) - 1]}`);
    const answer = await answerOf(desk, role, named, fields);
    const name = `${path} ${state ?? ''}`;
    expect(answer.status, name).not.toBe('done');
    const text = answer.text.replaceAll('&quot;', '"').replaceAll('&#39;', "'");
    const main = text.slice(text.indexOf('<main'), text.indexOf('</main>'));
    expect(main.toLowerCase().includes(says.toLowerCase()), `${name}: ${refusalsIn(main)}`).toBe(true);
    expect([name, main.match(COMMAND_LINE)]).toEqual([name, null]);
  }
  await desk.close();
});

const COMMAND_LINE = /"daywire [a-z]+|daywire (?:editions|roundup|sources|subscribers) |(?<=[\s(])--[a-z]/;

function refusalsIn(page: string): string {
  return [...page.matchAll(/(?:class="error"|notice problem")[^>]*>(.{1,300})/gs)].map(([, text]) => text).join(' | ');
}

/** The page that the browser shows, and whether the act was done. */
async function answerOf(desk: RoundupDesk, role: AccountRole, path: string, fields: Record<string, string> = {}) {
  const response = await desk.post(role, path, fields);
  if (response.status !== 303) return { status: String(response.status), text: await response.text() };
  const text = await desk.act(role, path, fields);
  return { status: text.includes('<div class="notice problem">') ? 'problem' : 'done', text };
}
