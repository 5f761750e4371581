import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ImportMessage, MessageKinds } from '../../../src/articles/import/message-kinds.ts';
import { anyText } from '../../support/any-text.ts';
import { processorTime } from '../../support/processor-time.ts';

const rejected = (source: string, message: string): ImportMessage => {
  return { kind: 'rejected', source, text: `${source}:${message}` };
};

function linesOf(messages: ImportMessage[]): string[] {
  const kinds = new MessageKinds();
  for (const message of messages) kinds.add(message);
  return kinds.lines();
}

describe('the messages of an import', () => {
  it('have one line for each kind, with their number and three places, rejections first', () => {
    const names = ['a.md', 'b.md', 'posts/c.md', 'd.md'];
    const missing = 'must begin with front matter';
    expect(
      linesOf([
        { kind: 'warning', source: 'e.md', text: 'e.md:7: removed from the body: <script>' },
        ...names.map((name, index) => rejected(name, `${index + 1}: ${missing}`)),
        rejected('f.md', '3: slug is "Über uns": must be lower-case letters, at most 80'),
        rejected('g.md', '9: slug is "a \\"b\\": c": must be lower-case letters, at most 80'),
      ]),
    ).toEqual([
      `4 × ${missing} (a.md:1, b.md:2, posts/c.md:3)`,
      '2 × slug is "…": must be lower-case letters, at most 80 (f.md:3, g.md:9)',
      'e.md:7: removed from the body: <script>',
    ]);
  });

  it('keep what is the same in all of them, and leave out addresses, numbers and files that differ', () => {
    expect(
      linesOf([
        rejected('a.md', '1: id is "x": article "x" is already at posts/b.md:4; it is 120 bytes long, of 80'),
        rejected('c.md', '1: id is "y": article "y" is already at d.md:12; it is 99 bytes long, of 80'),
        rejected('picture https://a.example/1.jpg', ' its server answered 404'),
        rejected('picture https://b.example/2.jpg', ' its server answered 404'),
      ]),
    ).toEqual([
      '2 × id is "…": article "…" is already at …:…; it is … bytes long, of 80 (a.md:1, c.md:1)',
      '2 × its server answered 404 (picture https://a.example/1.jpg, picture https://b.example/2.jpg)',
    ]);
  });

  it('keep the names in notices apart, which are what they are about', () => {
    const notices = ['mood', 'mood', 'layout'].map((key, index) => {
      const text = `a.jsonl:${index + 1}: the key ${key} is unknown`;
      return { kind: 'notice' as const, source: 'a.jsonl', text };
    });
    expect(linesOf(notices)).toEqual([
      '2 × the key mood is unknown (a.jsonl:1, a.jsonl:2)',
      'a.jsonl:3: the key layout is unknown',
    ]);
  });

  it('are all counted, whatever they say, with a bounded number of kinds and in linear time', () => {
    const message = fc.record({
      kind: fc.constantFrom('rejected' as const, 'warning' as const, 'notice' as const),
      source: anyText(20),
      text: anyText(60),
    });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const kinds = new MessageKinds();
        for (const one of messages) kinds.add(one);
        expect(kinds.count).toBe(messages.length);
        expect(kinds.list().reduce((sum, { count }) => sum + count, 0)).toBe(messages.length);
      }),
    );
    const kinds = new MessageKinds();
    const letters = (index: number): string =>
      String.fromCharCode(97 + (index % 26), 97 + (Math.floor(index / 26) % 26));
    for (let index = 0; index < 5_000; index++) kinds.add(rejected(`${index}.md`, `1: ${letters(index)} is wrong`));
    expect(kinds.lines()).toHaveLength(201);
    expect(kinds.lines().at(-1)).toMatch(/^and \d+ messages of other kinds$/);
    for (const part of ['"', '"\\"', '\\', 'a', '1 ', ':']) {
      const long = rejected('a.md', `1: ${part.repeat(1_000_000)}`);
      expect(
        processorTime(() => kinds.add(long)),
        part,
      ).toBeLessThan(1_000);
    }
  });
});
