import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drawDay } from '../../../bench/grouping/days.ts';
import { readStories } from '../../../bench/grouping/headlines.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const ROWS = [
  '1,"Northwind\\\'s bid for Contoso, again",Orlen Post \\(blog\\),s1',
  '2,Northwind\\, Contoso to merge,Halvern Times,s1',
  '3,Dock workers strike,Halvern Times,s2,more,columns',
  '4,Dock workers end strike,Halvern Times,s2',
];

function write(header: string, rows: string[]): string {
  const file = join(temporaryFolder(), 'headlines.csv');
  writeFileSync(file, `${[header, ...rows].join('\n')}\n`);
  return file;
}

describe('the headlines of the grouping bench', () => {
  it('are read by story, with what backslashes escape, and further columns ignored', async () => {
    expect(await readStories(write('ID,TITLE,PUBLISHER,STORY', ROWS))).toEqual([
      [
        { title: 'Dock workers end strike', outlet: 'Halvern Times' },
        { title: 'Dock workers strike', outlet: 'Halvern Times' },
      ],
      [
        { title: "Northwind's bid for Contoso, again", outlet: 'Orlen Post (blog)' },
        { title: 'Northwind, Contoso to merge', outlet: 'Halvern Times' },
      ],
    ]);
  });

  it('are refused without the columns that they need', async () => {
    await expect(readStories(write('ID,HEADLINE,STORY', ['1,Dock workers strike,s1']))).rejects.toThrow(
      'row 1 lacks one of TITLE, PUBLISHER and STORY',
    );
  });

  it('are drawn with an outlet at most once a story, and equally with the same seed', async () => {
    const stories = await readStories(write('ID,TITLE,PUBLISHER,STORY', ROWS));
    const days = Array.from({ length: 30 }, (_, seed) => drawDay(stories, seed));
    expect(days.every(([strike]) => strike?.length === 1)).toBe(true);
    expect(days.some(([, merger]) => merger?.length === 2)).toBe(true);
    expect(days).toEqual(Array.from({ length: 30 }, (_, seed) => drawDay(stories, seed)));
  });
});
