/**
 * Faults of the mail server by the clock of this machine: `node scripts/smtp-fault-trial.ts MAIL:hang dot:hang …`.
 * For each, a process of `daywire start` delivers to 12 people over five connections; the server misbehaves at one
 * stage for every message until 30 seconds after the first alert, and is well from then on. Prints seconds to the alert
 * and to the last message, what `/readyz` and `/healthz` of both ports answered at the alert, and the copies. With
 * `--sigterm SECONDS` the process is stopped instead after so many seconds, and the time until it ends is measured.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { alertText, listOpenAlerts } from '../src/core/alerts/alerts.ts';
import { ensureSchema } from '../src/core/store/schema.ts';
import { openStore } from '../src/core/store/store.ts';
import { HOUR, MINUTE, SECOND } from '../src/lib/time.ts';
import { startFaultyServer } from './faulty-smtp-server.ts';
import { freePort } from './free-port.ts';
import { queueEdition } from './test-edition.ts';

const ROOT = resolve(import.meta.dirname, '..');
const PEOPLE = 12;
const LONGEST = 45 * MINUTE;

const args = process.argv.slice(2);
const at = args.indexOf('--sigterm');
const sigterm = at < 0 ? null : Number(args.splice(at, 2)[1]);

async function tryFault(name: string): Promise<string> {
  const [stage = '', fault = ''] = name.split(':');
  const folder = mkdtempSync(join(tmpdir(), 'daywire-fault-'));
  const [site, metrics] = [await freePort(), await freePort()];
  const server = await startFaultyServer();
  let isWell = false;
  server.fault = (now) => (!isWell && now === stage ? (fault as 'hang') : null);
  const config = readFileSync(join(ROOT, 'config/daywire.yaml'), 'utf8')
    .replace(/\nsources:\n(?: .*\n)+/, '\n')
    .replace(/^sample: true$/m, 'sample: false')
    .replace('port: 8080', `port: ${site}`)
    .replace('metrics: 127.0.0.1:9464', `metrics: 127.0.0.1:${metrics}`)
    .replace('transport: file', 'transport: smtp')
    .replace(/(media|imprint|privacy|file): sample\//g, `$1: ${ROOT}/sample/`);
  writeFileSync(join(folder, 'daywire.yaml'), config);
  const store = await openStore({ databaseUrl: undefined, path: join(folder, 'var/daywire.db') });
  await ensureSchema(store);
  await queueEdition(store, PEOPLE);
  const due = Date.now();
  await store.db.updateTable('editions').set({ closed_at: due }).execute();
  await store.db
    .updateTable('deliveries')
    .set({ due_at: due, expires_at: due + 20 * HOUR })
    .execute();
  const login = stage === 'AUTH' ? 'ada:wonderland@' : '';
  const env = {
    ...process.env,
    DAYWIRE_SECRET: 's'.repeat(40),
    DAYWIRE_SMTP_URL: server.url.replace('//', `//${login}`),
  };
  const daywire = spawn(process.execPath, [join(ROOT, 'bin/daywire.js'), '-c', 'daywire.yaml', 'start'], {
    cwd: folder,
    env,
  });
  let log = '';
  for (const stream of [daywire.stdout, daywire.stderr]) stream.on('data', (chunk) => (log += chunk));
  const ended = once(daywire, 'exit');
  const began = Date.now();
  const seconds = () => ((Date.now() - began) / SECOND).toFixed(0);
  const ask = async (port: number, path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
    return `${port === site ? 'site' : 'metrics'} ${path} ${answer?.status ?? 'no answer'}`;
  };
  const lines = [name];
  try {
    if (sigterm !== null) {
      await sleep(sigterm * SECOND);
      const stopped = Date.now();
      daywire.kill('SIGTERM');
      const [code] = await Promise.race([ended, sleep(LONGEST, ['still runs'], { ref: false })]);
      lines.push(`SIGTERM: exit ${code} after ${((Date.now() - stopped) / SECOND).toFixed(1)} s`, log.trim());
    } else {
      let healed = 0;
      while (Date.now() < began + LONGEST) {
        await sleep(SECOND);
        const alerts = await listOpenAlerts(store.db);
        if (alerts.length > 0 && healed === 0) {
          healed = Date.now() + 30 * SECOND;
          lines.push(`alert after ${seconds()} s: ${alertText(alerts[0]!)}`);
          lines.push(
            [await ask(site, '/readyz'), await ask(site, '/healthz'), await ask(metrics, '/readyz')].join(', '),
          );
        }
        if (healed > 0 && Date.now() > healed && !isWell) {
          isWell = true;
          lines.push(`the server is well after ${seconds()} s`);
        }
        const rows = await store.db.selectFrom('deliveries').select(['state', 'reason']).execute();
        const done = rows.filter(({ state }) => state === 'submitted').length;
        if (done === PEOPLE) {
          lines.push(`all submitted after ${seconds()} s; open alerts: ${(await listOpenAlerts(store.db)).length}`);
          break;
        }
      }
    }
    const counts = await store.db.selectFrom('deliveries').select(['state', 'attempts', 'reason']).execute();
    const groups = Map.groupBy(counts, (row) => `${row.state}, ${row.attempts} attempts, ${row.reason ?? 'no reason'}`);
    for (const [group, rows] of groups) lines.push(`${rows.length} × ${group}`);
    const people = new Set(server.copies.map(({ to }) => to)).size;
    lines.push(`copies: ${server.copies.length} to ${people} people; misbehaved ${server.misbehaved.length} times`);
  } finally {
    daywire.kill('SIGKILL');
    await ended;
    await store.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return lines.join('\n  ');
}

// All at once: each mostly waits.
await Promise.all(args.map((name) => tryFault(name).then((text) => console.log(text))));
