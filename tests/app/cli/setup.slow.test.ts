import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { makePosts } from '../../../scripts/cms/posts.ts';
import { wordPressApp } from '../../../scripts/cms/wordpress.ts';
import { ownTemplateWarnings, type TemplateEntry } from '../../../src/app/templates/own-templates.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { migrate } from '../../../src/core/store/schema.ts';
import { openStore } from '../../../src/core/store/store.ts';
import { rfc3339 } from '../../../src/lib/time.ts';
import { openSite } from '../../own-sites/test-site.ts';
import { articleFile } from '../../support/articles.ts';
import { editConfig, type Folder, newFolder, scheduledFolder } from '../../support/command.ts';

describe.concurrent('daywire check', () => {
  it('warns that one-click unsubscribe needs https, and exits 0', async () => {
    const { code, stdout } = await newFolder('sample').run(['check']);
    expect(stdout).toMatch(/warning .*publication\.url.*https/);
    expect(stdout).not.toMatch(/PROBLEM/);
    expect(code).toBe(0);
  });

  it('prints its findings as JSON', async () => {
    const folder = newFolder('sample');
    const findings = JSON.parse((await folder.run(['check', '--json'])).stdout) as Finding[];
    expect(findings[0]).toEqual({ kind: 'ok', message: 'configuration config/daywire.yaml is valid' });
    expect(new Set(findings.map(({ kind }) => kind))).toEqual(new Set(['ok', 'warning']));
    editConfig(folder, 'Asia/Shanghai', 'Nowhere');
    const broken = await folder.run(['check', '--json']);
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.stdout)).toEqual([
      { kind: 'problem', message: expect.stringMatching(/publication\.zone is "Nowhere"/) },
    ]);
  });

  it('finds a broken template, with its line', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'templates'));
    writeFileSync(join(folder.path, 'templates/daily-roundup.mjml'), '<mjml>\n{% if edition.top %}\n</mjml>');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +templates: .*daily-roundup\.mjml.*line:2/);
  });

  it('finds a template that can be parsed but not rendered', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'templates'));
    writeFileSync(join(folder.path, 'templates/daily-roundup.mjml'), '<mjml><mj-body><mj-nothing/></mj-body></mjml>');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +newsletters daily-roundup: template daily-roundup: .*mj-nothing/);
  });

  it('warns of a placeholder address, open metrics, the file transport, and empty newsletters', async () => {
    const folder = newFolder('sample');
    const store = await openStore({ path: join(folder.path, 'var/daywire.db') });
    await migrate(store);
    await store.close();
    editConfig(folder, 'http://127.0.0.1:8080', 'https://news.example.com');
    editConfig(folder, 'metrics: 127.0.0.1:0', 'metrics: 0.0.0.0:9464');
    editConfig(folder, 'minimumStories: 3', 'postalAddress: 1 Sample Road');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(0);
    const warnings = stdout.match(/^warning .*/gm) ?? [];
    expect(warnings.map((line) => line.replace('warning  ', ''))).toEqual([
      expect.stringMatching(/^publication\.postalAddress is The Meridian Wire, 1 Sample Road, .* law$/),
      'newsletters daily-roundup: postalAddress is 1 Sample Road: every email shows it',
      expect.stringMatching(/^delivery\.transport is file although publication\.url is https:.*; set it to smtp$/),
      expect.stringMatching(/^server\.metrics listens on 0\.0\.0\.0, port 9464: .* set DAYWIRE_METRICS_TOKEN, or an/),
      'newsletters daily-roundup: nobody is subscribed, so its editions reach nobody',
      'newsletters weekly-roundup: nobody is subscribed, so its editions reach nobody',
    ]);
    const created = newFolder('empty');
    await created.run(['init']);
    expect((await created.run(['check'])).stdout).toMatch(
      /warning +publication\.postalAddress is .*your postal address/,
    );
  });

  it('finds a secret that others can read, a store that cannot be created, and a picture that is missing', async () => {
    const folder = newFolder('sample');
    mkdirSync(join(folder.path, 'var'));
    writeFileSync(join(folder.path, 'var/secret'), 's'.repeat(40), { mode: 0o644 });
    writeFileSync(join(folder.path, 'a-file'), '');
    editConfig(folder, 'store: var/daywire.db', 'store: a-file/daywire.db');
    editConfig(folder, '  contact: {', '  logo: { url: no-such.png, width: 200 }\n  contact: {');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /PROBLEM +signing secret: .*var\/secret is readable by other users \(mode 644\): run "chmod 600/,
    );
    expect(stdout).toMatch(/PROBLEM +paths\.store is .*a-file\/daywire\.db: its folder cannot be written/);
    expect(stdout).toMatch(/PROBLEM +publication\.logo\.url is no-such\.png: there is no such file in .*media/);
  });

  it('names newsletters that are not configured and have deliveries that wait', async () => {
    const folder = await scheduledFolder();
    expect((await folder.run(['check'])).stdout).not.toContain('daily-roundup.');
    editConfig(folder, '- id: daily-roundup', '- id: weekly');
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /warning +newsletters: 7 deliveries wait because the configuration has no newsletter daily-roundup\. .*cancel/,
    );
  });

  it('fails when the SMTP server cannot be reached, without showing the password', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'transport: file', 'transport: smtp');
    const { code, stdout } = await folder.run(['check'], {
      DAYWIRE_SMTP_URL: 'smtp://user:hunter2hunter2@127.0.0.1:1',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +delivery: /);
    expect(stdout).toMatch(/ok +sending domain: not known: sender, spf, dkim, dmarc, alignment; /);
    expect(stdout).not.toMatch(/hunter2/);
  });
});

