import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Folder, newFolder } from '../../support/command.ts';

const OPML = `<opml version="2.0"><body><outline text="Business">
  <outline type="rss" text="Quay &amp; Sons" xmlUrl="https://quay.example/feed?a=1&amp;b=2"/>
  <outline type="rss" text="Harbour Post" xmlUrl="http://www.harbour-post.example/news.rss"/>
  <outline type="rss" text="Router" xmlUrl="http://192.168.0.1/feed"/>
</outline></body></opml>`;

// The tests follow each other in one folder.
describe('daywire sources import and export', () => {
  let folder: Folder;
  const config = (): string => readFileSync(join(folder.path, 'config/daywire.yaml'), 'utf8');
  const run = (...args: string[]) => folder.run(['sources', ...args]);

  beforeAll(() => {
    folder = newFolder('sample with outlets');
    writeFileSync(join(folder.path, 'outlets.opml'), OPML);
  });

  it('says what it would add, and changes nothing', async () => {
    const before = config();
    const { code, stdout, stderr } = await run('import', 'outlets.opml', '--dry-run');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`  quay-example-feed: Quay & Sons, https://quay.example/feed?a=1&b=2
known: http://www.harbour-post.example/news.rss is the source harbour-post
rejected: Router, http://192.168.0.1/feed: 192.168.0.1 is a private address: if it is yours, name its network in fetch.allow
would add 1 feed, 1 known, 1 rejected
`);
    expect(config()).toBe(before);
  });

  it('adds feeds to the configuration, which keeps its comments, and adds none a second time', async () => {
    const before = config();
    const { code, stdout } = await run('import', 'outlets.opml');
    expect(code).toBe(0);
    expect(stdout).toContain(
      'added 1 feed to config/daywire.yaml, 1 known, 1 rejected\ntry one with "daywire sources test ID"',
    );
    const entry =
      '  - { id: quay-example-feed, url: "https://quay.example/feed?a=1&b=2", use: roundup, outlet: "Quay & Sons" }';
    const last = before.split('\n').find((line) => line.includes('id: northgate-ledger')) as string;
    expect(config()).toBe(before.replace(last, `${last}\n${entry}`));
    expect(JSON.parse((await folder.run(['sources', 'import', '-', '--json'], {}, OPML)).stdout)).toMatchObject({
      added: [],
      known: [{ id: 'quay-example-feed' }, { id: 'harbour-post' }],
      rejected: [{ title: 'Router' }],
    });
  });

  it('exports all outlets, to a file or to stdout', async () => {
    const { stdout } = await run('export');
    expect(stdout).toContain('<title>The Meridian Wire: outlets</title>');
    expect(stdout).toContain(
      'text="Quay &#x26; Sons" title="Quay &#x26; Sons" xmlUrl="https://quay.example/feed?a=1&#x26;b=2"',
    );
    expect(stdout.match(/<outline /g)).toHaveLength(4);
    expect(await run('export', 'all.opml')).toMatchObject({ code: 0, stdout: 'wrote 4 feeds to all.opml\n' });
    expect(await run('export', 'none/all.opml')).toMatchObject({
      ...{ code: 1, stderr: 'daywire: none/all.opml cannot be written: ENOENT\n' },
    });
    expect(readFileSync(join(folder.path, 'all.opml'), 'utf8')).toBe(stdout);
  });

  it('refuses a file that is missing or no OPML', async () => {
    expect(await run('import', 'missing.opml')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/missing\.opml cannot be read: ENOENT/),
    });
    const { code, stderr } = await run('import', 'config/daywire.yaml');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/the file is not OPML: it has no element <opml>/)]);
  });
});
