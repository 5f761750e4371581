/** What an alert is about, by its key, and where something can be done about it. Pure. */
import type { Permission } from '../../../accounts/permissions.ts';

export interface AlertAdvice {
  title: string;
  /** Beyond what the alert says itself; null where that says enough. */
  hint: string | null;
  /** The page to go to; null where none helps. */
  link: { label: string; path: string; needs: Permission } | null;
  /** The newsletter whose next slot it is about, or null. */
  newsletter: string | null;
}

type AdviceLink = NonNullable<AlertAdvice['link']>;

const DELIVERIES: AdviceLink = { label: 'Deliveries', path: '/deliveries', needs: 'deliveries.read' };
const BY_ITSELF = 'It is tried again by itself.';

/** The advice for each kind of key, which its first part names. `rest`: what follows the first colon. */
const KINDS: Record<string, (rest: string, message: string) => Partial<AlertAdvice> & Pick<AlertAdvice, 'title'>> = {
  failed: (job) => ({ title: 'A run failed', hint: 'Remove the cause: the run is tried again.', ...ofJob(job) }),
  late: (job) => ({ title: 'A run was late', hint: 'Was daywire stopped, or the machine busy?', ...ofJob(job) }),
  skipped: (job) => ({ title: 'A slot was skipped', hint: 'Nothing more happens for that slot.', ...ofJob(job) }),
  waiting: (job) => ({ title: 'A slot waits', hint: null, ...ofJob(job) }),
  'approval-reminder': (rest) => {
    const [newsletter = '', slot = ''] = rest.split(':');
    return { title: 'An approval is needed', newsletter, link: draftLink(newsletter, slot) };
  },
  'approval-changed': (newsletter, message) => ({
    title: 'An edition differs from what was approved',
    link: closedLink(newsletter, message),
  }),
  send: (newsletter) => ({ title: 'An edition was not sent', link: nextLink(newsletter) }),
  'stranded-draft': () => ({ title: 'A draft has no effect' }),
  edition: (rest) => ({ title: 'Delivery is paused', link: deliveryLink(rest) }),
  retraction: (rest) => ({ title: 'Delivery is paused: a story was retracted', link: deliveryLink(rest) }),
  undelivered: (rest) => ({ title: 'Many deliveries failed', link: deliveryLink(rest) }),
  complaints: () => ({ title: 'People complain', link: DELIVERIES }),
  bounces: () => ({ title: 'Many addresses cannot be reached', link: DELIVERIES }),
  delivery: () => ({ title: 'Delivery waits', link: DELIVERIES }),
  'service-messages': () => ({ title: 'Confirmations and other service messages wait', link: DELIVERIES }),
  uncertain: () => ({ title: 'Deliveries are uncertain', link: DELIVERIES }),
  unconfigured: () => ({ title: 'A newsletter is missing from the configuration', link: DELIVERIES }),
  source: (id) => ({ title: 'A site cannot be read', hint: BY_ITSELF, link: sourceLink(id) }),
  incomplete: (id) => ({ title: 'The list of a site is incomplete', link: sourceLink(id) }),
  withdrawals: (id) => ({ title: 'Many posts of a site are gone', link: sourceLink(id) }),
  outlet: (rest) => {
    const [what, id = ''] = splitOnce(rest);
    return what === 'held'
      ? { title: 'Items of an outlet wait for a decision', link: sourceLink(id) }
      : { title: 'The feed of an outlet cannot be read', link: sourceLink(id) };
  },
  grouping: () => ({
    title: 'Reports cannot be grouped',
    hint: BY_ITSELF,
    link: { label: 'Roundup', path: '/roundup', needs: 'editions.read' },
  }),
  hub: () => ({ title: 'The hub', link: { label: 'Feeds', path: '/feeds#hub', needs: 'editions.read' } }),
  heartbeat: () => ({ title: 'The heartbeat failed', hint: 'Look at the service that DAYWIRE_HEARTBEAT_URL names.' }),
  webhook: () => ({ title: 'The alert webhook failed', hint: `Alerts are still shown here. ${BY_ITSELF}` }),
  'signup-limit': () => ({ title: 'Requests to subscribe are refused' }),
};

/** @param message of the alert, which names a slot where the key does not */
export function adviceFor(key: string, message = ''): AlertAdvice {
  const [kind, rest] = splitOnce(key);
  const advise = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  return { hint: null, link: null, newsletter: null, ...(advise?.(rest, message) ?? { title: 'Alert' }) };
}

function splitOnce(text: string): [first: string, rest: string] {
  const at = text.indexOf(':');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function ofJob(job: string): Pick<AlertAdvice, 'link' | 'newsletter'> {
  const [kind, name] = splitOnce(job);
  if (kind === 'newsletter') return { link: nextLink(name), newsletter: name };
  const path = `/runs?schedule=${encodeURIComponent(job)}`;
  return { link: { label: 'Its runs', path, needs: 'editions.read' }, newsletter: null };
}

function nextLink(newsletter: string): AdviceLink {
  const path = `/editions/${encodeURIComponent(newsletter)}/next`;
  return { label: 'Its next edition', path, needs: 'editions.read' };
}

function draftLink(newsletter: string, slot: string): AdviceLink {
  const path = `/editions/${encodeURIComponent(newsletter)}/${encodeURIComponent(slot)}/draft`;
  return { label: 'Its draft', path, needs: 'editions.read' };
}

/** The edition whose slot the message begins with. */
function closedLink(newsletter: string, message: string): AdviceLink {
  const slot = /^The edition \S{1,200}\/(\S{1,200}) closed /.exec(message)?.[1];
  if (slot === undefined) return { label: 'Editions', path: '/editions', needs: 'editions.read' };
  const path = `/editions/${encodeURIComponent(newsletter)}/${encodeURIComponent(slot)}`;
  return { label: 'The edition', path, needs: 'editions.read' };
}

/** @param rest the edition's number, perhaps with a domain */
function deliveryLink(rest: string): AdviceLink {
  const [id] = splitOnce(rest);
  return /^\d{1,15}$/.test(id) ? { ...DELIVERIES, label: 'Its delivery', path: `/deliveries/${id}` } : DELIVERIES;
}

function sourceLink(id: string): AdviceLink {
  return { label: 'The source', path: `/sources#source-${encodeURIComponent(id)}`, needs: 'editions.read' };
}
