import { describe, expect, it } from 'vitest';
import { formatEditionProblems } from '../../../src/editions/cli/format-problems.ts';

describe('the problems of an edition', () => {
  it('are a line each, with their place, and a line with their number', () => {
    const place = { block: 'news', articleId: 'a', headline: 'Headline' } as const;
    const problem = { code: 'dead-link', severity: 'error', message: 'it is dead' } as const;
    expect(
      formatEditionProblems([
        { ...problem, place },
        { ...problem, severity: 'warning', place: { ...place, articleId: null, headline: null } },
        { ...problem, severity: 'warning', place: null },
      ]),
    ).toEqual([
      'error: news, a (Headline): it is dead',
      'warning: news: it is dead',
      'warning: it is dead',
      '1 error, 2 warnings',
    ]);
    expect(formatEditionProblems([])).toEqual(['no problems']);
  });
});
