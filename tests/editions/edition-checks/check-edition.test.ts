import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CheckFacts, checkEdition } from '../../../src/editions/edition-checks/check-edition.ts';
import type { ProblemCode } from '../../../src/editions/edition-checks/edition-problem.ts';
import type { StoryIdentity } from '../../../src/editions/edition-checks/repeated-stories.ts';
import type { LinkState } from '../../../src/editions/links/link-cache.ts';
import type { EditionView, Story } from '../../../src/editions/rendering/edition-view.ts';
import { placeholder } from '../../../src/editions/rendering/placeholders.ts';
import { ROOT } from '../../support/sample.ts';
import { SAMPLE_NONCE, SAMPLE_SITE, SAMPLE_VIEW } from '../rendering/sample-view.ts';

const golden = (name: string): string => readFileSync(join(ROOT, 'tests/golden/editions', name), 'utf8');
const html = golden('roundup.html');
const text = golden('roundup.txt');
const SUBJECT = 'Tech Roundup: chips';

const FACTS: CheckFacts = {
  edition: {
    view: { ...SAMPLE_VIEW, subject: SUBJECT },
    html,
    text,
    nonce: SAMPLE_NONCE,
    size: { bytes: Buffer.byteLength(html), shortExcerpts: false, leftOut: 0 },
  },
  blocks: { news: 10, analysis: 3, roundup: 10, latest: 10 },
  isSubjectEdited: true,
  postalAddress: SAMPLE_SITE.postalAddress,
  imprint: null,
  stories: [],
  last: null,
  links: new Map(),
};

function check({
  edition,
  ...facts
}: Partial<Omit<CheckFacts, 'edition'>> & { edition?: Partial<CheckFacts['edition']> } = {}) {
  return checkEdition({ ...FACTS, ...facts, edition: { ...FACTS.edition, ...edition } });
}

const changed = (change: Partial<EditionView>) =>
  check({ edition: { view: { ...SAMPLE_VIEW, subject: SUBJECT, ...change } } });
const withLead = (change: Partial<Story>) => changed({ lead: { ...(SAMPLE_VIEW.lead as Story), ...change } });
const identity = (articleId: string, change: Partial<StoryIdentity> = {}): StoryIdentity => ({
  articleId,
  block: 'news',
  headline: `Headline of ${articleId}`,
  url: null,
  outletUrl: null,
  eventKey: null,
  ...change,
});

