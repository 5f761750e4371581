/** Contrast of the colours of the daily roundup, without a browser. */
import { beforeAll, describe, expect, it } from 'vitest';
import { contrastRatio } from '../../../src/core/config/rules.ts';
import { renderEdition } from '../../../src/editions/rendering/render.ts';
import { BUILT_IN_TEMPLATES, openTemplates } from '../../../src/lib/templates.ts';
import { FULL_VIEW, LOGO_SITE, SAMPLE_NONCE, SAMPLE_SITE, WEEKLY_VIEW } from './sample-view.ts';

const PAPER = { light: '#fbfaf7', dark: '#161513' };

let html: string;
let weekly: string;
beforeAll(async () => {
  const templates = openTemplates(BUILT_IN_TEMPLATES, SAMPLE_SITE.zone);
  const nonce = SAMPLE_NONCE;
  ({ html } = await renderEdition(FULL_VIEW, LOGO_SITE, templates, { template: 'daily-roundup', nonce }));
  ({ html: weekly } = await renderEdition(WEEKLY_VIEW, SAMPLE_SITE, templates, { template: 'weekly-roundup', nonce }));
});

describe('the colours of the daily roundup', () => {
  it('have AA contrast on the light background, including the accent', () => {
    const styles = [...`${html}${weekly}`.matchAll(/ style="([^"]*)"/g)].map(([, style = '']) => style);
    const colours = textColours(styles.join(';'));
    expect(colours).toEqual(new Set(['#1b1a18', '#5f5b55', SAMPLE_SITE.accent.light]));
    for (const colour of colours) expect(contrastRatio(colour, PAPER.light)).toBeGreaterThanOrEqual(4.5);
    expect(html).toMatch(/<body[^>]*background-color:#fbfaf7/);
  });

  it('have AA contrast on the dark background, including the accent', () => {
    const colours = textColours(darkRules());
    expect(colours).toEqual(new Set(['#ece8e1', '#a8a29a', SAMPLE_SITE.accent.dark]));
    for (const colour of colours) expect(contrastRatio(colour, PAPER.dark)).toBeGreaterThanOrEqual(4.5);
  });

  it('all change in dark mode: every element with a colour has a class that changes it', () => {
    const bodies = [html, weekly].map((page) => page.slice(page.indexOf('<body')));
    const elements = [...bodies.join('').matchAll(/<(\w+)\b([^>]*)>/g)];
    expect(elements.length).toBeGreaterThan(100);
    // MJML's own elements inside its cells change with the cell: `.text>div`, `.text>table`.
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
