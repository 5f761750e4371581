import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteStyleSheet, showColorScheme } from '../../../../src/editions/desk/preview/color-scheme.ts';

const DARK = '@media (prefers-color-scheme: dark) { p { color: white } }';

describe('a mail shown in one colour scheme', () => {
  it('has the dark rules always, or never', () => {
    expect(rewriteStyleSheet(DARK, 'dark')).toBe('@media (min-width:0px) { p { color: white } }');
    expect(rewriteStyleSheet(DARK, 'light')).toBe('@media (max-width:-1px) { p { color: white } }');
    expect(rewriteStyleSheet('@media(prefers-color-scheme:light){a{}}', 'light')).toBe('@media(min-width:0px){a{}}');
  });

  it('keeps what else a condition says: other features, negation, alternatives', () => {
    const css = '@media screen and (max-width:480px) and (prefers-color-scheme:dark), not (prefers-color-scheme){}';
    expect(rewriteStyleSheet(css, 'dark')).toBe(
      '@media screen and (max-width:480px) and (min-width:0px), not (min-width:0px){}',
    );
    expect(rewriteStyleSheet('@media ( PREFERS-COLOR-SCHEME /* or */ : Dark ) {}', 'light')).toBe(
      '@media (max-width:-1px) {}',
    );
  });

  it('finds rules within others, and after broken ones', () => {
    expect(rewriteStyleSheet(`@supports (color: red) { ${DARK} }`, 'dark')).not.toContain('prefers');
    expect(rewriteStyleSheet(`a { color: }} ] ) " \n ${DARK}`, 'dark')).not.toContain('prefers');
  });

  it('leaves strings, comments, selectors and other names alone', () => {
    for (const css of [
      'a::after { content: "@media (prefers-color-scheme: dark) {" }',
      '/* @media (prefers-color-scheme: dark) { */ a { color: red }',
      '\\@media (prefers-color-scheme: dark) {}',
      '@media-x (prefers-color-scheme: dark) {}',
      ':root { --color-scheme: light dark; x-color-scheme: light dark }',
      '@media /* wide */ (min-width: 600px) { a { color: red } }',
    ]) {
      expect(rewriteStyleSheet(css, 'dark')).toBe(css);
    }
  });

  it('sets the property color-scheme where it allows both, and keeps one that allows one', () => {
    expect(rewriteStyleSheet(':root{color-scheme:light dark;color:red}', 'dark')).toBe(
      ':root{color-scheme:dark;color:red}',
    );
    expect(rewriteStyleSheet(':root{ color-scheme : dark light !important}', 'light')).toBe(
      ':root{ color-scheme:light!important}',
    );
    expect(rewriteStyleSheet(':root{color-scheme:light only}', 'dark')).toBe(':root{color-scheme:light only}');
  });

  it('rewrites style elements, media attributes and the meta element, and no text', () => {
    const html = `<!doctype html><html><head><meta name="color-scheme" content="light dark"><style media="screen">${DARK}
</style></head><body data-note='content="light dark"'><picture><source media="(prefers-color-scheme: dark)"
srcset="dark.png"><img src="a.png" alt="media=(prefers-color-scheme: dark)"></picture>
<p>${DARK} color-scheme: light dark</p><!--[if mso]><style>${DARK}</style><![endif]--></body></html>`;
    const dark = showColorScheme(html, 'dark');
    expect(dark).toContain('<meta name="color-scheme" content="dark">');
    expect(dark).toContain('<style media="screen">@media (min-width:0px) { p');
    expect(dark).toContain('<source media="(min-width:0px)"\nsrcset="dark.png">');
    expect(dark.slice(dark.indexOf('<img'))).toBe(html.slice(html.indexOf('<img')));
    expect(showColorScheme(html, 'light')).toContain('<source media="(max-width:-1px)"');
  });

  it('changes nothing where a mail has no rules of its own', () => {
    const html = '<html><head><style>p{color:red}</style></head><body media="x" content="light dark">a</body></html>';
    expect(showColorScheme(html, 'dark')).toBe(html);
  });

  const pieces = fc.constantFrom(
    ...['@media', ' ', '(', ')', '{', '}', ';', ':', '"', "'", '/*', '*/', '\\', '\n', ',', 'a', 'not', '@import'],
    ...['(prefers-color-scheme: dark)', '(prefers-color-scheme:light)', 'color-scheme', 'light dark', '</style>', '<'],
  );
  const sheets = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));

  it('is stable, and loses no block, whatever the sheet is', () => {
    fc.assert(
      fc.property(sheets, fc.constantFrom('light', 'dark'), (css, scheme) => {
        const once = rewriteStyleSheet(css, scheme);
        expect(rewriteStyleSheet(once, scheme)).toBe(once);
        expect(once.replace(/[^{}]/g, '').length).toBeLessThanOrEqual(css.replace(/[^{}]/g, '').length);
        if (!/color-scheme/i.test(css)) expect(once).toBe(css);
      }),
    );
  });

  it('leaves a document outside of its style sheets as it is', () => {
    fc.assert(
      fc.property(sheets, sheets, (text, css) => {
        const body = text.replaceAll('<', '&lt;');
        const sheet = css.replaceAll('<', '');
        const shown = showColorScheme(`<style>${sheet}</style><p>${body}</p>`, 'dark');
        expect(shown).toBe(`<style>${rewriteStyleSheet(sheet, 'dark')}</style><p>${body}</p>`);
      }),
    );
  });

  it('takes linear time on long and broken input', () => {
    const start = performance.now();
    for (const piece of ['(prefers-color-scheme', '@media ', '@media (', '/*', '"', '(', 'color-scheme:', ' ', 'a']) {
      const css = piece.repeat(20_000 / piece.length);
      rewriteStyleSheet(css, 'dark');
      showColorScheme(`<style media=x ${css.replaceAll('"', '')}><meta media="a" ${'b '.repeat(10_000)}>`, 'dark');
    }
    // In linear time some 100 ms.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
