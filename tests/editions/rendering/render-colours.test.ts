/** Contrast of the colours that the daily roundup is written in, where no browser is at hand. */
import { beforeAll, describe, expect, it } from 'vitest';
import { contrastRatio } from '../../../src/config/contrast.ts';
import { renderEdition } from '../../../src/editions/rendering/render.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { SAMPLE_NONCE, SAMPLE_SITE, SAMPLE_VIEW } from './sample-view.ts';

const PAPER = { light: '#fbfaf7', dark: '#161513' };

let html: string;
beforeAll(async () => {
  const templates = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone);
  const options = { template: 'daily-roundup', nonce: SAMPLE_NONCE };
  ({ html } = await renderEdition(SAMPLE_VIEW, SAMPLE_SITE, templates, options));
});

describe('the colours of the daily roundup', () => {
  it('keep contrast AA on paper, the accent too', () => {
    const colours = textColours([...html.matchAll(/ style="([^"]*)"/g)].map(([, style = '']) => style).join(';'));
    expect(colours).toEqual(new Set(['#1b1a18', '#5f5b55', SAMPLE_SITE.accent.light]));
    for (const colour of colours) expect(contrastRatio(colour, PAPER.light)).toBeGreaterThanOrEqual(4.5);
    expect(html).toMatch(/<body[^>]*background-color:#fbfaf7/);
  });

  it('keep contrast AA on dark paper, the accent too', () => {
    const colours = textColours(darkRules());
    expect(colours).toEqual(new Set(['#ece8e1', '#a8a29a', SAMPLE_SITE.accent.dark]));
    for (const colour of colours) expect(contrastRatio(colour, PAPER.dark)).toBeGreaterThanOrEqual(4.5);
  });

  it('are told to mail programs as light and dark', () => {
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain('<meta name="supported-color-schemes" content="light dark">');
  });

  it('change in Outlook as they do elsewhere: each dark rule has its twin under [data-ogsc] or [data-ogsb]', () => {
    const rules = darkRules()
      .split('\n')
      .filter((rule) => rule.startsWith('.') && !rule.includes(':hover'));
    expect(rules.length).toBeGreaterThanOrEqual(5);
    for (const rule of rules)
      expect(html).toContain(`\n${rule.replace(/^\.|,\./g, (start) => start.replace('.', '[data-ogsc] .'))}\n`);
    expect(html).toContain('\n[data-ogsb] .paper,[data-ogsb] .paper>div{background-color:#161513!important}\n');
  });

  it('leave no colour behind in the dark: whatever has one of its own is of a class that changes', () => {
    const elements = [...html.slice(html.indexOf('<body')).matchAll(/<(\w+)\b([^>]*)>/g)];
    // What MJML writes inside its cells changes with the cell: `.text>div`, `.text>table`.
    const ofMjml = /^color:#1b1a18;font-family|;color:#1b1a18;$/;
    for (const [whole, , attributes = ''] of elements) {
      const style = / style="([^"]*)"/.exec(attributes)?.[1] ?? '';
      if (!/(?:^|;)color:/.test(style) || ofMjml.test(style)) continue;
      expect(/ class="([^"]*)"/.exec(attributes)?.[1] ?? '', whole).toMatch(/\b(?:ink|muted|accent|label)\b/);
    }
  });
});

function darkRules(): string {
  return /@media \(prefers-color-scheme:dark\)\{\n([\s\S]*?)\n\}/.exec(html)?.[1] ?? '';
}

function textColours(css: string): Set<string> {
  return new Set([...css.matchAll(/(?<![-\w])color:(#[0-9a-f]{6})/g)].map(([, colour = '']) => colour));
}
