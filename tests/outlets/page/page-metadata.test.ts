import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MINUTE } from '../../../src/lib/time.ts';
import { type PageMetadata, readPageMetadata } from '../../../src/outlets/page/page-metadata.ts';
import { canonicalLink } from '../../../src/sources/canonical-link.ts';
import { NOW } from '../../support/clock.ts';
import { processorTime } from '../../support/processor-time.ts';

const URL_OF_PAGE = 'https://www.the-example.com/2026/11/report?utm_source=feed';

function read(html: string | Uint8Array, { url = URL_OF_PAGE, contentType = 'text/html' } = {}): PageMetadata {
  const bytes = typeof html === 'string' ? new TextEncoder().encode(html) : html;
  return readPageMetadata({ document: { bytes, contentType, url }, now: NOW });
}

const jsonLd = (value: unknown): string =>
  `<script type="application/ld+json">${typeof value === 'string' ? value : JSON.stringify(value)}</script>`;
const og = (values: Record<string, string>): string =>
  Object.entries(values)
    .map(([name, content]) => `<meta property="og:${name}" content="${content}">`)
    .join('\n');

describe('the page of a report', () => {
  it('is read by its OpenGraph tags', () => {
    const head = og({
      title: 'Ferry Line Orders &quot;Quiet&quot; Ships &amp; Pays Later',
      site_name: 'The Example',
      image: '/pictures/ferry.jpg',
      description: 'Two ships, in service by 2029.',
      locale: 'en_GB',
      url: 'https://the-example.com/2026/11/report',
    });
    const time = '<meta property="article:published_time" content="2026-11-24T08:15:00+02:00">';
    expect(read(`<html><head>${head}${time}<title>Other</title></head><body><h1>Another</h1></body></html>`)).toEqual({
      title: 'Ferry Line Orders "Quiet" Ships & Pays Later',
      outlet: 'The Example',
      url: 'https://the-example.com/2026/11/report',
      originalUrl: null,
      publishedAt: Date.parse('2026-11-24T06:15:00Z'),
      imageUrl: 'https://www.the-example.com/pictures/ferry.jpg',
      language: 'en-GB',
      summary: 'Two ships, in service by 2029.',
    });
  });

  const article = {
    '@context': 'https://schema.org',
    '@type': 'NewsArticle',
    headline: 'Ferry Line &amp; Port Agree',
    datePublished: '2026-11-24T06:15:00Z',
    image: [{ '@type': 'ImageObject', url: 'https://img.the-example.com/a.jpg' }],
    publisher: { '@type': 'Organization', name: 'The Example' },
    inLanguage: 'de',
    description: '<p>Two ships.</p>',
  };
  const expected = {
    title: 'Ferry Line & Port Agree',
    outlet: 'The Example',
    publishedAt: Date.parse('2026-11-24T06:15:00Z'),
    imageUrl: 'https://img.the-example.com/a.jpg',
    language: 'de',
    summary: 'Two ships.',
  };

  it.each([
    ['an object', article],
    ['a list', [{ '@type': 'BreadcrumbList', name: 'Path' }, article]],
    ['a graph', { '@context': 'https://schema.org', '@graph': [{ '@type': 'WebSite', name: 'Site' }, article] }],
    [
      'a graph with references',
      {
        '@graph': [
          { ...article, publisher: { '@id': '#us' }, image: { '@type': 'ImageObject', '@id': '#picture' } },
          { '@type': 'ImageObject', '@id': '#picture', contentUrl: expected.imageUrl },
          { '@type': 'Organization', '@id': '#us', name: 'The Example' },
        ],
      },
    ],
    ['within the page that it is about', { '@type': 'WebPage', name: 'Page', mainEntity: article }],
    ['with texts in lists', { ...article, headline: [article.headline], publisher: [article.publisher] }],
    ['in a comment', `<!-- ${JSON.stringify(article)} -->`],
  ])('is read by its JSON-LD: %s', (_, value) => {
    expect(read(`<head><title>Other</title>${jsonLd(value)}</head>`)).toMatchObject(expected);
  });

  it('has no picture or outlet that its JSON-LD only refers to', () => {
    const refer = (id: string) => read(jsonLd({ ...article, image: { '@id': id }, publisher: { '@id': '#us' } }));
    expect(refer('https://the-example.com/2026/11/report#picture')).toMatchObject({ imageUrl: null, outlet: null });
    expect(refer(expected.imageUrl)).toMatchObject({ imageUrl: expected.imageUrl });
  });

  it('has the JSON-LD of its own report, not of one that it mentions', () => {
    const other = { ...article, headline: 'Another Report', url: 'https://the-example.com/other' };
    const own = { ...article, mainEntityOfPage: { '@id': 'https://the-example.com/2026/11/report/' } };
    expect(read(jsonLd([other, own])).title).toBe('Ferry Line & Port Agree');
    expect(read(jsonLd({ ...article, mentions: [other] })).title).toBe('Ferry Line & Port Agree');
  });

  it.each(['{"@type": "NewsArticle", "headline": "Cut', '', '[[[', 'null', '"text"', '{"@type": {"@type": 5}}'])(
    'is read without JSON-LD that is none: %s',
    (script) => {
      expect(read(`${jsonLd(script)}${jsonLd(article)}<title>T</title>`)).toMatchObject(expected);
      expect(read(`${jsonLd(script)}<title>The Title</title>`).title).toBe('The Title');
    },
  );

  it('is read by plain HTML otherwise', () => {
    const page = `<html lang="pt-br"><head><title> Ferry
      Line </title><link rel="shortlink canonical" href="/report"><meta name="description" content="Two ships.">
      <link rel="image_src" href="a.jpg"></head><body><svg><title>Icon</title></svg>
      <time datetime="2026-11-20">Another</time><time itemprop="datePublished" datetime="2026-11-24T06:15Z">now</time>`;
    expect(read(page)).toEqual({
      title: 'Ferry Line',
      outlet: null,
      url: 'https://www.the-example.com/report',
      originalUrl: null,
      publishedAt: Date.parse('2026-11-24T06:15:00Z'),
      imageUrl: 'https://www.the-example.com/2026/11/a.jpg',
      language: 'pt-BR',
      summary: 'Two ships.',
    });
    expect(read('<svg><title>Icon</title></svg><h1> </h1><h1>The <b>Heading</b></h1>').title).toBe('The Heading');
    expect(read('<meta name="date" content="2026-11-24"><time datetime="2026-11-20">').publishedAt).toBe(
      Date.parse('2026-11-24T00:00:00Z'),
    );
  });

  it('has nothing where a page says nothing', () => {
    const nothing = { title: null, outlet: null, originalUrl: null, publishedAt: null, imageUrl: null };
    for (const page of ['', 'plain text', '<title> \u200b </title><meta property="og:title" content="">']) {
      expect(read(page)).toEqual({ ...nothing, url: URL_OF_PAGE, language: null, summary: null });
    }
  });

  it('has no date that is not one, and none in the future', () => {
    const at = (content: string): number | null => read(`<meta name="date" content="${content}">`).publishedAt;
    expect(at('2026-11-24')).not.toBeNull();
    // A clock that is fast, and a wrong zone.
    expect(at('2026-11-24T12:10:00Z')).toBe(NOW + 10 * MINUTE);
    for (const date of ['soon', '2026-11-24T13:00:00Z', '2099-01-01', '0001-01-01', '9'.repeat(5_000)])
      expect(at(date), date).toBeNull();
  });

  it('has only addresses by http or https', () => {
    const page = `${og({ image: 'javascript:alert(1)', url: 'data:text/html,x' })}<link rel="canonical" href="ftp://a/b">`;
    expect(read(page)).toMatchObject({ imageUrl: null, url: URL_OF_PAGE, originalUrl: null });
  });
});

