import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { choiceText } from '../../../src/articles/choice.ts';
import { type CopyStory, type EditionSegments, fillCopy, openCopies } from '../../../src/editions/copies/copy.ts';
import { readingMinutes, readingTimes } from '../../../src/editions/rendering/edition-extras.ts';
import { type EditionView, numberedStories } from '../../../src/editions/rendering/edition-view.ts';
import { fillHtml, fillText } from '../../../src/editions/rendering/placeholders.ts';
import { type RenderedEdition, renderEdition } from '../../../src/editions/rendering/render.ts';
import { localeOf } from '../../../src/lib/locale/locale.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { expectGolden } from '../../support/golden.ts';
import { htmlFaults } from '../../support/html-faults.ts';
import { ALERT_VIEW, FULL_VIEW, SAMPLE_NONCE, SAMPLE_SITE, WEEKLY_VIEW } from '../rendering/sample-view.ts';

const templates = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone);
const LINKS = { unsubscribe: `https://wire.example.com/${'u'.repeat(130)}`, preferences: 'https://wire.example.com/p' };

const addressOf = (number: number): string => `https://wire.example.com/story-${number}.html`;

interface Rendered {
  view: EditionView;
  whole: RenderedEdition;
  segments: EditionSegments;
}

async function render(sample: EditionView, template: string, language = 'en'): Promise<Rendered> {
  const view = structuredClone(sample);
  // An address for each story: others link to some of them.
  for (const [number, story] of numberedStories(view).entries()) {
    Object.assign(story, { url: addressOf(number), ...('headlineUrl' in story && { headlineUrl: addressOf(number) }) });
  }
  const minutes = { ...view, readingMinutes: readingMinutes(view) };
  const site = { ...SAMPLE_SITE, language };
  const whole = await renderEdition(minutes, site, templates, { template, nonce: SAMPLE_NONCE });
  const times = readingTimes(view);
  const stories = numberedStories(view).map(({ articleId }, number): CopyStory => {
    const one = { sections: [], tags: [`story-${number}`], reporters: [], isForAll: false };
    return { articleId, ...one, minutes: times.stories[number] ?? 0 };
  });
  const preheaders = [...stories.keys(), null].map((story) => ({ story, text: `Preheader ${story}` }));
  return { view: minutes, whole, segments: { stories, minutes: times.others, preheaders, ...whole.parts } };
}

const EDITIONS: [name: string, view: EditionView, template: string, language?: string][] = [
  ['the daily roundup with all extras', FULL_VIEW, 'daily-roundup'],
  ['the weekly roundup', { ...WEEKLY_VIEW, hasContents: true }, 'weekly-roundup'],
  ['a Chinese roundup', FULL_VIEW, 'daily-roundup', 'zh-Hans'],
  ['an Arabic weekly', { ...WEEKLY_VIEW, hasContents: true }, 'weekly-roundup', 'ar'],
  ['an alert', ALERT_VIEW, 'breaking-alert'],
];

describe.each(EDITIONS)('a copy of %s', (_name, view, template, language) => {
  let edition: Rendered;
  beforeAll(async () => {
    edition = await render(view, template, language);
  });
  const copyOf = (stories: number[]) =>
    fillCopy(edition.segments, { stories, subject: 'Subject & <more>' }, SAMPLE_NONCE, LINKS);

  it('is well-formed, has each of its stories once and no other, in HTML and text, and no empty block', () => {
    const all = numberedStories(view);
    const subsets = fc.subarray([...all.keys()], { minLength: 1 });
    fc.assert(
      fc.property(subsets, (stories) => {
        const { html, text } = copyOf(stories);
        expect(unbalancedTag(html)).toBeNull();
        for (const number of all.keys()) {
          const times = stories.includes(number) ? 1 : 0;
          const headings = html.match(/<h[34][\s\S]*?<\/h[34]>/g) ?? [];
          expect(headings.filter((heading) => heading.includes(`"${addressOf(number)}"`))).toHaveLength(times);
          expect(html.includes(`"${addressOf(number)}"`)).toBe(times === 1);
          expect(text.split('\n').filter((line) => line.endsWith(addressOf(number)))).toHaveLength(times);
        }
        const blocks = new Set(stories.map((number) => blockOf(view, number)));
        if (view.hasContents) expect(blocksOf(html)).toHaveLength(blocks.size);
        expect(blocksOf(html).filter((block) => !block.includes('<h3') && !block.includes('<h4'))).toEqual([]);
        expect(html + text).not.toMatch(new RegExp(`${SAMPLE_NONCE}|%%|undefined`));
        expect(text).not.toMatch(/\n\n\n|^\s|[^\S\n]\n|[^\n]$/);
        expect(Buffer.byteLength(html)).toBeLessThanOrEqual(Buffer.byteLength(edition.whole.html) + 500);
      }),
      { numRuns: 60 },
    );
  });

  it('with all stories is the whole edition', () => {
    const { html, text } = copyOf([...numberedStories(view).keys()]);
    const whole = fillHtml(edition.whole.html, SAMPLE_NONCE, LINKS);
    // Between sections, MJML joins conditional comments for Outlook; where a segment was, they are as good apart.
    const joined = html.replace(/<!\[endif\]-->\s*<!--\[if mso \| IE\]>/g, '');
    expect(
      joined
        .replace('Subject &amp; &lt;more&gt;', escaped(view.headline))
        .replace('Preheader 0', escaped(view.preheader)),
    ).toBe(whole);
    expect(text).toBe(fillText(edition.whole.text, SAMPLE_NONCE, LINKS));
  });
});

