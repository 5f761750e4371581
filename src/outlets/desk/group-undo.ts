/** Inverse of a command to story groups, for the notice about the command. Pure. */
import type { Notice } from '../../web/desk/notice.ts';
import type { GroupReference } from '../story-groups/change-groups.ts';
import type { GroupCommand } from '../story-groups/commands.ts';
import { firstItemOf, type GroupDecision, type StoryGroup } from '../story-groups/story-group.ts';
import { groupPath } from './group-address.ts';

export interface CarriedOut {
  command: GroupCommand;
  references: GroupReference[];
  edit: { groups: StoryGroup[] };
  /** Number of the command in the log. */
  number: number;
  /** The first group as it was before. */
  former: StoryGroup | null;
}

/** Characters of ids, and bytes of texts, that a notice can carry. */
const MAX_UNDO = 800;

/** The opposite command, where there is one. */
export function undoOf(done: CarriedOut, group: StoryGroup): Notice['undo'] {
  const {
    command,
    references,
    number,
    edit: { groups },
  } = done;
  const former = done.former?.decision ?? null;
  const fields = { items: String(group.id), seen: String(number) };
  const path = groupPath(group.id);
  switch (command.kind) {
    case 'pick':
      return former?.state === 'dropped'
        ? { action: `${path}/drop`, fields }
        : { action: `${path}/restore`, label: 'Take it back', fields };
    case 'drop': {
      const restore = { action: `${path}/restore`, label: 'Restore', fields };
      // A rule picks again what is neither picked nor dropped.
      return isEditorsPick(former) ? (formerPick(former, `${path}/pick`, number) ?? restore) : restore;
    }
    case 'edit':
      return formerPick(former, `${path}/edit`, number);
    case 'restore':
      if (former?.state === 'picked') return formerPick(former, `${path}/pick`, number);
      return former?.state === 'dropped' ? { action: `${path}/drop`, fields } : undefined;
    case 'first': {
      // The report of a pick that is named first stays credited.
      const isNew = former?.state === 'picked' && !former.creditedItems.includes(command.item);
      if (done.former === null || isNew) return undefined;
      return { action: `${path}/first`, fields: { ...fields, item: String(firstItemOf(done.former).id) } };
    }
    case 'merge': {
      const joined = references.filter(({ items }) => !items.includes(group.id));
      const report = (joined[0]?.items ?? []).join(',');
      const isOne = references.length === 2 && joined.length === 1 && report.length <= MAX_UNDO;
      return isOne ? { action: `${path}/split`, label: 'Split again', fields: { ...fields, report } } : undefined;
    }
    case 'split': {
      const other = groups[1];
      if (other === undefined) return undefined;
      return { action: `${path}/merge`, label: 'Merge again', fields: { ...fields, with: String(other.id) } };
    }
    default:
      return undefined;
  }
}

function isEditorsPick(former: GroupDecision | null): boolean {
  return former?.state === 'picked' && former.pickedBy === 'editor';
}

/**
 * The form that gives a pick its former values, with the reports that it credited. None where the texts are too long
 * for a notice.
 */
function formerPick(former: GroupDecision | null, action: string, number: number): Notice['undo'] {
  if (former === null || former.text === null) return undefined;
  const { text, headline, section, hasPicture, firstItem, creditedItems } = former;
  const fields = {
    ...{ items: creditedItems.join(','), seen: String(number), text, headline: headline ?? '', section: section ?? '' },
    ...(hasPicture ? { picture: '1' } : {}),
    ...(firstItem === null ? {} : { first: String(firstItem) }),
  };
  return Buffer.byteLength(JSON.stringify(fields)) > MAX_UNDO ? undefined : { action, fields };
}
