import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { type Folder, keepOneNewsletter, newFolder, startedFolder } from '../../support/command.ts';

const ADA = 'ada@example.com';

function subscribers(folder: Folder, ...args: string[]) {
  return folder.run(['subscribers', ...args]);
}

/** A folder of the sample's configuration, with the daily newsletter alone. */
function dailyFolder(): Folder {
  const folder = newFolder('sample');
  keepOneNewsletter(folder);
  return folder;
}

/** A folder of the sample's configuration, with Ada as a subscriber. */
async function withAda(): Promise<Folder> {
  const folder = dailyFolder();
  expect((await subscribers(folder, 'add', ADA)).code).toBe(0);
  return folder;
}

function write(folder: Folder, name: string, text: string): string {
  writeFileSync(join(folder.path, name), text);
  return name;
}

describe.concurrent('daywire subscribers add', () => {
  it('prints the outcome for each address, and exits 1 when it rejects one', async () => {
    const folder = await withAda();
    const { code, stdout, stderr } = await subscribers(folder, 'add', ADA, 'no-address', 'ben@example.com');
    expect(code).toBe(1);
    expect(stdout).toBe(`${ADA}: daily-roundup already\nben@example.com: daily-roundup added\n`);
    expect(stderr).toBe('daywire: no-address: it has no @\n');
    expect((await subscribers(folder, 'add', 'cyd@example.com', '--zone', 'Mars/Olympus')).stderr).toMatch(
      /Mars\/Olympus: it must be an IANA time zone/,
    );
    expect((await subscribers(folder, 'add', 'cyd@example.com', '--newsletter', 'weekly')).stderr).toBe(
      'daywire: there is no newsletter weekly: the configuration has daily-roundup\n',
    );
  });
});

describe.concurrent('daywire subscribers remove', () => {
  it('unsubscribes, changes nothing a second time, and exits 1 for an unknown address', async () => {
    const folder = await withAda();
    expect(await subscribers(folder, 'remove', ADA)).toMatchObject({
      code: 0,
      stdout: `${ADA}: unsubscribed from daily-roundup\n`,
    });
    expect(await subscribers(folder, 'remove', ADA)).toMatchObject({ code: 0, stdout: `${ADA}: was not subscribed\n` });
    expect(await subscribers(folder, 'remove', 'ben@example.com')).toMatchObject({
      code: 1,
      stderr: 'daywire: ben@example.com: there is no such subscriber\n',
    });
  });

  it('--erase leaves only a suppression, so that an import skips the address', async () => {
    const folder = await withAda();
    const partly = await subscribers(folder, 'remove', ADA, '--erase', '--newsletter', 'daily-roundup');
    expect([partly.code, partly.stderr]).toEqual([2, expect.stringMatching(/'--erase' cannot be used with option/)]);
    expect((await subscribers(folder, 'remove', ADA, '--erase')).stdout).toBe(`${ADA}: erased\n`);
    const shown = await subscribers(folder, 'show', ADA);
    expect(shown.code).toBe(1);
    expect(shown.stderr).toMatch(/there is no such subscriber; .* on the suppression list since .*: erased\n$/);
    const imported = await subscribers(folder, 'import', write(folder, 'old.csv', `email\n${ADA}\n`));
    expect(imported).toMatchObject({
      code: 0,
      stderr: 'daywire: old.csv:2: skipped: the address is on the suppression list (erased)\n',
    });
    expect(imported.stdout).toMatch(/^1 rows, 0 added, .* 1 suppressed addresses skipped\n$/);
    expect((await subscribers(folder, 'list')).stdout).toBe('');
    expect((await subscribers(folder, 'add', ADA)).stderr).toMatch(/suppress/);
  });
});