describe('a copy', () => {
  it.each([
    ['analysis', [8, 9, 10, 11].map((n) => n + 1)],
    ['two-blocks', [2, 4, 14, 20]],
    ['one-story', [19]],
  ])('of a choice matches its golden files: %s', async (name, stories) => {
    const { segments } = await render(FULL_VIEW, 'daily-roundup');
    const { html, text } = fillCopy(segments, { stories, subject: 'Tech Roundup: Of this copy' }, SAMPLE_NONCE, LINKS);
    expectGolden(`editions/copy-${name}.html`, html);
    expectGolden(`editions/copy-${name}.txt`, text);
    expect(await htmlFaults(html)).toEqual([]);
  });

  it('has the first preheader whose story it has, and the minutes that it takes to read', async () => {
    const { segments } = await render(FULL_VIEW, 'daily-roundup');
    const one = fillCopy(segments, { stories: [19], subject: '' }, SAMPLE_NONCE, LINKS);
    expect(one.preheader).toBe('Preheader 19');
    expect(one.text).toContain(' / 1 min read\n');
    expect(one.html).not.toContain('4 min');
  });

  it('is decided by section, topic or reporter; pinned stories are in all copies, and count only if chosen', () => {
    const story = (change: Partial<CopyStory>): CopyStory => {
      return { articleId: 'a', sections: [], tags: [], reporters: [], isForAll: false, minutes: 1, ...change };
    };
    const stories = [
      story({ isForAll: true }),
      story({ sections: ['finance'] }),
      story({ tags: ['chips'], sections: ['world'] }),
      story({ reporters: ['mei-tan'] }),
    ];
    const segments = { stories, minutes: 0, preheaders: [], html: [], text: [] };
    const leading = stories.map((_, story) => ({ story, headline: `Story ${story}`, shortHeadline: null }));
    const subjects = { own: null, kicker: 'Roundup', isCorrection: false, leading };
    const decide = openCopies({ segments, subjects }, localeOf('en', {}));
    const choose = (change: object) => decide({ sections: [], tags: [], reporters: [], atLeast: 1, ...change });
    expect(choose({ sections: ['finance'], reporters: ['mei-tan'] })).toEqual({
      choice: '{"reporters":["mei-tan"],"sections":["finance"]}'.replace(
        /.*/,
        choiceText({ sections: ['finance'], tags: [], reporters: ['mei-tan'], atLeast: 1 }) ?? '',
      ),
      stories: [0, 1, 3],
      subject: 'Roundup: Story 0, Story 1',
      suppressed: null,
    });
    expect(choose({ tags: ['chips'], atLeast: 2 })).toMatchObject({
      stories: [0, 2],
      suppressed: 'too few chosen stories: 1 of at least 2',
    });
    expect(choose({ tags: ['nothing'] })).toMatchObject({ stories: [0] });
    expect(choose({ atLeast: 5 })).toMatchObject({ stories: [0, 1, 2, 3], suppressed: expect.any(String) });
    const own = openCopies({ segments, subjects: { ...subjects, own: 'An editor wrote this' } }, localeOf('en', {}));
    expect(own({ sections: ['finance'], tags: [], reporters: [], atLeast: 1 }).subject).toBe('An editor wrote this');
  });
});

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;');
}

/** The index of a story's block. */
function blockOf({ lead, news, analysis, roundup }: EditionView, number: number): number {
  const sizes = [lead === null ? 0 : 1, news.length, analysis.length, roundup.length];
  const ends = sizes.map((_, index) => sizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0));
  return ends.findIndex((end) => number < end);
}

/** Each block of stories, which the contents can link to, from its heading to the next one. */
function blocksOf(html: string): string[] {
  return html.split(/(?=<h2 )/).filter((block) => /^<h2 class="label" id="/.test(block));
}

const VOID = new Set(['area', 'br', 'col', 'hr', 'img', 'input', 'link', 'meta']);

/** The first tag that does not close what is open; null in well-formed HTML. */
function unbalancedTag(html: string): string | null {
  const open: string[] = [];
  for (const [tag, slash, name = ''] of html
    .replace(/<!--[\s\S]*?-->/g, '')
    .matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/gi)) {
    if (VOID.has(name) || tag.endsWith('/>')) continue;
    if (slash === '') open.push(name);
    else if (open.pop() !== name) return tag;
  }
  return open[0] ?? null;
}
