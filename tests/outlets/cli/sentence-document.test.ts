import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDocument, parseDocument } from '../../../src/outlets/cli/sentence-document.ts';
import { decideGroups } from '../../../src/outlets/story-groups/commands.ts';
import type { StoryGroup } from '../../../src/outlets/story-groups/story-group.ts';
import { NOW } from '../../support/clock.ts';
import { automaticGroup, groupedItem } from '../../support/outlet-items.ts';

const GROUPS = [automaticGroup(groupedItem(1), groupedItem(2)), automaticGroup(groupedItem(5, { summary: 'Theirs.' }))];
const DOCUMENT = formatDocument(GROUPS, 'Asia/Shanghai');

/** The document with a text below the heading of each group. */
function typed(document: string, texts: string[]): string {
  const rest = texts.values();
  return document.replace(/^=====.*$/gm, (heading) => `${heading}\n${rest.next().value ?? ''}`);
}

describe('the document of sentences', () => {
  it('has a heading for each group, and what outlets wrote as comments', () => {
    expect(DOCUMENT).toBe(`# 2 stories for the roundup. Write your sentence below each heading; a story
# without one is not picked. Keep the headings. Lines that begin with "# " are left out.

===== g1 =====

# Report 1
# Outlet 1 2026-11-24 19:01, Outlet 2 2026-11-24 19:02

===== g5 =====

# Report 5
# Outlet 5 2026-11-24 19:05
# Theirs.
`);
  });

  it('gives each group what was written below its heading, and nothing where that is empty', () => {
    expect([...parseDocument(DOCUMENT, [1, 5])]).toEqual([
      [1, ''],
      [5, ''],
    ]);
    expect([...parseDocument(typed(DOCUMENT, ['One.\r\n\r\nTwo.', '#NoComment']), [1, 5])]).toEqual([
      [1, 'One.\n\nTwo.'],
      [5, '#NoComment'],
    ]);
  });

  it('begins with the sentence that a group has, also when its pick was taken back', () => {
    const context = { editor: 'Ada', now: NOW, newArticleId: 'roundup-1' };
    const [picked] = decideGroups(GROUPS.slice(0, 1), { kind: 'pick', text: 'Ours.' }, context).changed as [StoryGroup];
    expect(parseDocument(formatDocument([picked], 'UTC'), [1]).get(1)).toBe('Ours.');
    const { changed } = decideGroups([picked], { kind: 'restore' }, context);
    expect(parseDocument(formatDocument(changed, 'UTC'), [1]).get(1)).toBe('Ours.');
  });

  it.each([
    ['g1 has two headings', '===== g1 =====\na\n===== g1 =====\nb'],
    ['g9 is none of the stories', '===== g1 =====\n===== g5 =====\n===== g9 =====\nb'],
    ['line 1: this text is above all headings', 'a\n===== g1 =====\n===== g5 ====='],
    ['the heading "===== g5 =====" is missing', '===== g1 =====\na'],
  ])('says where the document is unclear: %s', (message, text) => {
    expect(() => parseDocument(text, [1, 5])).toThrow(message);
  });

  it('lets nothing that outlets wrote become a sentence, a heading or a control of the terminal', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('\n===== g5 =====\ntext', '\r\ntext', '\u2028text', '\u0085text', '===== g1 =====', '\u001b[2J'),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (title, outlet, summary) => {
        const group = automaticGroup(groupedItem(1, { title: `x${title}`, outlet: `x${outlet}`, summary }));
        const document = formatDocument([group, GROUPS[1] as StoryGroup], 'UTC');
        expect(document.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        expect([...parseDocument(document, [1, 5]).values()]).toEqual(['', '']);
      }),
      { numRuns: 60 },
    );
  });
});
