import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseDocument as parseHtml } from 'htmlparser2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { checkLegalTexts, renderLegalText } from '../../src/front/legal-document.ts';
import { openTestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';
import { ROOT, sampleConfig } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Texts {
  imprint?: string | undefined;
  privacy?: string | undefined;
  own?: string;
}

/** The sample configuration with these files or addresses; `own` is that of its first newsletter. */
function withTexts({ own, ...texts }: Texts): Config {
  const config = sampleConfig();
  const newsletters = config.newsletters.map((one, at) =>
    at === 0 && own !== undefined ? { ...one, imprint: own } : one,
  );
  return { ...config, publication: { ...config.publication, ...texts }, newsletters };
}

describe('the pages of imprint and privacy policy', () => {
  let store: Store;
  let folder: string;
  const write = (name: string, text: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  beforeEach(async () => {
    store = await openMigrated();
    folder = temporaryFolder();
  });
  afterEach(() => store.close());

  it('show a Markdown file in the layout of the site, under the title of its first line', async () => {
    const imprint = write(
      'imprint.md',
      '\n# Who *we* are\n\nThe **Wire**, [contact](mailto:a@example.com)\n\n# Again\n',
    );
    const page = await openTestSite(store, withTexts({ imprint })).read('/imprint');
    expect(page).toContain('<title>Who *we* are — The Meridian Wire</title>');
    expect(page).toContain('<h1 class="title">Who *we* are</h1>');
    expect(page).toContain('<p>The <strong>Wire</strong>, <a href="mailto:a@example.com">contact</a></p>');
    expect(page).toContain('<h2>Again</h2>');
    expect(page).toContain('<link rel="canonical" href="http://127.0.0.1:8080/imprint">');
    expect(page).toMatch(/<footer class="colophon"/);
  });

  it('show a changed file without a restart', async () => {
    const privacy = write('privacy.md', 'Before.');
    const site = openTestSite(store, withTexts({ privacy }));
    expect(await site.read('/privacy')).toContain('<p>Before.</p>');
    write('privacy.md', 'After.');
    site.later();
    expect(await site.read('/privacy')).toContain('<p>After.</p>');
  });

  it('are linked from every page, also from that of an error', async () => {
    const site = openTestSite(store);
    for (const path of ['/', '/newsletters', '/privacy', '/imprint', '/no-such-page']) {
      const page = await (await site.get(path)).text();
      expect(page).toContain('<li><a href="/imprint">Imprint</a></li>');
      expect(page).toContain('<li><a href="/privacy">Privacy</a></li>');
    }
  });

  it('do not exist, and are linked nowhere, unless they are configured', async () => {
    const site = openTestSite(store, withTexts({ imprint: undefined, privacy: undefined }));
    expect(await site.read('/')).not.toMatch(/Imprint|Privacy/);
    for (const path of ['/imprint', '/privacy', '/imprint/daily-roundup'])
      expect((await site.get(path)).status).toBe(404);
  });

  it('redirect to an address elsewhere, to which the pages link', async () => {
    const site = openTestSite(store, withTexts({ imprint: 'https://example.com/about?of="us"&x' }));
    expect(await site.read('/')).toContain('<a href="https://example.com/about?of=%22us%22&amp;x">Imprint</a>');
    const response = await site.get('/imprint');
    expect([response.status, response.headers.get('Location')]).toEqual([
      302,
      'https://example.com/about?of=%22us%22&x',
    ]);
  });

  it('show the imprint of a newsletter, and that of the publication for a newsletter without one', async () => {
    const config = withTexts({ imprint: write('imprint.md', 'Of all.'), own: write('own.md', 'Of one.') });
    const site = openTestSite(store, config);
    expect(await site.read('/imprint')).toContain('Of all.');
    expect(await site.read(`/imprint/${config.newsletters[0]?.id}`)).toContain('Of one.');
    for (const id of [config.newsletters[1]?.id, 'removed-since']) {
      const response = await site.get(`/imprint/${id}`);
      expect([response.status, response.headers.get('Location')]).toEqual([302, 'http://127.0.0.1:8080/imprint']);
    }
  });

  it('say whom to write to while a file cannot be read', async () => {
    const site = openTestSite(store, withTexts({ imprint: join(folder, 'gone.md') }));
    const response = await site.get('/imprint');
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('newsroom@example.com');
  });

  it('are checked: each file that cannot be shown is named with its key', async () => {
    const gone = join(folder, 'gone.md');
    const own = write('own.md', Buffer.from([0x23, 0xff, 0xfe]));
    const check = async (texts: Texts) =>
      (await checkLegalTexts(withTexts(texts))).filter(({ kind }) => kind === 'problem').map(({ message }) => message);
    const id = sampleConfig().newsletters[0]?.id;
    expect(await check({ imprint: gone, privacy: folder, own })).toEqual([
      `publication.imprint is ${gone}: the file cannot be read (ENOENT)`,
      `publication.privacy is ${folder}: it must be a file`,
      `newsletters ${id}: imprint is ${own}: the file is not in UTF-8`,
    ]);
    const long = write('long.md', 'a'.repeat(200_001));
    const privacy = write('empty.md', '\ufeff \n');
    expect(await check({ imprint: long, privacy })).toEqual([
      `publication.imprint is ${long}: the file has 200001 bytes, and may have 200000`,
      `publication.privacy is ${privacy}: the file is empty`,
    ]);
    const deep = write('deep.md', '<b>'.repeat(2_000));
    expect((await check({ imprint: deep, privacy: undefined }))[0]).toMatch(
      /deep\.md: nests its elements more than 1000/,
    );
    expect(await check({ imprint: 'https://example.com/', privacy: undefined })).toEqual([]);
    expect(await checkLegalTexts(sampleConfig())).toEqual([]);
  });

  it('name values that do not exist, and what is still to be filled in', async () => {
    const imprint = write('imprint.md', '{{ secrets.signingSecret }} and {{ publication.name }}, (your register)');
    const unknown = /imprint\.md: there is no value \{\{ secrets\.signingSecret \}\}; there are publication\.name, /;
    expect(await checkLegalTexts(withTexts({ imprint, privacy: undefined }))).toEqual([
      { kind: 'problem', message: expect.stringMatching(unknown) },
      { kind: 'warning', message: `publication.imprint is ${imprint}: replace (your register)` },
    ]);
  });
});

describe('a legal text', () => {
  const config = sampleConfig();

  it('shows values of the configuration, in its title too', () => {
    const text = '# Of {{publication.name}}\n\nKept {{ retention.consentDays }} days, {{ toString }} {{ constructor }}';
    const { title, html, unknown } = renderLegalText(text, 'Privacy', config);
    expect(title).toBe('Of The Meridian Wire');
    expect(html).toBe('<p>Kept 1095 days, {{ toString }} {{ constructor }}</p>');
    expect(unknown).toEqual(['{{ toString }}', '{{ constructor }}']);
  });

  it('has the default title unless it begins with a heading', () => {
    for (const text of ['Text.\n\n# Later', '#\u00a0', '# ', '#Text']) {
      expect(renderLegalText(text, 'Privacy', config).title).toBe('Privacy');
    }
    expect(renderLegalText('\ufeff\r\n# Imprint\r\nText', 'x', config)).toMatchObject({
      title: 'Imprint',
      html: '<p>Text</p>',
    });
  });

  it('shows a value as text, whatever markup it looks like', () => {
    const marks = fc.string({ unit: fc.constantFrom(...'*_`[]()<>&#!|~"\'\\:/-+1. \n\0a{}@='), maxLength: 30 });
    fc.assert(
      fc.property(marks, (name) => {
        const publication = { ...config.publication, name };
        const text = 'a {{ publication.name }} b\n\n- x {{ publication.name }}';
        const { html } = renderLegalText(text, 'x', { ...config, publication });
        const elements = [...html.matchAll(/<\/?([a-z0-9]+)/g)].map(([, element]) => element);
        expect(elements).toEqual(['p', 'p', 'ul', 'li', 'li', 'ul']);
        const shown = name.replaceAll('\0', '').replace(/\s+/g, ' ').trim();
        expect(textOf(html).replace(/\s+/g, ' ').trim()).toBe(`a ${shown} b x ${shown}`.replace(/\s+/g, ' ').trim());
      }),
      { numRuns: 200 },
    );
  });

  it('names the publisher once in a place, in the texts of the sample and of a new newsroom', () => {
    const { name, postalAddress } = config.publication;
    expect(postalAddress.startsWith(`${name}, `)).toBe(true);
    for (const file of ['sample/imprint.md', 'sample/privacy.md', 'templates/init/imprint.md']) {
      const { html } = renderLegalText(readFileSync(join(ROOT, file), 'utf8'), 'x', config);
      const shown = textOf(html);
      expect([file, shown.includes(postalAddress)]).toEqual([file, true]);
      expect([file, new RegExp(`${name},?\\s*${name}`).test(shown)]).toEqual([file, false]);
    }
  });

  it('links to the address of the contact, in the imprint of the sample and of a new newsroom', () => {
    for (const file of ['sample/imprint.md', 'templates/init/imprint.md']) {
      const { html } = renderLegalText(readFileSync(join(ROOT, file), 'utf8'), 'x', config);
      expect(html).toContain('Email: <a href="mailto:newsroom@example.com">newsroom@example.com</a>');
    }
  });

  it('brings no script and no style', () => {
    const hostile = '<script>alert(1)</script><p onclick="x" style="position:fixed">a</p>\n\n[b](javascript:alert(1))';
    const { html } = renderLegalText(hostile, 'x', config);
    expect(html).not.toMatch(/<script|onclick|style=|href/);
    expect(textOf(html)).toContain('a');
  });
});

function textOf(html: string): string {
  const texts: string[] = [];
  const walk = (node: { children?: unknown[]; data?: string }): void => {
    if (typeof node.data === 'string') texts.push(node.data);
    for (const child of node.children ?? []) walk(child as typeof node);
  };
  walk(parseHtml(html) as never);
  return texts.join('');
}