describe.concurrent('daywire subscribers suppress and unsuppress', () => {
  it('suppress an address, subscribed or not, and lift the suppression', async () => {
    const folder = await withAda();
    const both = [ADA, 'nobody@example.com'];
    expect(await subscribers(folder, 'suppress', ...both, ADA, 'no-address')).toMatchObject({
      code: 1,
      stdout: `${ADA}: suppressed\nnobody@example.com: suppressed\n${ADA}: nothing to change\n`,
      stderr: 'daywire: no-address: it has no @\n',
    });
    for (const options of [['--dry-run'], ['--domain', 'example.com'], ['--reason', 'operator']]) {
      const stderr = 'daywire: unsuppress takes either addresses, or --reason with its options\n';
      expect(await subscribers(folder, 'unsuppress', ADA, ...options)).toMatchObject({ code: 1, stderr });
    }
    expect((await subscribers(folder, 'list')).stdout).toMatch(/daily-roundup confirmed\t\tsuppressed: operator\n/);
    expect((await subscribers(folder, 'show', 'nobody@example.com')).stderr).toMatch(/suppression list .*: operator\n/);
    expect((await subscribers(folder, 'unsuppress', ...both)).stdout).toBe(
      `${ADA}: lifted\nnobody@example.com: lifted\n`,
    );
    expect((await subscribers(folder, 'list')).stdout).toBe(`${ADA}\tdaily-roundup confirmed\n`);
  });
});

describe.concurrent('daywire subscribers revoke-links', () => {
  it('ends the links of an address, and exits 1 for an unknown one', async () => {
    const folder = await withAda();
    expect(await subscribers(folder, 'revoke-links', 'ben@example.com', ADA)).toMatchObject({
      code: 1,
      stdout: `${ADA}: earlier links to the preferences no longer work\n`,
      stderr: 'daywire: ben@example.com: there is no such subscriber\n',
    });
  });
});

