/**
 * npm run -s draft-fuzz -- [--commands 10000] [--seed N] [--database sqlite|postgres]
 *
 * Two editors give random commands to drafts: first in memory, to one draft and to many, then to stored drafts at the
 * same time, through two stores on one database of its own. Exits with 1 at the first broken rule: each acknowledged
 * command is in the log, the log gives the draft, both editors have the same draft, each refusal shows both values,
 * commands to different fields go in either order, undoing everything leaves no decision, and what is approved is what
 * was approved. A run with the same seed gives the same commands.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { migrate } from '../src/core/store/schema.ts';
import { openStore, type Store } from '../src/core/store/store.ts';
import type { EditionSlot } from '../src/editions/slot.ts';
import { DAY } from '../src/lib/time.ts';
import { fuzzDraft } from './fuzz/draft-editors.ts';
import { fuzzStoredDraft } from './fuzz/draft-stores.ts';
import { NOT_DURABLE, startPostgresServer } from './postgres-server.ts';

const { values } = parseArgs({
  options: {
    commands: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    database: { type: 'string', default: 'sqlite' },
  },
});
const [commands, seed] = [Number(values.commands), Number(values.seed)];
const isKnown = ['sqlite', 'postgres'].includes(values.database);
if (!isKnown || !(commands > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run -s draft-fuzz -- [--commands 10000] [--seed N] [--database sqlite|postgres]\n');
  process.exit(2);
}

/** Commands to one stored draft, about as many as an edition gets on a long day. */
const PER_DRAFT = 250;

print(`seed ${seed}`);
print('one draft in memory', fuzzDraft({ commands, seed }));
const drafts = Math.ceil(commands / PER_DRAFT);
for (let n = 0; n < drafts; n++) fuzzDraft({ commands: PER_DRAFT, seed: seed + n });
print(`${drafts} drafts in memory`);
const server = values.database === 'postgres' ? await startPostgresServer('daywire', NOT_DURABLE) : null;
const folder = mkdtempSync(join(tmpdir(), 'daywire-draft-fuzz-'));
const stores: Store[] = [];
try {
  const databaseUrl = server === null ? undefined : `${server.url}/daywire`;
  const options = { databaseUrl, path: join(folder, 'daywire.sqlite') };
  stores.push(await openStore(options), await openStore(options));
  const [one, other] = stores as [Store, Store];
  await migrate(one);
  let changed = 0;
  for (let n = 0; n < drafts; n++) {
    const slotAt = Date.UTC(2026, 0, 1) + n * DAY;
    const slot: EditionSlot = { label: new Date(slotAt).toISOString().slice(0, 10), slotAt };
    changed += await fuzzStoredDraft([one, other], { slot, commands: PER_DRAFT, seed: seed + n });
  }
  print(`${drafts} drafts in ${one.dialect}`, { commands: drafts * PER_DRAFT, changed });
} finally {
  await Promise.all(stores.map((store) => store.close()));
  await server?.stop();
  rmSync(folder, { recursive: true });
}

function print(title: string, figures: object = {}): void {
  const texts = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  process.stdout.write(`${[title, ...texts].join(', ')}\n`);
}
