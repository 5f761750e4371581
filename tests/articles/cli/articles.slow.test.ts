import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { rfc3339 } from '../../../src/lib/time.ts';
import { ghostExport, ghostPost, wxr, wxrItem } from '../../own-sites/exports/wxr.ts';
import { articleFile } from '../../support/articles.ts';
import { newFolder } from '../../support/command.ts';

describe.concurrent('daywire import', () => {
  it('stores valid articles, names file and line of rejected ones, and exits 1', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), articleFile('good'));
    writeFileSync(join(folder.path, 'in/bad.md'), articleFile('bad', 'state: sektion\n'));
    const { code, stdout, stderr } = await folder.run(['import', '--undated', 'now', 'in']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: in\/bad\.md:\d+: .*sektion/m);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toMatch(/^1 added, 0 updated, 0 unchanged, 1 rejected\n\d+ of \d+ documents changed in feeds/);
    expect(readFileSync(join(folder.path, 'feeds/world.json'), 'utf8')).toContain('Headline of good');
    const status = (await folder.run(['status'])).stdout;
    expect(status).toMatch(/rejected\n {2}import: in\/bad\.md/);
  });

  it('says each kind of message once, with three places, and all in the file of --report', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    for (const id of ['a', 'b', 'c', 'd'])
      writeFileSync(join(folder.path, `in/${id}.md`), articleFile(id, `state: x${id}\n`));
    writeFileSync(join(folder.path, 'in/e.md'), 'no front matter');
    const first = await folder.run(['import', 'in']);
    expect(first.stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(
        /^daywire: 4 × state is "…": must be draft.* \(in\/a\.md:\d+, in\/b\.md:\d+, in\/c\.md:\d+\)$/,
      ),
      expect.stringMatching(/^daywire: in\/e\.md:1: has neither front matter nor a heading/),
    ]);
    expect(first.stdout).toMatch(/^0 added.*\n5 messages: --report FILE writes all; "daywire rejected list" lists/);
    const second = await folder.run(['import', 'in', '--report', 'report.txt']);
    expect(second.stdout).toMatch(/\n5 messages in report\.txt\n/);
    const report = readFileSync(join(folder.path, 'report.txt'), 'utf8').trimEnd().split('\n');
    expect(report).toHaveLength(5);
    expect(report[3]).toMatch(/^rejected: in\/d\.md:\d+: state is "xd": must be draft/);
    const json = JSON.parse((await folder.run(['import', 'in', '--json', '--report', 'report.txt'])).stdout);
    expect(json.messages).toMatchObject([
      { kind: 'rejected', count: 4 },
      { count: 1, examples: ['in/e.md:1'] },
    ]);
    const unwritable = await folder.run(['import', 'in', '--report', 'nowhere/report.txt']);
    expect(unwritable).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^daywire: ENOENT: no such file.*report\.txt/),
    });
  });

  it('prints as JSON what it imported and published', async () => {
    const folder = newFolder('sample');
    writeFileSync(join(folder.path, 'good.md'), articleFile('good'));
    const first = await folder.run(['import', '--undated', 'now', 'good.md', '--json']);
    expect(JSON.parse(first.stdout)).toMatchObject({
      import: { added: 1, rejected: [] },
      publish: { documents: expect.arrayContaining([expect.objectContaining({ path: 'latest.atom', changed: true })]) },
    });
    const again = await folder.run(['import', '--undated', 'now', 'good.md', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ import: { added: 0, unchanged: 1 }, publish: null });
  });

  it('imports an export of WordPress or Ghost, and says what it leaves out', async () => {
    const folder = newFolder('sample');
    writeFileSync(join(folder.path, 'site.xml'), wxr([wxrItem(1), wxrItem(2), wxrItem(3, { status: 'draft' })]));
    writeFileSync(join(folder.path, 'ghost.json'), ghostExport([ghostPost(1)]));
    const first = await folder.run(['import', '--from', 'wordpress', '--source', 'our-site', 'site.xml']);
    expect(first).toMatchObject({
      code: 0,
      stderr: 'daywire: site.xml: posts with the status draft: 1 not imported\n',
    });
    expect(first.stdout).toMatch(/^2 added, 0 updated, 0 unchanged\n\d+ of \d+ documents changed in feeds/);
    const ghost = await folder.run([
      'import',
      '--from',
      'ghost',
      'ghost.json',
      '--url',
      'https://times.example',
      '--json',
    ]);
    expect(JSON.parse(ghost.stdout)).toMatchObject({ import: { added: 1, leftOut: [] } });
    mkdirSync(join(folder.path, 'site/content/posts'), { recursive: true });
    writeFileSync(join(folder.path, 'site/content/posts/_index.md'), '');
    writeFileSync(join(folder.path, 'site/content/posts/solar.md'), articleFile('solar', 'date: 2024-03-01\n'));
    const hugo = await folder.run(['import', '--from', 'hugo', 'site', '--url', 'https://times.example']);
    expect(hugo.stderr).toMatch(
      /^daywire: site\/content\/posts\/_index\.md:1: is skipped: a list of a section \(_index\) .*\n$/,
    );
    expect(hugo.stdout).toMatch(/^1 added, 0 updated, 0 unchanged\n/);
    for (const [args, message] of [
      [['--from', 'ghost', 'ghost.json'], /does not say the address of its site: add --url/],
      [['--from', 'wordpress', 'site.xml', 'site.xml'], /--from takes one file or folder/],
      [['--from', 'wordpress', 'site.xml', '--source', 'Our Site'], /--source Our Site: must be lower-case letters/],
      [['--from', 'ghost', 'ghost.json', '--url', 'times'], /--url times: must be an http or https address/],
      [['site.xml', '--source', 'our-site'], /--source and --url are for an export/],
    ] as const) {
      const { code, stderr } = await folder.run(['import', ...args]);
      expect(code, args.join(' ')).toBe(1);
      expect(stderr).toMatch(message);
    }
  });

  it('holds the news of a first import until --yes, in one line, and takes a run back', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    const now = rfc3339(Date.now());
    for (let n = 0; n < 21; n++) {
      writeFileSync(join(folder.path, `in/new-${n}.md`), articleFile(`new-${n}`, `date: ${now}\n`));
    }
    writeFileSync(join(folder.path, 'in/old.md'), articleFile('old', 'date: 2015-03-26\n'));
    const first = await folder.run(['import', 'in']);
    expect(first.code).toBe(1);
    expect(first.stderr).toMatch(/^daywire: 21 articles of this first import .* in\/new-0\.md, .*--yes\n$/);
    expect(first.stdout).toMatch(/^1 added.*\n(?:.*\n)*run 1: "daywire import undo 1" takes it back\n$/);
    const second = await folder.run(['import', '--yes', 'in', '--json']);
    expect(JSON.parse(second.stdout)).toMatchObject({ import: { added: 21, heldNews: 0 }, run: 2 });
    expect((await folder.run(['import', 'runs'])).stdout).toMatch(/^2 {2}\S+Z.* {2}in: 21 added\n1 {2}.*: 1 added\n$/);
    const undone = await folder.run(['import', 'undo', '2', '--json']);
    expect(JSON.parse(undone.stdout)).toMatchObject({ undo: { deleted: 0, retracted: 21 } });
    expect((await folder.run(['import', 'undo', '2'])).stderr).toMatch(/no run 2 to undo: see "daywire import runs"/);
    expect((await folder.run(['import', './undo'])).stderr).toMatch(/undo: does not exist/);
  });

  it('names a path that does not exist', async () => {
    const { code, stderr } = await newFolder('sample').run(['import', 'nowhere.md']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/nowhere\.md/);
  });
});