describe.concurrent('daywire subscribers import', () => {
  it('names file and line of rejected rows, writes them to a file, and imports the corrected file', async () => {
    const folder = dailyFolder();
    const file = write(
      folder,
      'list.csv',
      'E-Mail,Name\nada@example.com,Ada\n"ben @example.com","O\'Neil, Ben"\n\nnobody,=1+1\n',
    );
    const { code, stdout, stderr } = await subscribers(folder, 'import', file, '--map', 'email=e-mail');
    expect(code).toBe(1);
    expect(stdout).toBe('3 rows, 1 added, 0 changed, 0 unchanged, 2 rejected\n');
    expect(stderr).toMatch(/^daywire: list\.csv:3: ben @example\.com: .*\n.*list\.csv:5: nobody: it has no @\n/);
    expect(stderr).toContain('the rejected rows are in list.csv.rejects.csv\n');
    expect(stderr).toContain('ignored columns: Name\n');
    const rejects = join(folder.path, 'list.csv.rejects.csv');
    expect(statSync(rejects).mode & 0o077).toBe(0);
    const text = readFileSync(rejects, 'utf8');
    expect(text.split('\n')).toHaveLength(4);
    writeFileSync(rejects, text.replace('ben @', 'ben@').replace('nobody', 'nobody@example.com'));
    const corrected = await subscribers(folder, 'import', 'list.csv.rejects.csv', '--map', 'email=E-Mail');
    expect(corrected).toMatchObject({ code: 0, stdout: '2 rows, 2 added, 0 changed, 0 unchanged\n' });
    expect((await subscribers(folder, 'list')).stdout.split('\n')).toHaveLength(4);
  });

  it('reports a file that it cannot read, and keeps the rejected rows of an earlier import', async () => {
    const folder = dailyFolder();
    write(folder, 'list.csv', 'name\nAda\n');
    write(folder, 'list.csv.rejects.csv', 'half corrected\n');
    mkdirSync(join(folder.path, 'lists'));
    for (const [file, message] of [
      ['list.csv', /^daywire: list\.csv: line 1: there is no address column: the header has "name"; /],
      ['missing.csv', /^daywire: missing\.csv cannot be read \(ENOENT\)\n$/],
      ['lists', /^daywire: lists: /],
    ] as const) {
      const { code, stderr } = await subscribers(folder, 'import', file);
      expect(code).toBe(1);
      expect(stderr).toMatch(message);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(readFileSync(join(folder.path, 'list.csv.rejects.csv'), 'utf8')).toBe('half corrected\n');
    const { code, stderr } = await subscribers(folder, 'import', 'list.csv', '--map', 'mail=name');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(
        "argument 'mail=name' is invalid. It must be column=header, with a column of email, zone,",
      ),
    ]);
  });

  it('names the recognised export, counts its statuses, and with --dry-run stores nothing', async () => {
    const folder = dailyFolder();
    const header = 'id,email,subscribed_to_emails,created_at,deleted_at';
    write(folder, 'members.csv', `${header}\n1,ada@example.com,true,,\n2,ben@example.com,false,,\n`);
    const counts =
      'export of Ghost, by status:\n  subscribed: 1 rows, 1 imported\n' +
      '  unsubscribed: 1 rows, 1 recorded as unsubscribed\n2 rows, 2 added, 0 changed, 0 unchanged\n';
    const dry = await subscribers(folder, 'import', 'members.csv', '--dry-run');
    expect(dry.stdout).toBe(`dry run: nothing was stored; this is what an import would do\n${counts}`);
    expect((await subscribers(folder, 'list')).stdout).toBe('');
    expect((await subscribers(folder, 'import', 'members.csv')).stdout).toBe(counts);
    expect((await subscribers(folder, 'list')).stdout).toBe(
      'ben@example.com\tdaily-roundup unsubscribed\nada@example.com\tdaily-roundup confirmed\n',
    );
  });

  it('stops at a column that may be a consent, and takes --map, --status, --ignore and --format', async () => {
    const folder = dailyFolder();
    write(folder, 'list.csv', 'email,State,Opt-in\nada@example.com,active,\nben@example.com,gone,\n');
    const stopped = await subscribers(folder, 'import', 'list.csv', '--ignore', 'opt-in');
    expect(stopped).toMatchObject({ code: 1, stdout: '' });
    expect(stopped.stderr).toMatch(/nothing was imported: the column "State".*--map status="State" --status "active=…/);
    const words = ['--status', 'active=subscribed', '--status', 'gone=unsubscribed', '--format', 'plain'];
    const named = await subscribers(
      folder,
      'import',
      'list.csv',
      '--ignore',
      'opt-in',
      '--map',
      'status=State',
      ...words,
    );
    expect(named.stdout).toMatch(/^by status:\n {2}subscribed: 1 rows, 1 imported\n {2}unsubscribed: 1 rows/);
    expect((await subscribers(folder, 'import', 'list.csv', '--status', 'gone=away')).stderr).toMatch(
      /--status "gone=away": it must be value=status/,
    );
  });

  it('takes --choices and --choice, and names the values that choose nothing', async () => {
    const folder = dailyFolder();
    write(folder, 'list.csv', 'email,Topics\nada@example.com,"Markets, World,VIP,Sports"\n');
    const args = ['import', 'list.csv', '--choices', 'topics', '--choice', 'markets=tag:chips', '--choice', 'VIP='];
    const refused = await subscribers(folder, ...args);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/daily-roundup: nothing can be chosen/)]);
    const config = join(folder.path, 'config/daywire.yaml');
    const choices = '  - id: daily-roundup\n    choices: { sections: true, tags: [chips] }\n';
    writeFileSync(config, readFileSync(config, 'utf8').replace('  - id: daily-roundup\n', choices));
    const imported = await subscribers(folder, ...args);
    expect(imported.stdout).toBe('1 rows, 1 added, 0 changed, 0 unchanged\n');
    expect(imported.stderr).toMatch(/^daywire: values that choose nothing: "Sports" \(1\): say what they choose with/);
    expect((await subscribers(folder, 'show', ADA)).stdout).toMatch(
      /confirmed since .*, sections world; topics chips\n/,
    );
  });

  it('fails when it cannot write the rejected rows', async () => {
    const folder = dailyFolder();
    write(folder, 'list.csv', 'email\nnobody\n');
    mkdirSync(join(folder.path, 'list.csv.rejects.csv'));
    const { code, stderr } = await subscribers(folder, 'import', 'list.csv');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^daywire: list\.csv: .*list\.csv\.rejects\.csv/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe.concurrent('daywire subscribers export', () => {
  it('writes to stdout or to a new private file, which can be imported', async () => {
    const folder = await withAda();
    await subscribers(folder, 'add', 'ben@example.com', '--zone', 'Europe/Berlin');
    await subscribers(folder, 'remove', 'ben@example.com');
    const { stdout } = await subscribers(folder, 'export');
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^email,zone,newsletters,/),
      expect.stringMatching(/^ada@example\.com,,daily-roundup,,,,,.*Z,$/),
      expect.stringMatching(/^ben@example\.com,Europe\/Berlin,,,daily-roundup,,,.*Z,$/),
      '',
    ]);
    expect(await subscribers(folder, 'export', 'all.csv')).toMatchObject({ code: 0, stdout: '' });
    const file = join(folder.path, 'all.csv');
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    expect(statSync(file).mode & 0o077).toBe(0);
    const again = await subscribers(folder, 'export', 'all.csv');
    expect([again.code, again.stderr]).toEqual([1, 'daywire: all.csv exists already: name another file\n']);
    const other = dailyFolder();
    write(other, 'all.csv', stdout);
    expect((await subscribers(other, 'import', 'all.csv')).stdout).toMatch(/^2 rows, 2 added/);
    expect((await subscribers(other, 'list')).stdout).toBe((await subscribers(folder, 'list')).stdout);
  });

  it('is in both logs with the name of the operator and no address, as are lists and persons', async () => {
    const folder = await withAda();
    await subscribers(folder, 'export', '--by', 'Mei');
    await subscribers(folder, 'list', '--newsletter', 'daily-roundup', '--by', 'Ola');
    await subscribers(folder, 'show', ADA);
    await subscribers(folder, 'show', ADA, '--json', '--by', 'Mei');
    const unnamed = await subscribers(folder, 'export', 'none.csv', '--by', ' ');
    expect([unnamed.code, unnamed.stderr]).toEqual([1, expect.stringMatching(/--by must be a name/)]);
    const store = new DatabaseSync(join(folder.path, 'var/daywire.db'), { readOnly: true });
    for (const table of ['audit_log', 'security_log']) {
      const rows = store.prepare(`select actor, act, subject, detail from ${table} order by id`).all();
      expect(rows.map((row) => Object.values(row).join(' '))).toEqual([
        'console audience.export newsletter/all {"by":"Mei"}',
        'console audience.export newsletter/daily-roundup {"by":"Ola"}',
        'console subscriber.export subscriber/1 {"by":"Mei"}',
      ]);
    }
    store.close();
  });
});

