/** Watches the records of the sending domain: what was right and is wrong now is an alert before the next edition. */
import type { AlertSubject } from '../../core/alerts/alert-kind.ts';
import { syncAlerts } from '../../core/alerts/alerts.ts';
import type { AppContext } from '../../core/app-context.ts';
import { readMeta, SENDING_DOMAIN, writeMeta } from '../../core/store/meta.ts';
import { HOUR } from '../../lib/time.ts';
import { type OpenResolver, openNodeResolver } from './dns-resolver.ts';
import { judgeSetup, sendingSetup } from './judge-setup.ts';

const EVERY = 6 * HOUR;

interface JudgedDomain {
  at: number;
  /** What has passed, such as `spf example.com`. */
  passed: string[];
}

/** Looks the sending domain up, if no process has within six hours. What is not known is not worse. */
export async function watchSendingDomain(app: AppContext, open: OpenResolver = openNodeResolver): Promise<void> {
  const { store, config, keys, clock } = app;
  if (config.delivery.transport !== 'smtp' || config.newsletters.length === 0) return;
  const before = JSON.parse((await readMeta(store.db, SENDING_DOMAIN)) ?? '{"at":0,"passed":[]}') as JudgedDomain;
  const now = clock();
  if (now >= before.at && now < before.at + EVERY) return;
  const judgements = await judgeSetup(sendingSetup(config, keys.signers()), open());
  const keyed = [...Map.groupBy(judgements, ({ id, domain }) => `${id} ${domain}`)];
  const is = (verdict: string) => (one: { verdict: string }) => one.verdict === verdict;
  const passed = keyed.filter(([key, those]) => those.every(is('pass')) || before.passed.includes(key));
  const worse = passed.flatMap(([, those]) => those.filter(is('fail')));
  const alerts = worse.map(({ id, domain, message }) => ({
    ...{ kind: 'sending-domain', subject: { id, domain } },
    message: `The DNS has become worse for your mail: ${message}. Mailbox providers may refuse the next edition.`,
    actions: [{ to: 'look at all records', command: 'domain', desk: null }],
  }));
  const isKnown = (subject: AlertSubject): boolean =>
    !judgements.filter(is('unknown')).some(({ id, domain }) => id === subject.id && domain === subject.domain);
  await syncAlerts(store.db, 'sending-domain', alerts, now, isKnown);
  await writeMeta(store.db, SENDING_DOMAIN, JSON.stringify({ at: now, passed: passed.map(([key]) => key) }));
}