describe('the canonical link of a page', () => {
  const canonical = (href: string, url?: string): Pick<PageMetadata, 'url' | 'originalUrl'> => {
    const { url: own, originalUrl } = read(`<link rel="canonical" href="${href}">`, url === undefined ? {} : { url });
    return { url: own, originalUrl };
  };

  it('is its address, if it is on the same host; a version for phones is on the same host', () => {
    const url = 'https://the-example.com/report';
    expect(canonical(url)).toEqual({ url, originalUrl: null });
    expect(canonical(url, 'https://m.the-example.com/report.amp')).toEqual({ url, originalUrl: null });
    expect(canonical('http://the-example.com/report')).toEqual({ url, originalUrl: null });
  });

  it('is not, on another host: it is told apart', () => {
    const original = 'https://agency.example/report';
    expect(canonical(original)).toEqual({ url: URL_OF_PAGE, originalUrl: original });
    // A host that only begins or ends alike.
    for (const host of ['the-example.com.evil.example', 'not-the-example.com', 'evil.example']) {
      expect(canonical(`https://${host}/a`).url, host).toBe(URL_OF_PAGE);
    }
  });

  it('is not the front page', () => {
    for (const href of ['/', 'https://the-example.com', 'https://agency.example/index.html']) {
      expect(canonical(href), href).toEqual({ url: URL_OF_PAGE, originalUrl: null });
    }
  });
});