describe.concurrent('daywire check with the SMTP transport', () => {
  /** What it prints about DKIM keys and bounces. */
  async function findings(folder: Folder, lines: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    editConfig(folder, 'transport: file', `transport: smtp\n  smtpUrl: smtp://127.0.0.1:1${lines}`);
    const { stdout } = await folder.run(['check'], env);
    return stdout
      .split('\n')
      .filter((line) => /dkim|signed by|bounces/.test(line))
      .join('\n');
  }

  function keyFor(folder: Folder, domain: string, mode = 0o600): string {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder.path, 'dkim.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    chmodSync(join(folder.path, 'dkim.pem'), mode);
    return `\n  dkim: [{ domain: ${domain}, selector: daywire, keyFile: dkim.pem }]`;
  }

  it('warns that no message is signed, and that no bounce is processed', async () => {
    expect(await findings(newFolder('sample'), '')).toMatch(
      /^(?:warning +.*: no key of delivery\.dkim signs mail from example\.com: .*\n){2}warning +bounces\.address is not set: /,
    );
  });

  it('names the keys that sign, and the record that must be in the DNS', async () => {
    const folder = newFolder('sample');
    expect(await findings(folder, keyFor(folder, 'example.com'))).toMatch(
      /^ok +newsletters daily-roundup: mail from example\.com is signed by daywire\._domainkey\.example\.com, /,
    );
  });

  it('finds a key that others can read, also with the file transport', async () => {
    const folder = newFolder('sample');
    editConfig(folder, 'transport: file', `transport: file${keyFor(folder, 'example.com', 0o644)}`);
    const { code, stdout } = await folder.run(['check']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +delivery\.dkim: .*dkim\.pem is (?:open to|readable by) other users \(mode 644\)/);
  });

  it('says how bounces arrive, and logs in to the mailbox without showing its password', async () => {
    const folder = newFolder('sample');
    editConfig(folder, '# address: bounces@example.com', 'address: bounces@example.com');
    expect(await findings(folder, '')).toMatch(/\nok +bounces: bounces@example\.com, if your mail server pipes /);
    const { code, stdout } = await folder.run(['check'], {
      DAYWIRE_IMAP_URL: 'imap://desk:hunter2@127.0.0.1:1/INBOX',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/PROBLEM +bounces: the mailbox at imap:\/\/127\.0\.0\.1:1 cannot be read: .*ECONNREFUSED/);
    expect(stdout).not.toMatch(/hunter2/);
  });
});

describe('daywire check of sources', () => {
  it('names what it finds, and warns of a site that has nothing', async () => {
    const site = await openSite(wordPressApp(makePosts(1, Date.now())));
    const empty = await openSite(new Hono());
    const folder = newFolder('sample');
    editConfig(
      folder,
      '\nfeeds:',
      `\nfetch: { allow: [127.0.0.0/8] }\nsources:
  - { id: times, url: "${site.url}", use: articles }
  - { id: nothing, url: "${empty.url}", use: articles }\nfeeds:`,
    );
    const { code, stdout } = await folder.run(['check']);
    expect(stdout).toContain(`ok       sources times: the WordPress REST API at ${site.url}/wp-json/wp/v2/posts`);
    expect(stdout).toContain(
      `warning  sources nothing: ${empty.url} answered 404: is the address of the source right?`,
    );
    expect(code).toBe(0);
  });
});

describe.concurrent('daywire init', () => {
  it('creates a newsroom that works at once', async () => {
    const folder = newFolder('empty');
    const created = await folder.run(['init', '--name', 'The "Quoted" Times & Co', '--zone', 'America/New_York']);
    expect(created.stderr).toBe('');
    expect(created.code).toBe(0);
    expect(created.stdout).toBe(
      'created in .: config/daywire.yaml, config/daywire.schema.json, legal/imprint.md, legal/privacy.md, ' +
        'articles/example.md, media/, var/daywire.db\n' +
        'next: put articles (Markdown with front matter, or JSON Lines) into articles/, then run "daywire start"\n' +
        'articles/example.md shows the keys of an article. It is a draft, so it is not published.\n',
    );
    expect(readdirSync(folder.path).sort()).toEqual(['articles', 'config', 'legal', 'media', 'var']);
    for (const id of ['one', 'two', 'three']) {
      writeFileSync(
        join(folder.path, `articles/${id}.md`),
        articleFile(id, `published: ${rfc3339(Date.now())}\n`).replace('world', 'news'),
      );
    }
    expect((await folder.run(['check'])).code).toBe(0);
    const started = await folder.run(['start', '--once']);
    expect(started.stderr).not.toMatch(/problem|error/);
    expect(started.code).toBe(0);
    expect(started.stdout).toMatch(/4 added/);
    const shown = JSON.parse((await folder.run(['editions', 'show', 'daily-roundup', '--json'])).stdout);
    expect(shown.leftOut).toEqual([
      { id: 'example', headline: 'An Example: How an Article Is Written', reason: { kind: 'draft' } },
    ]);
    expect(started.stdout).not.toMatch(/sample articles/);
    expect((await folder.run(['compose', 'daily-roundup'])).stdout).toMatch(/number 1, closed, 0 deliveries/);
  });

  it('overwrites no file, and rejects an answer that the configuration does not allow', async () => {
    const folder = newFolder('sample');
    const { code, stderr } = await folder.run(['init']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/exists already: nothing was written/);
    const empty = newFolder('empty');
    const invalid = await empty.run(['init', '--zone', 'Nowhere']);
    expect(invalid.code).toBe(78);
    expect(invalid.stderr).toMatch(/publication\.zone is "Nowhere"/);
    expect(readdirSync(empty.path)).toEqual([]);
  });

  it('asks on a terminal for what is missing, until each answer is valid', async () => {
    const folder = newFolder('empty');
    const lines = ['The Example Times', 'times.example', 'https://times.example', '', 'English!', 'en-GB'];
    const typed = [...lines, 'https://old.example', ''].join('\n');
    const { code, stderr } = await folder.run(['init', '--email', 'desk@example.com'], {}, typed, true);
    expect(code).toBe(0);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(stderr).toMatch(
      /^Name of the publication \[My Newsroom\]: Public address .*: daywire: url is "times\.example": /,
    );
    expect(stderr).toContain(`Time zone [${zone}]: `);
    expect(stderr).toMatch(/daywire: language is "English!": must be/);
    expect(stderr).not.toContain('Email');
    const config = readFileSync(join(folder.path, 'config/daywire.yaml'), 'utf8');
    for (const line of [
      'name: "The Example Times"',
      'url: "https://times.example"',
      `zone: ${JSON.stringify(zone)}`,
      'language: "en-GB"',
      'email: "desk@example.com"',
      '- { id: our-site, url: "https://old.example", use: articles }',
    ]) {
      expect(config).toContain(line);
    }
  });

  it('takes the defaults where the input of the terminal ends, and keeps the articles of a folder', async () => {
    const folder = newFolder('empty');
    mkdirSync(join(folder.path, 'articles'));
    writeFileSync(join(folder.path, 'articles/one.md'), articleFile('one'));
    const { code } = await folder.run(['init'], {}, 'The Example Times\n', true);
    expect(code).toBe(0);
    expect(readFileSync(join(folder.path, 'config/daywire.yaml'), 'utf8')).toContain('zone: "UTC"');
    expect(readdirSync(join(folder.path, 'articles'))).toEqual(['one.md']);
  });
});

describe.concurrent('daywire templates', () => {
  it('ejects a template, compares it, and never overwrites it without --force', async () => {
    const folder = newFolder('sample');
    const templates = (...args: string[]) => folder.run(['templates', ...args]);
    expect((await templates('eject', 'pages/article', 'daily-roundup.txt')).stdout).toBe(
      'templates/pages/article.liquid\ntemplates/daily-roundup.txt\n',
    );
    const copy = join(folder.path, 'templates/pages/article.liquid');
    const builtIn = readFileSync(copy, 'utf8');
    expect((await templates('diff', 'pages/article')).stdout).toBe(
      'pages/article.liquid: your copy is the same as the built-in one\n',
    );
    writeFileSync(copy, `<!-- Ours -->\n${builtIn}`);
    expect((await templates('diff', 'pages/article')).stdout).toMatch(
      /^--- templates\/pages\/article\.liquid \(yours\)\n\+\+\+ .*built-in.*\n@@ line 1.*\n-<!-- Ours -->\n /,
    );
    const again = await templates('eject', 'pages/article.liquid');
    expect([again.code, again.stderr]).toEqual([
      1,
      expect.stringMatching(/article\.liquid exists already: .*--force\n$/),
    ]);
    expect(readFileSync(copy, 'utf8')).toMatch(/^<!-- Ours -->/);
    await templates('eject', 'pages/article.liquid', '--force');
    expect(readFileSync(copy, 'utf8')).toBe(builtIn);
  });

  it('tells what a later version has changed since a template was ejected, until the copy is kept', async () => {
    const folder = newFolder('sample');
    await folder.run(['templates', 'eject', 'pages/article']);
    const copy = join(folder.path, 'templates/pages/article.liquid');
    writeFileSync(copy, `${readFileSync(copy, 'utf8')}<!-- Ours -->\n`);
    writeFileSync(join(folder.path, 'templates/pages/extra.liquid'), '<p>Ours</p>');
    const state = async (name: string) =>
      (JSON.parse((await folder.run(['templates', 'list', '--json'])).stdout) as TemplateEntry[]).find(
        (one) => one.name === name,
      )?.state;
    expect(await state('pages/article.liquid')).toBe('edited');
    expect(await state('pages/extra.liquid')).toBe('own');
    expect(await state('pages/front.liquid')).toBe('built-in');
    // As a later version of daywire finds it.
    const record = join(folder.path, 'templates/.ejected.json');
    writeFileSync(record, JSON.stringify({ 'pages/article.liquid': 'f'.repeat(64) }));
    expect(await state('pages/article.liquid')).toBe('outdated');
    const warning =
      /warning +templates: daywire has changed pages\/article\.liquid since you ejected it: see "daywire t/;
    expect((await folder.run(['check'])).stdout).toMatch(warning);
    expect((await folder.run(['templates', 'keep', 'pages/article'])).stdout).toMatch(/your copy is kept/);
    expect(await state('pages/article.liquid')).toBe('edited');
    expect(ownTemplateWarnings(join(folder.path, 'templates'))).toEqual([]);
    writeFileSync(record, JSON.stringify({ 'pages/extra.liquid': 'f'.repeat(64) }));
    expect(await state('pages/extra.liquid')).toBe('removed');
    expect(ownTemplateWarnings(join(folder.path, 'templates'))).toEqual([
      expect.stringMatching(/^templates: daywire no longer uses pages\/extra\.liquid, of which you have a copy: /),
    ]);
    writeFileSync(record, '[]');
    expect(ownTemplateWarnings(join(folder.path, 'templates'))).toEqual([
      expect.stringMatching(/\.ejected\.json is not as daywire writes it/),
    ]);
  });

  it('names the template that was meant', async () => {
    const folder = newFolder('sample');
    const failure = async (...args: string[]) => (await folder.run(['templates', ...args])).stderr;
    expect(await failure('eject', 'pages/artcle.liquid')).toBe(
      'daywire: there is no built-in template pages/artcle.liquid: did you mean pages/article.liquid?\n',
    );
    expect(await failure('eject', 'daily-roundup')).toBe(
      'daywire: there are several templates daily-roundup: daily-roundup.mjml, daily-roundup.txt\n',
    );
    expect(await failure('eject', 'init/daywire.yaml.liquid')).toMatch(/there is no built-in template init\//);
    expect(await failure('eject', '../package.json')).toMatch(/there is no built-in template \.\./);
    expect(await failure('diff', 'pages/front')).toMatch(
      /pages\/front\.liquid does not exist: .*templates eject pages/,
    );
  });
});