describe('the checks of an edition', () => {
  it('find nothing in an edition that has no problem', () => {
    expect(check()).toEqual([]);
  });

  it('list errors first', () => {
    const problems = withLead({ headline: 'TK', image: { ...picture, alt: '' } });
    expect(problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['leftover-word', 'error'],
      ['missing-alt-text', 'warning'],
    ]);
  });

  it('miss an unsubscribe link, in the HTML, where it must be a link, and in the text', () => {
    const link = placeholder(SAMPLE_NONCE, 'unsubscribe');
    expect(codes(check({ edition: { text: text.replace(link, '') } }))).toEqual(['no-unsubscribe-link']);
    const [problem] = check({ edition: { html: html.replace(`href="${link}"`, `title="${link}"`) } });
    expect(problem).toMatchObject({
      code: 'no-unsubscribe-link',
      severity: 'error',
      message: 'the HTML has no unsubscribe link: add placeholders.unsubscribe to the template',
    });
    const both = check({ edition: { html: html.replaceAll(link, ''), text: text.replaceAll(link, '') } });
    expect(both[0]?.message).toMatch(/^the HTML and the text has no unsubscribe link/);
  });

  it('miss the link to the imprint, in the HTML and in the text', () => {
    const imprint = 'https://wire.example.com/imprint?a=1&b=2';
    const both = check({ imprint });
    expect(both).toMatchObject([{ code: 'no-imprint-link', severity: 'error' }]);
    expect(both[0]?.message).toMatch(/^the HTML and the text has no link to the imprint \(https:\/\/wire/);
    const withLink = `${html}<a href="${imprint.replace('&', '&amp;')}">Imprint</a>`;
    expect(codes(check({ imprint, edition: { html: withLink } }))).toEqual(['no-imprint-link']);
    expect(check({ imprint, edition: { html: withLink, text: `${text}\nImprint: ${imprint}` } })).toEqual([]);
  });

  it('miss the postal address in the HTML and in the text, however its lines are broken', () => {
    const address = SAMPLE_SITE.postalAddress;
    const broken = address.replace(', ', ',<br>\n');
    expect(check({ edition: { html: html.replace(address, broken) } })).toEqual([]);
    const [problem] = check({ edition: { html: html.replace(address, `<!-- ${address} -->`) } });
    expect(problem).toMatchObject({ code: 'no-postal-address', severity: 'error' });
    expect(problem?.message).toContain(`the HTML does not show the postal address (${address})`);
    expect(codes(check({ postalAddress: 'Elsewhere 2 & 3' }))).toEqual(['no-postal-address']);
    expect(
      check({
        postalAddress: 'Elsewhere 2 & 3',
        edition: { html: html.replace(address, 'Elsewhere 2 &amp; 3'), text: `${text}\nElsewhere\n2 & 3` },
      }),
    ).toEqual([]);
  });

  it('report an edited subject of more than 60 characters, and count what a person sees as one', () => {
    expect(changed({ subject: 'x'.repeat(60) })).toEqual([]);
    expect(changed({ subject: '👩‍👩‍👧‍👦'.repeat(60) })).toEqual([]);
    expect(changed({ subject: 'x'.repeat(61) })).toMatchObject([
      { code: 'long-subject', severity: 'warning', message: expect.stringMatching(/has 61 characters/) },
    ]);
    const view = { ...SAMPLE_VIEW, subject: 'x'.repeat(61) };
    expect(check({ edition: { view }, isSubjectEdited: false })).toEqual([]);
  });

  it('say how near the HTML is to the size at which mail programs clip it', () => {
    const size = (bytes: number, change = {}) =>
      check({ edition: { size: { ...FACTS.edition.size, bytes, ...change } } });
    expect(size(92_159)).toEqual([]);
    expect(size(92_160)).toMatchObject([
      {
        code: 'large-html',
        severity: 'warning',
        message: expect.stringMatching(/^the HTML takes 92160 of 102400 bytes \(90%\)/),
      },
    ]);
    expect(size(102_400)).toMatchObject([{ code: 'large-html', severity: 'error' }]);
    const [fitted] = size(70_000, { shortExcerpts: true, leftOut: 2 });
    expect(fitted?.message).toMatch(
      /^the HTML takes 70000 of 102400 bytes \(68%\) because excerpts are shorter than usual and 2 stories wait/,
    );
  });

  it('report an empty block that the last edition had filled, and a missing lead', () => {
    const last = {
      slot: '2026-11-23',
      stories: [identity('a', { block: 'analysis' }), identity('b', { block: 'also' })],
    };
    const view = { ...SAMPLE_VIEW, subject: SUBJECT, analysis: [], news: [], latest: [] };
    expect(check({ last, edition: { view } })).toMatchObject([
      { code: 'empty-block', severity: 'warning', place: { block: 'analysis', articleId: null } },
    ]);
    expect(check({ last, edition: { view }, blocks: { ...FACTS.blocks, analysis: 0 } })).toEqual([]);
    expect(changed({ lead: null })).toMatchObject([{ code: 'empty-block', place: { block: 'lead' } }]);
  });

  it('report pictures without alternative text, with their story, and those of the template without alt', () => {
    for (const alt of ['', ' \u200b']) {
      expect(withLead({ image: { ...picture, alt } })).toMatchObject([
        {
          code: 'missing-alt-text',
          place: { block: 'lead', articleId: 'chips-2025', headline: SAMPLE_VIEW.lead?.headline },
          message: expect.stringContaining(picture.url),
        },
      ]);
    }
    const logo = '<img src="https://example.com/logo.png"><img src="https://example.com/line.png" alt="">';
    expect(check({ edition: { html: html.replace('</body>', `${logo}</body>`) } })).toMatchObject([
      { code: 'missing-alt-text', place: null, message: expect.stringContaining('example.com/logo.png') },
    ]);
  });

  it('report dead links as errors and those that could not be checked as warnings, with their story', () => {
    const { url = '' } = SAMPLE_VIEW.roundup[0]?.outlet ?? {};
    const related = (SAMPLE_VIEW.lead as Story).related[0]?.url ?? '';
    const links = new Map<string, LinkState>([
      [url ?? '', { kind: 'unchecked', reason: 'its server answered 403' }],
      [related, { kind: 'dead', reason: 'its server answered 404' }],
      ['https://example.com/not-in-this-edition', { kind: 'dead', reason: 'its server answered 404' }],
    ]);
    expect(check({ links })).toMatchObject([
      {
        code: 'dead-link',
        severity: 'error',
        place: { block: 'lead', articleId: 'chips-2025' },
        message: `a link is dead: ${related} (its server answered 404): correct it`,
      },
      { code: 'unchecked-link', severity: 'warning', place: { block: 'roundup' } },
    ]);
  });
});

const picture = (SAMPLE_VIEW.lead as Story).image as NonNullable<Story['image']>;

function codes(problems: { code: ProblemCode }[]): ProblemCode[] {
  return problems.map(({ code }) => code);
}
