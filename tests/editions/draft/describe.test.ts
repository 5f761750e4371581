import { expect, it } from 'vitest';
import { describeCommand } from '../../../src/editions/draft/describe.ts';

it('counts the stories of an approval as the draft does, without the links below them', () => {
  const stories = (['lead', 'news', 'also', 'also'] as const).map((block, n) => ({ id: `s${n}`, block, digest: '' }));
  const described = (count: number) =>
    describeCommand({ command: { kind: 'approve', hash: '', stories: stories.slice(0, count) }, undoes: null });
  expect([described(1), described(4)]).toEqual(['approved with 1 story', 'approved with 2 stories']);
});
