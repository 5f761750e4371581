/** What the editor of the sample picks at the first start: its first edition shows a roundup of its outlets. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import type { AppContext } from '../../core/app-context.ts';
import { SAMPLE } from '../../outlets/sample/relative-times.ts';
import { changeGroups } from '../../outlets/story-groups/change-groups.ts';
import { publishPicks } from '../../outlets/story-groups/publish-picks.ts';

/** An entry of sample/outlets/picks.yaml. */
interface SamplePick {
  /** The address of one of the reports. */
  link: string;
  headline: string;
  text: string;
  section: string;
}

const EDITOR = 'Sample';

/**
 * Picks the groups that have these reports, unless somebody has decided about them. What the outlets have not reported
 * is left out.
 * @returns the number of picks
 */
export async function applySamplePicks(app: Pick<AppContext, 'config' | 'store' | 'clock'>): Promise<number> {
  const { store, config, clock } = app;
  const picks = parse(await readFile(new URL('outlets/picks.yaml', SAMPLE), 'utf8')) as SamplePick[];
  let picked = 0;
  for (const { link, section, ...own } of picks) {
    const item = await findUndecided(app, link);
    if (item === null) continue;
    const hasSection = config.sections.some(({ id }) => id === section);
    const command = { kind: 'pick', ...own, section: hasSection ? section : null } as const;
    await changeGroups(store, [{ items: [item], seen: null }], command, { editor: EDITOR, now: clock() });
    picked += 1;
  }
  // Also what an earlier start has picked, and not written.
  await publishPicks(store, config, clock);
  return picked;
}

/** @returns the id of an open item whose group nobody has decided about; null without one */
async function findUndecided({ store }: Pick<AppContext, 'store'>, link: string): Promise<number | null> {
  const row = await store.db
    .selectFrom('outlet_items')
    .leftJoin('story_groups', 'story_groups.id', 'outlet_items.group_id')
    .select('outlet_items.id')
    .where('outlet_items.url', '=', link)
    .where('outlet_items.state', '=', 'open')
    .where('outlet_items.group_id', 'is not', null)
    .where('story_groups.id', 'is', null)
    .orderBy('outlet_items.id')
    .executeTakeFirst();
  return row?.id ?? null;
}
