/**
 * Writes everything that the sample newsroom produces to a folder: feeds, editions and messages. Clock and random
 * bytes are fixed, so two versions of daywire can be compared byte by byte:
 *
 *     node scripts/sample-output.ts /tmp/before ../an-older-checkout
 *     node scripts/sample-output.ts /tmp/after
 *     diff -r /tmp/before /tmp/after
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

// The first run loads the sample and closes its first edition. New stories, one of them a correction, arrive a day
// later. The last run is in the next month: it closes a second edition.
const FIRST_RUN = Date.parse('2026-11-29T03:00:00Z');
const NEW_STORIES = Date.parse('2026-11-30T03:00:00Z');
const LAST_RUN = Date.parse('2026-12-01T00:30:00Z');

const STORIES = [1, 2, 3, 4, 5].map(
  (n) => `---
id: sample-output-${n}
kicker: ${n === 1 ? 'Exclusive' : 'In Depth'}
headline: Story ${n} & its <headline>
dek: A dek with the figure ${n}.
kind: ${n > 3 ? 'analysis' : 'brief'}
published: 2026-11-30T0${n}:00:00Z
section: world
tags: [output, story ${n}]
bylines: [{ name: Ada Example, email: ada@example.com }]
${n === 2 ? 'state: corrected\nnote: An earlier version gave another figure.\n' : ''}---

The first paragraph of story ${n}, with *emphasis* and a [link](https://example.com/${n}).

The second one.
`,
);

// Loaded before daywire. Nonces and keys are constant. Short random strings name temporary files, so they are counted.
// Outlets are polled one at a time: the ids of their items, and so of groups and articles, follow the order of answers.
const FIXED = (now: number) => `
  import crypto from 'node:crypto';
  import { registerHooks, syncBuiltinESMExports } from 'node:module';
  Date.now = () => ${now};
  let count = 0;
  crypto.randomBytes = (size, done) => {
    const seed = size > 8 ? 'constant' : String((count += 1));
    const bytes = crypto.createHash('shake256', { outputLength: size }).update(seed).digest();
    return done ? void done(null, bytes) : bytes;
  };
  syncBuiltinESMExports();
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (!/\\/(?:poller|poll-outlets)\\.[jt]s$/.test(url)) return loaded;
      const source = String(loaded.source);
      if (!source.includes('HOSTS_AT_ONCE = 8')) throw new Error('the poller has no HOSTS_AT_ONCE = 8');
      return { ...loaded, source: source.replace('HOSTS_AT_ONCE = 8', 'HOSTS_AT_ONCE = 1') };
    },
  });
`;

const [out, checkout = resolve(import.meta.dirname, '..')] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: node scripts/sample-output.ts FOLDER [CHECKOUT]');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'daywire-sample-'));
try {
  cpSync(join(checkout, 'config'), join(work, 'config'), { recursive: true });
  for (const name of ['sample', 'templates']) symlinkSync(resolve(checkout, name), join(work, name));
  runAt(FIRST_RUN, 'start', '--once');
  mkdirSync(join(work, 'stories'));
  for (const [index, story] of STORIES.entries()) writeFileSync(join(work, `stories/${index}.md`), story);
  runAt(NEW_STORIES, 'import', 'stories');
  runAt(LAST_RUN, 'start', '--once');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  cpSync(join(work, 'feeds'), join(out, 'feeds'), { recursive: true });
  cpSync(join(work, 'var/mail'), join(out, 'mail'), { recursive: true });
  const db = new DatabaseSync(join(work, 'var/daywire.db'), { readOnly: true });
  for (const row of db.prepare('select * from editions order by newsletter, slot').all()) {
    const name = join(out, `edition-${row.newsletter}-${row.slot}`);
    writeFileSync(`${name}.html`, String(row.html));
    writeFileSync(`${name}.txt`, String(row.text));
    writeFileSync(`${name}.archive.html`, String(row.archive_html));
    writeFileSync(`${name}.headers`, `${row.number}\n${row.headline}\n${row.subject}\n${row.preheader}\n`);
  }
  db.close();
} finally {
  rmSync(work, { recursive: true, force: true });
}

function runAt(now: number, ...command: string[]): void {
  const preload = join(work, `fixed-${now}.mjs`);
  writeFileSync(preload, FIXED(now));
  execFileSync(process.execPath, ['--import', preload, resolve(checkout, 'bin/daywire.js'), ...command], {
    cwd: work,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env.PATH, DAYWIRE_SECRET: 'a-fixed-secret-for-comparing-output-only' },
  });
}
