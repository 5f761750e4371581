import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EditionView, Paragraph } from '../../../src/editions/rendering/edition-view.ts';
import { fillHtml, fillText } from '../../../src/editions/rendering/placeholders.ts';
import { type RenderedEdition, renderEdition } from '../../../src/editions/rendering/render.ts';
import { EXCERPT_LIMITS } from '../../../src/editions/rendering/story-view.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { expectGolden } from '../../support/golden.ts';
import {
  ALERT_VIEW,
  FULL_VIEW,
  LOGO_SITE,
  SAMPLE_NONCE,
  SAMPLE_SITE,
  SAMPLE_VIEW,
  SMALL_VIEW,
  WEEKLY_VIEW,
} from './sample-view.ts';

const templates = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone);
const options = { template: 'daily-roundup', nonce: SAMPLE_NONCE };
const render = (view: EditionView): Promise<RenderedEdition> => renderEdition(view, SAMPLE_SITE, templates, options);

let full: RenderedEdition;
beforeAll(async () => {
  full = await render(SAMPLE_VIEW);
});

describe('a full edition', () => {
  it('is not clipped by Gmail with the longest Chinese excerpts of 25 stories', async () => {
    const { html } = await render(longest(SAMPLE_VIEW));
    const link = `https://wire.example.com/unsubscribe/${'x'.repeat(200)}`;
    const filled = fillHtml(html, SAMPLE_NONCE, { unsubscribe: link, preferences: link });
    expect(Buffer.byteLength(filled)).toBeLessThan(102_400);
  });

  it('loads only its own pictures: no fonts, scripts, style sheets, frames or trackers', () => {
    for (const html of [full.html, full.archiveHtml]) {
      expect(html).not.toMatch(/@import|@font-face|url\(|<script|<iframe|<object|<embed|<form|\son\w+=/i);
      expect(html).not.toMatch(/<link[^>]*stylesheet/i);
      const loaded = [...html.matchAll(/\s(?:src|background|poster|srcset)="([^"]*)"/g)].map(([, url]) => url);
      expect(loaded).toEqual(['https://wire.example.com/media/chips.jpg']);
    }
  });
});

describe('personal content', () => {
  it('is a placeholder in the HTML and the text of the email', () => {
    const values = {
      unsubscribe: 'https://wire.example.com/unsubscribe/t0ken',
      preferences: 'https://wire.example.com/preferences/ab',
    };
    const html = fillHtml(full.html, SAMPLE_NONCE, values);
    for (const url of Object.values(values)) expect(html).toContain(`href="${url}"`);
    expect(html).not.toContain(SAMPLE_NONCE);
    expect(fillText(full.text, SAMPLE_NONCE, values)).toContain(
      'Preferences: https://wire.example.com/preferences/ab\n' +
        'Unsubscribe: https://wire.example.com/unsubscribe/t0ken\n',
    );
  });

  it('is not on the archive page, which has a canonical link and a main element instead', () => {
    expect(full.archiveHtml).not.toMatch(/unsubscribe|preferences|view in browser|you receive|zwnj/i);
    expect(full.archiveHtml).not.toContain(SAMPLE_NONCE);
    expect(full.archiveHtml).toContain(`<link rel="canonical" href="${SAMPLE_VIEW.links.archive}">`);
    // The server adds links to feeds: those of the edition's day may no longer exist.
    expect(full.archiveHtml).not.toContain('rel="alternate"');
    expect(full.archiveHtml.match(/<\/?main\b/g)).toEqual(['<main', '</main']);
    expect(full.html).not.toMatch(/rel="(?:canonical|alternate)"|<main/);
  });

  it('rejects an edition whose content includes the nonce, and a nonce that is too short', async () => {
    const forged = { ...SAMPLE_VIEW, headline: `%%${SAMPLE_NONCE}:unsubscribe%%` };
    await expect(render(forged)).rejects.toThrow(/nonce/);
    await expect(renderEdition(SAMPLE_VIEW, SAMPLE_SITE, templates, { ...options, nonce: 'short' })).rejects.toThrow(
      /nonce/,
    );
  });

  it('treats placeholders and region markers with another nonce as text', async () => {
    const forged = `%%${'0'.repeat(24)}:unsubscribe%% <!--${'0'.repeat(24)}:personal-->`;
    const { html, text, archiveHtml } = await render({
      ...SMALL_VIEW,
      latest: [{ ...SMALL_VIEW.latest[0]!, headline: forged }],
    });
    for (const output of [html, archiveHtml])
      expect(output).toContain(forged.replace('<', '&lt;').replace('>', '&gt;'));
    expect(text.replace(/\s+/g, ' ')).toContain(forged);
  });
});

describe('an edition with little content', () => {
  it('omits empty blocks with their headings', async () => {
    const { html, text, archiveHtml } = await render(SMALL_VIEW);
    const headings = (page: string): string[] => [...page.matchAll(/<h2[^>]*>([^<]*)/g)].map(([, title = '']) => title);
    expect(headings(full.html)).toEqual(['Top Story', '24-Hour News', 'Analysis', 'Roundup', 'Latest', 'Corrections']);
    expect(headings(html)).toEqual(['Latest']);
    expect(headings(archiveHtml)).toEqual(['Latest']);
    expect([...text.matchAll(/^-+\n(.+)$/gm)].map(([, title]) => title)).toEqual(['LATEST']);
  });

  it('leaves no gap for the missing optional parts of a story', async () => {
    const { html, text } = await render({
      ...SMALL_VIEW,
      lead: { ...SAMPLE_VIEW.analysis[3]!, bylines: [], kicker: null, more: false },
    });
    expect(html).not.toMatch(/<(p|h3|a)\b[^>]*>\s*<\/\1>/);
    expect(html).not.toMatch(/Contact reporter|Related:|Photo:|Read on|undefined|null/);
    expect(text).not.toMatch(/Contact reporter|Related:|Photo:|Read on|undefined|null|\n\n\n/);
  });

  it('shows a roundup item without outlet and sentences', async () => {
    const entry = { ...SAMPLE_VIEW.roundup[5]!, outlet: null, also: [], dek: 'Its dek.' };
    const { html, text } = await render({ ...SMALL_VIEW, roundup: [entry] });
    expect(html).toContain('Its dek.');
    expect(text).toContain('Tesla Opens Its Charging Stations to Other Makes\nIts dek.\nhttps:');
    expect(text).not.toContain('Also');
  });

  it('credits an outlet without a link by its name', async () => {
    const [first, other] = ['Reuters Example', 'Agency Example'].map((name) => ({
      name,
      url: null,
      publishedAt: null,
    }));
    const entry = { ...SAMPLE_VIEW.roundup[5]!, outlet: first!, also: [{ name: other!.name, url: null }] };
    const { html, text } = await render({ ...SMALL_VIEW, roundup: [entry] });
    expect(html).toMatch(/<span [^>]*>Reuters Example<\/span>/);
    expect(html).toMatch(/Also: Agency Example<\/p>/);
    expect(html).not.toContain('href=""');
    expect(text).toMatch(/\nReuters Example\n/);
    expect(text).toMatch(/\nAlso: Agency Example\n/);
  });
});

describe.each([
  ['a daily roundup', SAMPLE_VIEW, 'daily-roundup'],
  ['a weekly roundup', WEEKLY_VIEW, 'weekly-roundup'],
  ['an alert', ALERT_VIEW, 'breaking-alert'],
])('%s', (_, view, template) => {
  it('links to the imprint, if there is one', async () => {
    const url = 'https://wire.example.com/imprint?of=a&page=b';
    const site = { ...SAMPLE_SITE, imprint: { url, path: null } };
    const { html, text, archiveHtml } = await renderEdition(view, site, templates, { ...options, template });
    for (const part of [html, archiveHtml]) expect(part).toContain(`href="${url.replace('&', '&amp;')}"`);
    expect(text).toMatch(/^Imprint: https:\/\/wire\.example\.com\/imprint\?of=a&page=b$/m);
  });
});

describe.each([
  ['a full edition', 'roundup', SAMPLE_VIEW, SAMPLE_SITE, 'daily-roundup'],
  [
    'one with everything that the configuration and the editor can add',
    'everything',
    FULL_VIEW,
    LOGO_SITE,
    'daily-roundup',
  ],
  ['the weekly roundup', 'weekly', WEEKLY_VIEW, SAMPLE_SITE, 'weekly-roundup'],
  ['an alert', 'alert', ALERT_VIEW, SAMPLE_SITE, 'breaking-alert'],
])('%s', (_, name, view, site, template) => {
  it('matches its golden files, is below 80 KB, and satisfies the accessibility rules of html-validate', async () => {
    const { html, text, archiveHtml } = await renderEdition(view, site, templates, { ...options, template });
    expectGolden(`editions/${name}.html`, html);
    expectGolden(`editions/${name}.txt`, text);
    if (template === 'daily-roundup') expectGolden(`editions/${name}-archive.html`, archiveHtml);
    expect(Buffer.byteLength(html)).toBeLessThan(80_000);
    expect(archiveHtml).not.toContain('nsubscribe');
    await expectAccessible([html, archiveHtml]);
  });
});

describe('a corrected edition', () => {
  const masthead = { ...SMALL_VIEW.masthead, revision: 2, revisionNote: 'This is revision 2 of this edition.' };

  it('says so in its email to subscribers who have the earlier revision', async () => {
    const { html, text, archiveHtml } = await render({ ...SMALL_VIEW, masthead: { ...masthead, isCorrection: true } });
    for (const part of [html, text, archiveHtml]) expect(part).toContain('This is revision 2 of this edition.');
  });
});

describe('a roundup item', () => {
  it('leads to the report of its outlet, and to its own page if that has more to read', async () => {
    const [item] = SAMPLE_VIEW.roundup;
    const own = 'href="https://wire.example.com/articles/hk-listing"';
    const headline = /<h3[^>]*><a [^>]*href="https:\/\/example\.com\/yicai\/hk-listing"/;
    const long = await render({ ...SMALL_VIEW, roundup: [{ ...item!, more: true }] });
    const short = await render({ ...SMALL_VIEW, roundup: [{ ...item!, more: false }] });
    for (const page of ['html', 'archiveHtml'] as const) {
      expect(long[page]).toMatch(headline);
      expect(long[page]).toContain(own);
      expect(short[page]).toMatch(headline);
      expect(short[page]).not.toContain(own);
    }
    expect(long.text).toContain(
      '\nhttps://example.com/yicai/hk-listing\nRead on: https://wire.example.com/articles/hk-listing\n',
    );
    expect(short.text).not.toContain('https://wire.example.com/articles/hk-listing');
  });

  it('leads to its own page without an outlet', async () => {
    const url = 'https://wire.example.com/articles/hk-listing';
    const item = { ...SAMPLE_VIEW.roundup[0]!, outlet: null, headlineUrl: url, more: true };
    const { html, text } = await render({ ...SMALL_VIEW, roundup: [item] });
    expect(html.split(`href="${url}"`)).toHaveLength(2);
    expect(text.split(url)).toHaveLength(2);
  });
});

describe('languages', () => {
  it('sets a right-to-left publication from right to left', async () => {
    const site = { ...SAMPLE_SITE, language: 'ar' };
    const { html } = await renderEdition(SAMPLE_VIEW, site, templates, options);
    expect(html).toMatch(/<html lang="ar" dir="rtl"/);
    expect(html).not.toMatch(/direction:ltr;font-size:0px;padding/);
  });

  it('aligns a story of the other direction accordingly', async () => {
    const line = { ...SMALL_VIEW.latest[0]!, lang: 'he', dir: 'rtl' as const, headline: 'שלום' };
    expect((await render({ ...SMALL_VIEW, latest: [line] })).html).toMatch(/<td lang="he" dir="rtl" align="right"/);
  });

  it('marks its own words in a story of another language, and isolates names in the other direction', async () => {
    const story = { ...SAMPLE_VIEW.lead!, lang: 'he', dir: 'rtl' as const, headline: 'שלום', kicker: 'בלעדי' };
    const bylines = [{ role: 'reporter' as const, name: 'דנה לוי', email: null }];
    const { html, text } = await render({ ...SMALL_VIEW, lead: { ...story, bylines, more: true } });
    expect(html).toMatch(/<p [^>]*lang="en" dir="ltr" align="right"[^>]*>By <bdi>דנה לוי<\/bdi> \//);
    expect(html).toMatch(/<p [^>]*lang="en" dir="ltr" align="right"[^>]*><a [^>]*>Read on&nbsp;&rarr;/);
    expect(text).toContain('\u2068בלעדי\u2069: \u2068שלום\u2069');
    expect(text).toContain('By \u2068דנה לוי\u2069 /');
  });

  it('takes its words from the messages, and marks those of another language', async () => {
    const own = { sw: { 'edition.kicker': '<label>{kicker} – </label>{headline}', 'edition.readOn': 'Soma zaidi' } };
    const swahili = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone, own);
    const item = { ...SAMPLE_VIEW.roundup[0]!, kicker: 'Pekee', headline: 'Mauzo yapanda', more: true };
    const view = { ...SMALL_VIEW, roundup: [item, { ...item, also: SAMPLE_VIEW.roundup[0]!.also }] };
    const { html, text } = await renderEdition(view, { ...SAMPLE_SITE, language: 'sw' }, swahili, options);
    expect(html).toContain('Pekee – </span>Mauzo yapanda');
    expect(html).toContain('Soma zaidi&nbsp;&rarr;');
    expect(html).toContain('<span lang="en" dir="ltr">Unsubscribe</span>');
    expect(text).toContain('Pekee – Mauzo yapanda\n');
  });

  it('has no italics, capitals and spaced letters by style in Chinese, Arabic and Hebrew', async () => {
    for (const language of ['zh-Hant', 'ja', 'ko', 'ar', 'he']) {
      const site = { ...SAMPLE_SITE, language };
      const { html } = await renderEdition({ ...FULL_VIEW, news: [] }, site, templates, options);
      expect(html, language).not.toMatch(/font-style:italic|letter-spacing|text-transform/);
    }
    expect(full.html).toMatch(/font-style:italic/);
  });
});

describe('an invalid template', () => {
  const folder = mkdtempSync(join(tmpdir(), 'daywire-templates-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const own = openTemplates(folder, SAMPLE_SITE.zone);
  const attempt = (
    name: string,
    body: string,
    text = 'text {{ placeholders.unsubscribe }}',
  ): Promise<RenderedEdition> => {
    const mjml = `<mjml>\n<mj-head><mj-title>T</mj-title></mj-head>\n<mj-body>\n${body}\n</mj-body>\n</mjml>\n`;
    writeFileSync(join(folder, `${name}.mjml`), mjml);
    writeFileSync(join(folder, `${name}.txt`), text);
    return renderEdition(SMALL_VIEW, SAMPLE_SITE, own, { template: name, nonce: SAMPLE_NONCE });
  };

  it('is rejected with line, element and rule', async () => {
    await expect(attempt('unknown', '<mj-nonsense />')).rejects.toThrow(
      /unknown\.mjml: line 4 \(mj-nonsense\).*<mj-nonsense \/>/,
    );
    await expect(attempt('attribute', '<mj-section paddle="1px"></mj-section>')).rejects.toThrow(
      /attribute\.mjml: line 4 \(mj-section\): Attribute paddle is illegal/,
    );
    await expect(attempt('variable', '<mj-section>{{ edition.nothing }}</mj-section>')).rejects.toThrow(
      /edition\.nothing.*line:4/,
    );
  });

  it('is rejected before an edition is closed if its HTML or text has no unsubscribe link', async () => {
    await expect(attempt('bare', '')).rejects.toThrow(
      /bare\.mjml has no unsubscribe link: add {{ placeholders\.unsubscribe }}/,
    );
    const link =
      '<mj-raw><!--{{ nonce }}:personal-->{{ placeholders.unsubscribe }}<!--/{{ nonce }}:personal--></mj-raw>';
    await expect(attempt('mute', link, 'text')).rejects.toThrow(/mute\.txt has no unsubscribe link/);
    const ofStories = '{% segment any: stories %}{{ placeholders.unsubscribe }}{% endsegment %}';
    await expect(attempt('some', link, ofStories)).rejects.toThrow(/some\.txt has no unsubscribe link/);
    const { text } = await attempt('filled', link, '{{ placeholders.headline }}\n{{ placeholders.unsubscribe }}');
    expect(text).toBe(`${SMALL_VIEW.headline}\n%%${SAMPLE_NONCE}:unsubscribe%%\n`);
  });

  it('is rejected if a placeholder is outside the personal regions, and would appear on the archive page', async () => {
    const words = (inner: string): string =>
      `<mj-section><mj-column><mj-text>${inner}</mj-text></mj-column></mj-section>`;
    await expect(attempt('leak', words('{{ placeholders.unsubscribe }}'))).rejects.toThrow(
      /leak\.mjml.*outside its personal regions/,
    );
    const mark = `<!--{{ nonce }}:personal-->{{ placeholders.unsubscribe }}`;
    await expect(attempt('open', words(mark))).rejects.toThrow(/open\.mjml.*unclosed marker/);
    expect((await attempt('good', words(`${mark}<!--/{{ nonce }}:personal-->`))).archiveHtml).not.toContain('%%');
  });
});

async function expectAccessible(pages: string[]): Promise<void> {
  const loader = new StaticConfigLoader({ root: true, extends: ['html-validate:a11y'], elements: ['html5'] });
  for (const html of pages) {
    const report = await new HtmlValidate(loader).validateString(html);
    expect(report.results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => [ruleId, message]))).toEqual(
      [],
    );
  }
}

function longest(view: EditionView): EditionView {
  const fill = (bytes: number, paragraphs: number): Paragraph[] =>
    Array.from({ length: paragraphs }, () => {
      const text = '电'.repeat(Math.floor(bytes / paragraphs / 3));
      return { html: text, text };
    });
  return {
    ...view,
    lead: { ...view.lead!, paragraphs: fill(EXCERPT_LIMITS.full.lead.bytes, EXCERPT_LIMITS.full.lead.paragraphs) },
    analysis: view.analysis.map((story) => ({
      ...story,
      paragraphs: fill(EXCERPT_LIMITS.full.analysis.bytes, EXCERPT_LIMITS.full.analysis.paragraphs),
    })),
    roundup: view.roundup.map((entry) => ({ ...entry, sentences: fill(EXCERPT_LIMITS.full.roundup.bytes, 1)[0]! })),
  };
}
