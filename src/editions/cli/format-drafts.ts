/** Text output about drafts of editions. */
import { withCommands } from '../../core/actions.ts';
import { section, table } from '../../core/cli/text.ts';
import { count } from '../../lib/text/count.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { localDateTime, rfc3339 } from '../../lib/time.ts';
import type { ArrangedDraft, ArrangedStory } from '../draft/arranged-draft.ts';
import type { DraftComposition, EmptyComposition } from '../draft/compose-draft.ts';
import { describeCommand } from '../draft/describe.ts';
import { type DraftTarget, targetName } from '../draft/draft-target.ts';
import type { DraftEdit } from '../draft/edit-draft.ts';
import { type LogEntry, undoneNumbers, withdrewApproval } from '../draft/history.ts';
import type { EditionProblem } from '../edition-checks/edition-problem.ts';
import { type LeftOutReason, leftOutWords } from '../selection/left-out.ts';

/** A draft with what was composed of it. */
export interface ShownDraft {
  draft: ArrangedDraft;
  composition: DraftComposition | EmptyComposition;
  problems: EditionProblem[];
}

/** @param zone in which instants are shown */
export function formatDraft({ draft, composition, problems }: ShownDraft, zone: string): string {
  const { stories, slot, window, newsletter } = draft;
  const name = targetName(draft);
  const leftOut = draft.leftOut.filter(({ reason }) => reason.kind !== 'in-earlier-edition');
  const [from, until] = [window.from, window.until].map((instant) => localDateTime(instant, zone));
  const texts =
    composition.kind === 'empty'
      ? []
      : [
          `subject: ${composition.composed.subject}`,
          `preheader: ${composition.composed.preheader}`,
          ...(draft.draft.decisions.note === null ? [] : [`note: ${draft.draft.decisions.note.replace(/\s+/g, ' ')}`]),
        ];
  return [
    `${name}, slot ${localDateTime(slot.slotAt, zone)} (${zone}): ${describeState(draft, zone)}`,
    ...texts,
    composition.kind === 'empty' ? composition.reason : formatStoryCount(composition, draft),
    // An alert has its article, however old.
    ...(newsletter.kind === 'alert' ? [] : [`published from ${from} until ${until}`]),
    ...section('in it', table(stories.map(storyRow))),
    ...section(
      'not in it',
      table(
        leftOut.map(({ article, id, reason }) => [formatReason(reason, zone), cutLine(article?.headline ?? ''), id]),
      ),
    ),
    ...(problems.length === 0 ? [] : section('to check', formatEditionProblems(problems))),
    ...(composition.kind === 'empty'
      ? []
      : ['', `to approve exactly this: daywire editions approve ${name} --hash ${composition.hash}`]),
  ].join('\n');
}

function storyRow({ block, article, id, decision, isNew, isChanged }: ArrangedStory): string[] {
  const marks = [
    ...(decision === null ? [] : [decision]),
    ...(isNew ? ['new'] : []),
    ...(isChanged ? ['changed since the approval'] : []),
  ];
  return [block, cutLine(article.headline), id, marks.join(', ')];
}

/** `2 stories; the slot would be skipped below 3`. */
export function formatStoryCount(
  { stories, isSkipped }: DraftComposition,
  { newsletter }: Pick<DraftTarget, 'newsletter'>,
) {
  const skipped = isSkipped ? `; the slot would be skipped below ${newsletter.minimumStories}` : '';
  return count(stories, 'story', 'stories') + skipped;
}

function describeState({ draft: { state, closeAt }, approval, obstacle }: ArrangedDraft, zone: string): string {
  const sent = closeAt === null ? '' : `; closes at ${rfc3339(closeAt)} unless that is cancelled`;
  const by = 'by' in state ? ` by ${state.by}, ${localDateTime(state.at, zone)}` : '';
  const voided = approval?.voided == null ? '' : `; the approval is void: ${approval.voided}`;
  const waits = obstacle === null || state.kind === 'held' ? '' : `; ${obstacle.reason}`;
  const reason = state.kind === 'held' && state.reason !== null ? `: ${state.reason}` : '';
  return `${state.kind}${by}${reason}${voided === '' ? waits : voided}${sent}`;
}

function formatReason(reason: LeftOutReason, zone: string): string {
  if (reason.kind === 'not-public-yet') return `not public before ${localDateTime(reason.publicAt, zone)}`;
  if (reason.kind === 'too-old') return `too old: ${localDateTime(reason.publishedAt, zone)}`;
  return cutLine(leftOutWords(reason));
}

/** A headline or a reason in a table. */
function cutLine(text: string): string {
  return shorten(text, 60);
}

/** A line for each problem, then one with their number. */
export function formatEditionProblems(problems: readonly EditionProblem[]): string[] {
  const lines = problems.map(({ severity, place, message }) => {
    const story = place?.articleId == null ? '' : `, ${place.articleId} (${place.headline})`;
    return `${severity}: ${place === null ? '' : `${place.block}${story}: `}${message}`;
  });
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const counts = [[errors, 'error'] as const, [problems.length - errors, 'warning'] as const];
  const summary = counts.flatMap(([number, word]) => (number === 0 ? [] : [count(number, word)])).join(', ');
  return [...lines, summary || 'no problems'];
}

/** One line for what a command changed. */
export function formatEdit(target: DraftTarget, edit: DraftEdit): string {
  const { entry, draft } = edit;
  const name = targetName(target);
  const notices = noticesOf(edit);
  if (entry === null) return [`${name}: nothing to change`, ...notices].join('\n');
  return [
    `${name}: ${describeCommand(entry)}`,
    ...notices,
    ...(withdrewApproval(entry) ? ['the approval is withdrawn: approve it again'] : []),
    ...(draft.state.kind === 'closed'
      ? [`the edition is closed: this takes effect with "daywire editions reissue ${name}"`]
      : []),
  ].join('\n');
}

function noticesOf({ notices, ended }: DraftEdit): string[] {
  return ended === null ? notices : [...notices, withCommands(ended.problem, ended.actions)];
}

/** For programs. */
export function draftEditJson(target: DraftTarget, edit: DraftEdit): object {
  const { draft, entry } = edit;
  return {
    newsletter: target.newsletter.id,
    slot: target.slot.label,
    state: draft.state.kind,
    revision: draft.revision,
    entry,
    notices: noticesOf(edit),
    approvalWithdrawn: entry !== null && withdrewApproval(entry),
  };
}

/** For programs. */
export function draftJson({ draft, composition, problems }: ShownDraft): object {
  const { newsletter, slot, draft: stored, approval, window, stories, leftOut } = draft;
  const composed =
    composition.kind === 'empty'
      ? { hash: null, reason: composition.reason }
      : { hash: composition.hash, isSkipped: composition.isSkipped, ...textsOf(composition) };
  return {
    ...{ newsletter: newsletter.id, slot: slot.label, slotAt: slot.slotAt, window, approval, problems },
    ...{ state: stored.state, revision: stored.revision, closeAt: stored.closeAt, note: stored.decisions.note },
    ...composed,
    minimumStories: newsletter.minimumStories,
    stories: stories.map(({ article, ...story }) => ({ ...story, headline: article.headline })),
    leftOut: leftOut.map(({ article, ...story }) => ({ ...story, headline: article?.headline ?? null })),
  };
}

function textsOf({ composed: { subject, preheader } }: DraftComposition) {
  return { subject, preheader };
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