describe('the title of a page', () => {
  it.each([
    ['Ferry Line Orders Ships | The Example', 'Ferry Line Orders Ships'],
    ['Ferry Line Orders Ships - Example', 'Ferry Line Orders Ships'],
    ['Ferry Line Orders Ships — THE EXAMPLE', 'Ferry Line Orders Ships'],
    ['Ferry Line Orders Ships :: the-example.com', 'Ferry Line Orders Ships'],
    ['渡轮公司订购新船 – The Example', '渡轮公司订购新船'],
    // Not the name of the site.
    ['Ferry Line Orders Ships - Again', 'Ferry Line Orders Ships - Again'],
    ['Ferry Line | Business | The Example', 'Ferry Line | Business'],
    ['The Example', 'The Example'],
  ])('loses the name of the site at its end, and nothing else: %s', (written, title) => {
    expect(read(`${og({ site_name: 'The Example' })}<title>${written}</title>`).title).toBe(title);
  });

  it('loses the name in the host', () => {
    expect(read('<title>Ships | The Example</title>').title).toBe('Ships');
    const url = 'https://news.daily.co.uk/a';
    expect(read('<title>Ships | Daily</title>', { url }).title).toBe('Ships');
    expect(read('<title>Ships | News</title>', { url }).title).toBe('Ships | News');
  });
});

describe('the charset of a page', () => {
  const gbk = Uint8Array.from([0xb6, 0xc9, 0xc2, 0xd6]);
  const page = (head: string, title: Uint8Array): Uint8Array =>
    Buffer.concat([Buffer.from(`<head>${head}<title>`), title, Buffer.from('</title>')]);

  it.each([
    ['the header', page('', gbk), 'text/html; charset=GBK', '渡轮'],
    ['a meta tag', page('<meta charset=gb2312>', gbk), 'text/html', '渡轮'],
    ['http-equiv', page('<meta http-equiv="Content-Type" content="text/html; charset=gbk">', gbk), null, '渡轮'],
    ['the header before a meta tag', page('<meta charset="utf-8">', gbk), 'text/html; charset=gbk', '渡轮'],
    ['UTF-8 that claims to be UTF-16', page('<meta charset="utf-16">', Buffer.from('渡轮')), 'text/html', '渡轮'],
    ['windows-1252 without a word', page('', Uint8Array.from([0x93, 0x46, 0x94])), 'text/html', '“F”'],
  ])('is that of %s', (_, bytes, contentType, title) => {
    expect(readPageMetadata({ document: { bytes, contentType, url: URL_OF_PAGE }, now: NOW }).title).toBe(title);
  });
});

describe('any page', () => {
  const part = fc.oneof(
    fc.constantFrom('<', '>', '"', '&amp;', '&#0;', '<!--', '-->', '<script type="application/ld+json">', '</script>'),
    fc.constantFrom(
      '<meta property="og:title" content="',
      '<title>',
      '</title>',
      '<link rel=canonical href="',
      '{"@type":',
    ),
    fc.constantFrom('"NewsArticle","headline":', '}', '<html lang="', '<time datetime="', '\u202e', '\ud800', '\u0000'),
    fc.string({ unit: 'binary' }),
  );
  const documents = fc.oneof(
    fc.array(part, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json({ maxDepth: 5 }).map((value) => Buffer.from(jsonLd(value))),
  );

  it('gives clean, short texts and usable addresses, without an error', () => {
    fc.assert(
      fc.property(documents, fc.option(fc.string(), { nil: null }), (bytes, contentType) => {
        const page = readPageMetadata({ document: { bytes, contentType, url: URL_OF_PAGE }, now: NOW });
        for (const text of [page.title, page.outlet, page.summary]) {
          if (text === null) continue;
          expect(text.length).toBeGreaterThan(0);
          expect(text.length).toBeLessThanOrEqual(2_000);
          expect(text).toBe(text.trim());
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff]/);
          expect(text.isWellFormed()).toBe(true);
        }
        for (const url of [page.url, page.imageUrl, page.originalUrl]) {
          if (url !== null) expect(url).toMatch(/^https?:\/\//);
        }
        expect(canonicalLink(page.url)).toMatch(/^https:\/\/(?:m\.|amp\.|mobile\.)?the-example\.com\//);
        if (page.publishedAt !== null) expect(Number.isSafeInteger(page.publishedAt)).toBe(true);
      }),
    );
  });

  it.each([
    ['tags that nobody closes', '<b>'.repeat(300_000)],
    ['end tags of nothing', `${'<i>'.repeat(400)}${'</b>'.repeat(200_000)}`],
    ['attributes', `<a ${'a=1 '.repeat(200_000)}>`],
    ['meta tags', Array.from({ length: 25_000 }, (_, n) => `<meta name="n${n}" content="c">`).join('')],
    ['JSON-LD that is deep', jsonLd(`${'['.repeat(400_000)}${']'.repeat(400_000)}`)],
    ['JSON-LD that is wide', jsonLd(`[${'{"@type":"x"},'.repeat(60_000)}{}]`)],
    ['a title of separators', `<title>${' | '.repeat(300_000)}</title>`],
  ])('is read in a moment: %s', (_, html) => {
    let page: PageMetadata | null = null;
    expect(processorTime(() => (page = read(`<title>First</title>${html}`)))).toBeLessThan(2_000);
    expect(page).toMatchObject({ title: 'First' });
  });
});
