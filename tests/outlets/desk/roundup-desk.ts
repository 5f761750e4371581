/** The desk of a newsroom whose outlets have reported three events. */
import type { Store } from '../../../src/core/store/store.ts';
import { HOUR, MINUTE } from '../../../src/lib/time.ts';
import { changeGroups } from '../../../src/outlets/story-groups/change-groups.ts';
import type { GroupCommand } from '../../../src/outlets/story-groups/commands.ts';
import { readGroups } from '../../../src/outlets/story-groups/group-rows.ts';
import type { GroupedItem, StoryGroup } from '../../../src/outlets/story-groups/story-group.ts';
import { openTestDesk, type TestDesk } from '../../app/desk/test-desk.ts';
import { NOW } from '../../support/clock.ts';
import { groupedItem, storeGroup } from '../../support/outlet-items.ts';
import type { TestAppOptions } from '../../support/test-app.ts';

export interface RoundupDesk extends TestDesk {
  /** Ids of the groups: of three outlets, of two, and of one. */
  groups: [number, number, number];
  group(id: number): Promise<StoryGroup>;
  /** A command of another editor, who has looked. */
  byBo(id: number, command: GroupCommand): Promise<unknown>;
  /** The hidden fields of a form of a page. @param action below /desk */
  fieldsOf(page: string, action: string): Record<string, string>;
  /** Sends the form of an act on a group, as a page shows it. @param page default: that of the group */
  send(id: number, act: string, fields?: Record<string, string>, page?: string): Promise<string>;
}

/** A report that is so many minutes old. */
export function report(outlet: string, minutes: number, change: Partial<GroupedItem> = {}): GroupedItem {
  const at = NOW - minutes * MINUTE;
  const url = `https://outlet.example.com/${outlet.toLowerCase().replace(/\W+/g, '-')}/${minutes}`;
  const own = { title: `${outlet} on event ${Math.floor(minutes / 10)}`, publishedAt: at, firstSeenAt: at };
  return groupedItem(0, { outlet, url, canonicalUrl: url, ...own, ...change });
}

export async function openRoundupDesk(store: Store, options?: TestAppOptions): Promise<RoundupDesk> {
  const desk = await openTestDesk(store, options);
  const ids: number[] = [];
  for (const items of [
    [report('The Example', 12, { summary: 'A summary.' }), report('Second Post', 11), report('Third Wire', 10)],
    [report('The Example', 21), report('Second Post', 20)],
    [report('Third Wire', 30)],
  ]) {
    ids.push((await storeGroup(store.db, items))[0]?.id as number);
  }
  return {
    ...desk,
    groups: ids as [number, number, number],
    group: async (id) => (await readGroups(store.db, [id])).get(id) as StoryGroup,
    byBo: (id, command) =>
      changeGroups(store, [{ items: [id], seen: null }], command, { editor: 'Bo', now: NOW - HOUR }),
    async send(id, act, fields = {}, page) {
      const path = `/roundup/g${id}`;
      const shown = page ?? (await desk.read('editor', path));
      return desk.act('editor', `${path}/${act}`, { ...fieldsOf(shown, `${path}/${act}`), ...fields });
    },
    fieldsOf,
  };
}

function fieldsOf(page: string, action: string): Record<string, string> {
  const form = page.split('<form').find((part) => part.includes(`action="/desk${action}"`));
  if (form === undefined) throw new Error(`no form ${action} in ${page}`);
  const [inputs = ''] = form.split('</form>');
  const hidden = [...inputs.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)];
  return Object.fromEntries(hidden.map(([, name, value]) => [name, value]));
}
