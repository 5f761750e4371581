import { expect, it } from 'vitest';
import type { NewsletterConfig } from '../../../../src/core/config/config.ts';
import { findDraftTarget } from '../../../../src/editions/draft/draft-target.ts';
import { editDraft } from '../../../../src/editions/draft/edit-draft.ts';
import { openTestDesk } from '../../../app/desk/test-desk.ts';
import { article, saveAll } from '../../../support/articles.ts';
import { NOW } from '../../../support/clock.ts';
import { forEachDatabase } from '../../../support/databases.ts';

const PATH = '/editions/daily-roundup/2026-11-25/draft';
const COMMANDS = 55;

/** The numbers of the entries that a page has, in its order. */
function entriesOf(html: string): number[] {
  return [...html.matchAll(/<li value="(\d+)"/g)].map(([, number]) => Number(number));
}

forEachDatabase((open) => {
  it('a long log has pages of its own, newest first; entries name their stories and can be undone there', async () => {
    const store = await open();
    const desk = await openTestDesk(store);
    await saveAll(store, [article('only', { headline: 'Ports Reopen', publishedAt: NOW - 1_000 })]);
    const target = await findDraftTarget(desk.app, desk.app.config.newsletters[0] as NewsletterConfig);
    await editDraft(desk.app, target, 'Edda Moreno', { kind: 'pin', story: 'only' });
    for (let n = 2; n <= COMMANDS; n++) {
      await editDraft(desk.app, target, 'Edda Moreno', { kind: 'subject', text: `Subject ${n}` });
    }
    const edition = await desk.read('editor', PATH);
    expect(entriesOf(edition)).toEqual(Array.from({ length: 12 }, (_, index) => COMMANDS - index));
    expect(edition).toContain(`href="/desk${PATH}/log">All 55 entries</a>`);
    const newest = await desk.read('editor', `${PATH}/log`);
    expect(entriesOf(newest)).toEqual(Array.from({ length: 50 }, (_, index) => COMMANDS - index));
    const older = /<a rel="next" href="\/desk([^"]*)"/.exec(newest)?.[1] as string;
    const oldest = await desk.read('editor', older);
    expect(entriesOf(oldest)).toEqual([5, 4, 3, 2, 1]);
    expect(oldest).toContain('“Ports Reopen”');
    expect(oldest).not.toContain('rel="next"');
    const [, action = '', entry = ''] =
      /action="\/desk([^"]*\/undo)"(?:(?!<\/form>)[\s\S])*name="entry" value="(1)"/.exec(oldest) ?? [];
    await desk.act('editor', action, { entry });
    expect(await desk.read('editor', `${PATH}/log`)).toContain('<li value="56"');
  });
});