describe.concurrent('daywire subscribers show and list --json', () => {
  it('show consent with its channel, and each delivery with its time and the server reply', async () => {
    const folder = await startedFolder();
    // The subscribers of the sample received its first edition.
    const listed = await subscribers(folder, 'list', '--json', '--newsletter', 'daily-roundup');
    const [{ email }] = listed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)) as [{ email: string }];
    await subscribers(folder, 'remove', email);
    const { code, stdout } = await subscribers(folder, 'show', email.toUpperCase());
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /consent\n(?:.*\n)?.* daily-roundup unsubscribed, by operator\n(?:.*\n)?.* daily-roundup confirmed, by /,
    );
    expect(stdout).toMatch(/deliveries\n.* daily-roundup \d{4}-\d\d-\d\d\S* submitted: /);
    const { subscriber, consent, deliveries } = JSON.parse((await subscribers(folder, 'show', email, '--json')).stdout);
    expect(subscriber).toMatchObject({ email, subscriptions: [{ state: 'unsubscribed' }, { state: 'unsubscribed' }] });
    expect(consent).toHaveLength(4);
    expect(deliveries).toMatchObject([{ newsletter: 'daily-roundup', state: 'submitted', attempts: 1 }]);
    const unknown = await subscribers(folder, 'show', 'no-address');
    expect([unknown.code, unknown.stderr]).toEqual([1, 'daywire: no-address: it has no @\n']);
  });
});

describe.concurrent('daywire subscribers form', () => {
  it('prints the form for the own site, and says while no site is listed', async () => {
    const folder = dailyFolder();
    const unlisted = await subscribers(folder, 'form');
    expect(unlisted.code).toBe(0);
    expect(unlisted.stdout).toMatch(
      /^<!-- [^\n]+ -->\n<form method="post" [\s\S]+<\/form>\n<script [^\n]+<\/script>\n$/,
    );
    expect(unlisted.stderr).toBe('daywire: add the origin of your site to signup.origins: its form is refused now\n');
    const config = join(folder.path, 'config/daywire.yaml');
    const yaml = readFileSync(config, 'utf8');
    writeFileSync(config, yaml.replace('signup:\n', 'signup:\n  origins: [https://times.example]\n'));
    expect(await subscribers(folder, 'form', 'daily-roundup')).toEqual({ ...unlisted, stderr: '' });
    expect((await subscribers(folder, 'form', 'weekly')).stderr).toMatch(/there is no newsletter weekly/);
  });
});
