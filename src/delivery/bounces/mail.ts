/**
 * The one door for mail that comes to the return path and to the mailto: unsubscribe address, by a mail server's pipe or from a
 * mailbox. Only a signed token acts: with a forged one, or none, nothing changes.
 */
import type { Config } from '../../config/config.ts';
import type { Store } from '../../store/store.ts';
import type { SuppressionReason } from '../../store/tables.ts';
import type { SigningSecrets } from '../../subscribers/tokens/secret.ts';
import { type IncomingMail, parseIncomingMail } from './parse.ts';
import { type BounceKind, recordBounce, recordUnsubscribe } from './record.ts';
import { type BounceTarget, findTokens, readTargetToken } from './target.ts';

/** Of a message so many octets are read: what tells stands in its first parts, and our own message may be as large again. */
export const INCOMING_LIMIT = 2 * 1024 * 1024;

/** What was done. */
type MailEffect =
  | {
      kind: 'bounced';
      bounce: BounceKind;
      subscriberId: number;
      status: string | null;
      /** Why the address was suppressed for it, or null where it was not. */
      suppressed: SuppressionReason | null;
    }
  | { kind: 'unsubscribed'; subscriberId: number; newsletters: string[] }
  /** Nothing to do, and why. */
  | { kind: 'ignored'; reason: string }
  /** It claims to be about a message of ours, and is not. */
  | { kind: 'forged' }
  /** Not understood: a person should look at it. */
  | { kind: 'unclear'; reason: string };

/** What was done, and the same in a sentence without any address. */
export type MailOutcome = MailEffect & { description: string };

/**
 * Acts on one message. Handled twice, it changes nothing more.
 * @param raw the message (RFC 5322); a `From ` line before it does no harm
 * @param envelope.envelopeTo the address it was delivered to, where the mail server tells it; else its header is asked
 * @throws where the store fails: the message must be given again
 */
export async function handleIncomingMail(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  raw: Buffer,
  envelope: { envelopeTo?: string | undefined },
  now: number,
): Promise<MailOutcome> {
  const done = await act(store, config, secrets, await parseIncomingMail(raw), envelope.envelopeTo, now);
  return { ...done, description: describe(done) };
}

async function act(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  incoming: IncomingMail,
  envelopeTo: string | undefined,
  now: number,
): Promise<MailEffect> {
  const { content: kind } = incoming;
  if (kind.kind === 'passing') return { kind: 'ignored', reason: kind.reason };
  if (kind.kind === 'unclear') return kind;
  const found = findTarget(secrets, incoming, envelopeTo);
  if (found.kind !== 'found') return found;
  const { target } = found;
  if (kind.kind === 'letter') return leave(store, target, now);
  const bounce =
    kind.kind === 'complaint'
      ? { kind: 'complaint' as const, status: null, detail: kind.detail }
      : { kind: kind.verdict, status: kind.status, detail: kind.detail };
  const result = await recordBounce(store.db, config, secrets, { target, bounce, source: null }, now);
  if (result.kind === 'gone') return { kind: 'ignored', reason: 'the subscriber is no longer known' };
  if (result.kind === 'again') return { kind: 'ignored', reason: `this ${nameOf(bounce.kind)} was recorded before` };
  return {
    kind: 'bounced',
    bounce: bounce.kind,
    subscriberId: target.subscriberId,
    status: bounce.status,
    suppressed: result.suppressed,
  };
}

async function leave(store: Store, target: BounceTarget, now: number): Promise<MailEffect> {
  if (!target.isUnsubscribe) {
    return { kind: 'unclear', reason: 'it is a letter to a return path, where nobody reads: no bounce, no complaint' };
  }
  const result = await recordUnsubscribe(store.db, target, null, now);
  if (result.kind === 'gone') return { kind: 'ignored', reason: 'the subscription is no longer known' };
  if (result.kind === 'already') return { kind: 'ignored', reason: 'the subscription had ended before' };
  return { kind: 'unsubscribed', subscriberId: target.subscriberId, newsletters: result.newsletters };
}

type Found = { kind: 'found'; target: BounceTarget } | { kind: 'forged' } | { kind: 'unclear'; reason: string };

/** The first good token: of the envelope, of the header, of what was returned. */
function findTarget(secrets: SigningSecrets, incoming: IncomingMail, envelopeTo: string | undefined): Found {
  const tokens = [envelopeTo ?? '', incoming.recipients, incoming.returnedText].flatMap(findTokens);
  for (const token of tokens) {
    const target = readTargetToken(secrets, token);
    if (target !== null) return { kind: 'found', target };
  }
  return tokens.length > 0 ? { kind: 'forged' } : { kind: 'unclear', reason: 'it names no message of ours' };
}

function describe(outcome: MailEffect): string {
  switch (outcome.kind) {
    case 'bounced': {
      const status = outcome.status === null ? '' : ` (${outcome.status})`;
      const effect = outcome.suppressed === null ? '' : `; the address is suppressed: ${outcome.suppressed}`;
      return `${nameOf(outcome.bounce)}${status} of subscriber ${outcome.subscriberId}${effect}`;
    }
    case 'unsubscribed':
      return `subscriber ${outcome.subscriberId} unsubscribed from ${outcome.newsletters.join(', ')}`;
    case 'ignored':
      return `ignored: ${outcome.reason}`;
    case 'forged':
      return 'forged: its token was not made here, so nothing was changed';
    case 'unclear':
      return `not understood: ${outcome.reason}`;
  }
}

function nameOf(kind: BounceKind): string {
  return kind === 'complaint' ? 'complaint' : `${kind} bounce`;
}
