import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Config, ConfigError } from '../../src/core/config/config.ts';
import type { Store } from '../../src/core/store/store.ts';
import { checkLegalTexts } from '../../src/front/legal-document.ts';
import { openTestSite } from '../app/test-site.ts';
import { openMigrated } from '../support/databases.ts';
import { htmlFaults } from '../support/html-faults.ts';
import { sampleConfig } from '../support/sample.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

type Pages = Config['publication']['pages'];

function withPages(pages: Pages): Config {
  const config = sampleConfig();
  return { ...config, publication: { ...config.publication, pages } };
}

describe('pages of one’s own', () => {
  let store: Store;
  let folder: string;
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  beforeEach(async () => {
    store = await openMigrated();
    folder = temporaryFolder();
  });

  it('show a Markdown file at their path, and are linked from the footer and the sitemap in their order', async () => {
    const site = openTestSite(
      store,
      withPages({
        team: { title: 'The <b> team', file: write('team.md', '# Who we are\n\nOf {{ publication.name }}.') },
        about: { title: 'About', file: write('about.md', 'Text without a heading, <script>alert(1)</script>') },
      }),
    );
    const team = await site.read('/team');
    expect(team).toContain('<h1 class="title">Who we are</h1>');
    expect(team).toContain('<p>Of The Meridian Wire.</p>');
    expect(team).toContain('<link rel="canonical" href="http://127.0.0.1:8080/team">');
    expect(await htmlFaults(team)).toEqual([]);
    const about = await site.read('/about');
    expect(about).toContain('<h1 class="title">About</h1>');
    expect(about).not.toContain('<script');
    const footer = /<footer class="colophon"[\s\S]*<\/footer>/.exec(await site.read('/'))?.[0] ?? '';
    expect(footer.match(/<a href="\/(?:privacy|team|about)">[\s\S]*?<\/a>/g)).toEqual([
      '<a href="/privacy">Privacy</a>',
      '<a href="/team">The &lt;b&gt; team</a>',
      '<a href="/about">About</a>',
    ]);
    const sitemap = await site.read('/sitemap-pages.xml');
    expect(sitemap).toMatch(/:8080\/team<\/loc>[\s\S]*:8080\/about<\/loc>/);
  });

  it('redirect to an address elsewhere, which is in no sitemap', async () => {
    const site = openTestSite(store, withPages({ jobs: { title: 'Jobs', file: 'https://example.com/jobs' } }));
    const { status, headers } = await site.get('/jobs');
    expect([status, headers.get('Location')]).toEqual([302, 'https://example.com/jobs']);
    expect(await site.read('/sitemap-pages.xml')).not.toContain('/jobs');
  });

  it('are checked: a file that cannot be shown is named with its key', async () => {
    const file = join(folder, 'gone.md');
    expect(await checkLegalTexts(withPages({ about: { title: 'About', file } }))).toEqual([
      { kind: 'problem', message: `publication.pages.about.file is ${file}: the file cannot be read (ENOENT)` },
    ]);
  });

  it('cannot have a path that the site uses itself, or one that is none', () => {
    const { app } = openTestSite(store, { ...withPages({}), hub: 'self' });
    const own = new Set(app.routes.flatMap(({ path }) => /^\/([a-z0-9-]+)(?:\/|$)/.exec(path)?.[1] ?? []));
    expect(own.size).toBeGreaterThan(20);
    for (const path of [...own, 'desk', 'metrics', 'search', 'reporters', 'api']) {
      expect([path, problemOf(path)]).toEqual([path, expect.stringMatching(/must be another path than those of/)]);
    }
    expect(problemOf('About us')).toMatch(/pages\.About us .*must be lower-case letters, digits and hyphens/);
    expect(problemOf('about')).toBeNull();
  });
});

/** The first problem of a configuration with a page at that path. */
function problemOf(path: string): string | null {
  try {
    const yaml = `{ "${path}": { title: T, file: a.md } }`;
    sampleConfig((text) => text.replace(/\n {2}pages:\n {4}about: .*/, `\n  pages: ${yaml}`));
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems[0] ?? '';
    throw error;
  }
}
