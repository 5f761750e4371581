import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareHtml } from '../../src/own-sites/body-html.ts';

const prepare = (html: string): string => prepareHtml(html, 'https://times.example/2026/11/solar/');

describe('the HTML of a source', () => {
  it('gets absolute links and pictures', () => {
    expect(prepare('<a href="../wind/">w</a><img src="/p.jpg" alt="P" width="4" srcset="x 2x">')).toBe(
      '<a href="https://times.example/2026/11/wind/">w</a><img src="https://times.example/p.jpg" alt="P" width="4">',
    );
    expect(prepare('<a href="mailto:a@example.com">m</a><a href="#note">n</a>')).toBe(
      '<a href="mailto:a@example.com">m</a><a href="#note">n</a>',
    );
  });

  it.each([
    [
      'a frame',
      '<iframe src="https://maps.example/x" title="The site">old browser</iframe>',
      'https://maps.example/x',
      'The site',
    ],
    [
      'a video player',
      '<figure><iframe src="https://www.youtube-nocookie.com/embed/abc_DEF-123?x=1"></iframe></figure>',
      'https://www.youtube.com/watch?v=abc_DEF-123',
      'See it at youtube.com',
    ],
    [
      'a video file',
      '<video controls><source src="/v.mp4" type="video/mp4">none</video>',
      'https://times.example/v.mp4',
      'See it at times.example',
    ],
    ['audio', '<audio src="/a.mp3"></audio>', 'https://times.example/a.mp3', 'See it at times.example'],
    [
      'an object',
      '<object data="https://docs.example/d.pdf"><p>none</p></object>',
      'https://docs.example/d.pdf',
      'See it at docs.example',
    ],
  ])('has a link instead of %s', (_, html, url, label) => {
    expect(prepare(`<p>a</p>${html}<p>b</p>`)).toContain(`<p><a href="${url}">${label}</a></p>`);
    expect(prepare(html)).not.toMatch(/iframe|video>|audio>|object|none/);
  });

  it('has no scripts, styles and forms, and none of their text', () => {
    const html = '<style>p{}</style><p>a</p><script>x()</script><form><p>Subscribe</p><input></form><!-- c -->';
    expect(prepare(html)).toBe('<p>a</p>');
  });

  it('has pictures that a script would load later', () => {
    const html = '<img src="data:image/gif;base64,R0" data-src="/late.jpg" alt="">';
    expect(prepare(html)).toBe('<img src="https://times.example/late.jpg" alt="">');
  });

  it('keeps the text of neighbouring divisions apart', () => {
    expect(prepare('<a href="/x"><div>Title</div><div>Text</div></a>')).toContain('<div>Title</div> <div>Text</div>');
  });

  it('drops a tag that the end of the text cuts off', () => {
    expect(prepare('<p>a<divx ')).toBe('<p>a</p>');
    expect(prepare('<p>a<script>b<i ')).toBe('<p>a</p>');
  });

  it('is well-formed for any input, and the same when it is prepared again', () => {
    const piece = fc.constantFrom(
      '<p>',
      '</p>',
      '<div ',
      '>',
      '"',
      "'",
      '<iframe src=/x>',
      '<video>',
      '&amp;',
      '<',
      'x ',
      '=',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const once = prepare(pieces.join(''));
        // Spaces after divisions add up.
        expect(prepare(once).replace(/\s/g, '')).toBe(once.replace(/\s/g, ''));
      }),
    );
  });
});
