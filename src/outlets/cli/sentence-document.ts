/**
 * The document in which an editor writes a sentence for each of several story groups. Pure.
 *
 * Each group has a heading such as `===== g17 =====`, and what outlets wrote follows in lines that begin with `# `. The
 * rest below a heading is the sentence.
 */
import { count } from '../../core/cli/text.ts';
import { plainLine } from '../../lib/text/clean-text.ts';
import { shorten } from '../../lib/text/shorten.ts';
import { localDateTime } from '../../lib/time.ts';
import { firstItemOf, type GroupedItem, reportedAt, type StoryGroup } from '../story-groups/story-group.ts';

/** The document is not what was written below its headings: what is wrong, and where. */
class DocumentError extends Error {
  override name = 'DocumentError';
}

const MAX_SUMMARY = 300;

/** @param zone of the publication, for the times of reports */
export function formatDocument(groups: readonly StoryGroup[], zone: string): string {
  const lines = [
    `# ${count(groups.length, 'story', 'stories')} for the roundup. Write your sentence below each heading; a story`,
    '# without one is not picked. Keep the headings. Lines that begin with "# " are left out.',
  ];
  for (const group of groups) {
    const headline = group.decision?.state === 'picked' ? group.decision.headline : null;
    const first = firstItemOf(group);
    const summary = plainLine(first.summary ?? '');
    const inOrder = [first, ...group.items.filter((item) => item !== first)];
    lines.push(
      '',
      heading(group.id),
      // Also of a pick that was taken back: nobody has to write it again.
      group.decision?.text ?? '',
      `# ${plainLine(headline ?? first.title)}`,
      `# ${inOrder.map((item) => outletAndTime(item, zone)).join(', ')}`,
      ...(summary === '' ? [] : [`# ${shorten(summary, MAX_SUMMARY)}`]),
    );
  }
  return `${lines.join('\n')}\n`;
}

function heading(id: number): string {
  return `===== g${id} =====`;
}

function outletAndTime(item: GroupedItem, zone: string): string {
  return `${plainLine(item.outlet)} ${localDateTime(reportedAt(item), zone)}`;
}

const HEADING = /^={3,} *g(\d{1,15}) *={3,} *$/;
const COMMENT = /^#(?: |$)/;

/**
 * Reads the sentences, by id of the group; empty where none was written.
 * @param ids the groups that the document must have; undefined: those that it has
 * @throws DocumentError
 */
export function parseDocument(text: string, ids?: readonly number[]): Map<number, string> {
  const sentences = new Map<number, string[]>();
  let current: string[] | null = null;
  for (const [index, line] of text.replace(/\r\n?/g, '\n').split('\n').entries()) {
    if (COMMENT.test(line)) continue;
    const [, id] = HEADING.exec(line) ?? [];
    if (id !== undefined) {
      if (sentences.has(Number(id))) throw new DocumentError(`line ${index + 1}: g${id} has two headings: keep one`);
      if (ids !== undefined && !ids.includes(Number(id))) {
        throw new DocumentError(`line ${index + 1}: g${id} is none of the stories: keep the headings as they were`);
      }
      current = [];
      sentences.set(Number(id), current);
    } else if (current !== null) current.push(line);
    else if (line.trim() !== '') {
      throw new DocumentError(`line ${index + 1}: this text is above all headings: write it below one`);
    }
  }
  const missing = ids?.filter((id) => !sentences.has(id)) ?? [];
  if (missing.length > 0) {
    throw new DocumentError(
      `the heading "${heading(missing[0] as number)}" is missing: leave the text below it empty to leave a story out`,
    );
  }
  return new Map([...sentences].map(([id, lines]) => [id, lines.join('\n').trim()]));
}