describe.concurrent('daywire rejected', () => {
  it('lists all rejected input by page, shows one whole, and forgets a file that is gone', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), articleFile('good'));
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder.path, `in/${name}.md`), 'no front matter');
    await folder.run(['import', '--undated', 'now', 'in']);
    const { stdout } = await folder.run(['rejected', 'list', '--limit', '2', '--page', '2']);
    const [first = '', reason, last] = stdout.trimEnd().split('\n');
    expect(first).toMatch(/^import:\S+in\/c\.md:0, \d{4}-\S+Z \(.+\)$/);
    expect([reason, last]).toEqual([
      expect.stringMatching(/^ {2}in\/c\.md:1: has neither front matter nor a heading/),
      '3 rejected, page 2 of 2',
    ]);
    const json = await folder.run(['rejected', 'list', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ count: 3, pages: 1, rejected: [{}, {}, { line: null }] });
    const shown = await folder.run(['rejected', 'show', first.split(',')[0] ?? '']);
    expect(shown.stdout).toMatch(/has neither front matter nor a heading.*\n\nno front matter\n$/);
    expect((await folder.run(['rejected', 'show', 'x'])).stderr).toMatch(/nothing is rejected at x/);
    rmSync(join(folder.path, 'in/a.md'));
    await folder.run(['import', '--undated', 'now', 'in']);
    expect((await folder.run(['rejected', 'list'])).stdout).toMatch(/\n2 rejected\n$/);
    rmSync(join(folder.path, 'in/b.md'));
    await folder.run(['import', '--undated', 'now', 'in/b.md']);
    expect((await folder.run(['rejected', 'list'])).stdout).toMatch(/\n1 rejected\n$/);
  });
});

describe('daywire articles reindex', () => {
  it('builds the index of words again', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), articleFile('good'));
    await folder.run(['import', '--undated', 'now', 'in']);
    const database = new DatabaseSync(join(folder.path, 'var/daywire.db'));
    database.exec('delete from indexed_articles');
    expect(await folder.run(['articles', 'reindex'])).toMatchObject({ code: 0, stdout: 'all articles are indexed\n' });
    expect(database.prepare('select article_id from indexed_articles').all()).toEqual([{ article_id: 'good' }]);
    expect(database.prepare("select * from meta where key = 'search.indexed-to'").all()).toEqual([]);
    database.close();
  });
});

describe('daywire articles export', () => {
  it('writes a new folder that an import reads, refuses one with files, and fails where media is missing', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'in'));
    writeFileSync(join(folder.path, 'in/good.md'), articleFile('good'));
    await folder.run(['import', '--undated', 'now', 'in']);
    expect(await folder.run(['articles', 'export', 'out'])).toMatchObject({
      code: 0,
      stdout: '1 article and 0 files of media are in out\n',
    });
    const again = await folder.run(['import', 'out/articles']);
    expect(again.stderr).not.toContain('rejected');
    expect(await folder.run(['articles', 'export', 'out'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('out is not empty: name a new folder'),
    });
    const text = `${articleFile('missing')}\n![A](http://127.0.0.1:8080/media/gone.png)\n`;
    writeFileSync(join(folder.path, 'in/missing.md'), text);
    await folder.run(['import', '--undated', 'now', 'in']);
    expect(await folder.run(['articles', 'export', 'other'])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^2 articles and 0 files of media are in other; \d difference/),
      stderr: expect.stringContaining('/media/gone.png: no such file in the folder of media'),
    });
  });
});
