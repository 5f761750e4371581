/**
 * Text output about drafts of editions.
 */
import { withCommands } from '../../core/actions.ts';
import { count, section, table } from '../../core/cli/text.ts';
import { localDateTime, rfc3339 } from '../../lib/time.ts';
import { describeCommand, describeField, describeValue } from '../draft/describe.ts';
import { type DraftTarget, targetName } from '../draft/draft-target.ts';
import type { DraftConflictError, DraftEdit } from '../draft/edit-draft.ts';
import { type LogEntry, undoneNumbers, withdrewApproval } from '../draft/history.ts';
import type { DraftStory, ShownDraft } from '../draft/show-draft.ts';
import type { Block } from '../selection/selection.ts';
import { cutLine, formatReason, formatSkipped } from './format-preview.ts';
import { formatEditionProblems } from './format-problems.ts';

const BLOCK_TITLES: Record<Block, string> = {
  lead: 'lead',
  news: 'news',
  analysis: 'analysis',
  roundup: 'roundup',
  also: 'roundup',
  latest: 'latest',
};

/** @param zone in which instants are shown */
export function formatDraft(draft: ShownDraft, minimumStories: number, zone: string): string {
  const { newsletter, slot, slotAt, window, stories, olderArticles, isSkipped } = draft;
  const leftOut = draft.leftOut.filter(({ reason }) => reason.kind !== 'in-earlier-edition');
  const earlier = draft.leftOut.length - leftOut.length + olderArticles;
  const [from, until] = [window.from, window.until].map((instant) => localDateTime(instant, zone));
  const shown = stories.filter(({ block }) => block !== 'also').length;
  const texts = [
    ['subject', draft.subject ?? ''],
    ['preheader', draft.preheader ?? ''],
    ['note', draft.note ?? ''],
  ].filter(([, text]) => text !== '') as [ShownDraft['edited'][number], string][];
  return [
    `${newsletter}/${slot}, slot ${localDateTime(slotAt, zone)} (${zone}): ${describeState(draft, zone)}`,
    ...texts.map(([name, text]) => {
      const mark = name !== 'note' && draft.edited.includes(name) ? ' (edited)' : '';
      return `${name}: ${text.replace(/\s+/g, ' ')}${mark}`;
    }),
    isSkipped ? formatSkipped(shown, minimumStories) : count(shown, 'story', 'stories'),
    // An alert has its article, however old.
    ...(window.from === 0 ? [] : [`published from ${from} until ${until}`]),
    ...formatStories(stories),
    ...section(
      'not in it',
      table(leftOut.map(({ headline, id, reason }) => [formatReason(reason, zone), cutLine(headline ?? ''), id])),
    ),
    ...(earlier === 0 ? [] : ['', `${count(earlier, 'article')} of earlier editions or older`]),
    ...section('to check', formatEditionProblems(draft.problems)),
  ].join('\n');
}

function formatStories(stories: readonly DraftStory[]): string[] {
  const rows = table(
    stories.map(({ number, block, headline, id, ...story }) => [
      String(number),
      `${block === 'also' ? 'also: ' : ''}${cutLine(headline)}`,
      id,
      marks(story).join(', '),
    ]),
  );
  return stories.flatMap(({ block }, index) => {
    const title = BLOCK_TITLES[block];
    const before = stories[index - 1]?.block;
    const isFirst = before === undefined || BLOCK_TITLES[before] !== title;
    return [...(isFirst ? ['', title] : []), `  ${rows[index]}`];
  });
}

function marks({ decision, isNew, isChanged }: Pick<DraftStory, 'decision' | 'isNew' | 'isChanged'>): string[] {
  return [
    ...(decision === null ? [] : [decision]),
    ...(isNew ? ['new'] : []),
    ...(isChanged ? ['changed since the approval'] : []),
  ];
}

function describeState({ state, approval, isApprovalRequired, closeAt }: ShownDraft, zone: string): string {
  const countdown = closeAt === null ? '' : `; closes at ${rfc3339(closeAt)} unless that is cancelled`;
  const voided = approval?.voided ?? null;
  const main =
    state.kind === 'automatic'
      ? isApprovalRequired
        ? 'waits for approval'
        : 'automatic'
      : state.kind === 'held'
        ? `held by ${state.by}${state.reason === null ? '' : `: ${state.reason}`}`
        : state.kind === 'closed'
          ? `closed ${localDateTime(state.at, zone)}`
          : `approved by ${state.by}, ${localDateTime(state.at, zone)}`;
  return `${main}${voided === null ? '' : `; the approval is void: ${voided}`}${countdown}`;
}

/** One line for what a command changed. */
export function formatEdit(target: DraftTarget, edit: DraftEdit): string {
  const { entry, undone, draft } = edit;
  const name = targetName(target);
  const notices = noticesOf(edit);
  if (entry === null) return [`${name}: nothing to change`, ...notices].join('\n');
  const what = undone === null ? describeCommand(entry) : `${entry.command.kind}: ${describeCommand(undone)}`;
  return [
    `${name}: ${what}`,
    ...notices,
    ...describeApproval(entry, draft),
    ...(draft.state.kind === 'closed'
      ? [`the edition is closed: this takes effect with "daywire editions reissue ${name}"`]
      : []),
  ].join('\n');
}

function noticesOf({ notices, ended }: DraftEdit): string[] {
  return ended === null ? notices : [...notices, withCommands(ended.problem, ended.actions)];
}

/** What the command did to an approval that it is not itself about. */
function describeApproval(entry: LogEntry, { state }: DraftEdit['draft']): string[] {
  if (withdrewApproval(entry)) {
    const again = state.kind === 'held' ? 'approve it again when it is let go' : 'approve it again';
    return [`the approval is withdrawn: ${again}`];
  }
  const isBack = entry.undoes !== null && entry.changes.some(({ field }) => field === 'state');
  return isBack && state.kind === 'approved' ? [`the approval by ${state.by} counts again`] : [];
}

/** For programs. */
export function draftEditJson(target: DraftTarget, edit: DraftEdit): object {
  const { draft, entry, undone } = edit;
  return {
    newsletter: target.newsletter.id,
    slot: target.slot.label,
    state: draft.state.kind,
    revision: draft.revision,
    entry,
    undone: undone?.number ?? null,
    notices: noticesOf(edit),
    approvalWithdrawn: entry !== null && withdrewApproval(entry),
  };
}

/** Both values of each field that was not changed. */
export function formatConflicts({ conflicts, by }: DraftConflictError): string[] {
  const values = conflicts.flatMap(({ field, wanted, current }) => [
    `${by} has changed ${describeField(field)} since you looked, so nothing was changed`,
    `  yours:   ${describeValue(wanted)}`,
    `  current: ${describeValue(current)}`,
  ]);
  return [...values, '  look again with "daywire editions show", then repeat the command if it is still right'];
}

/** @param log newest first */
export function formatDraftLog(log: readonly LogEntry[], zone: string): string {
  if (log.length === 0) return 'no commands yet';
  const undone = undoneNumbers(log.toReversed());
  return table(
    log.map((entry) => [
      String(entry.number),
      localDateTime(entry.at, zone),
      entry.editor,
      `${describeCommand(entry)}${undone.has(entry.number) ? ' (undone)' : ''}`,
    ]),
  ).join('\n');
}
