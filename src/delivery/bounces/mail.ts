/**
 * Handles all mail to the return path and to the mailto: unsubscribe address, from a mail server's pipe or from a
 * mailbox. Only a signed token has an effect: mail with a forged token, or without one, changes nothing.
 */
import type { Config } from '../../core/config/config.ts';
import type { SigningSecrets } from '../../core/config/signing-secrets.ts';
import type { Store } from '../../core/store/store.ts';
import type { SuppressionReason } from '../../core/store/tables/subscriber-tables.ts';
import type { BounceKind } from '../../core/store/tables.ts';
import { type IncomingMail, parseIncomingMail } from './parse.ts';
import {
  type BounceTarget,
  findTokens,
  readTargetTokens,
  recordBounce,
  recordUnsubscribe,
  type UnsubscribeResult,
} from './record.ts';

/** Octets of a message that are read: what matters is in its first parts, and it may quote our whole message. */
export const INCOMING_LIMIT = 2 * 1024 * 1024;

type MailEffect =
  | {
      kind: 'bounced';
      bounce: BounceKind;
      subscriberId: number;
      status: string | null;
      /** Why the address was suppressed for it; null if it was not. */
      suppressed: SuppressionReason | null;
    }
  | { kind: 'unsubscribed'; subscriberId: number; newsletters: string[] }
  /** Nothing to do, and why. */
  | { kind: 'ignored'; reason: string }
  /** Its token is not signed by this installation. */
  | { kind: 'forged' }
  /** Not recognised: an operator should read it. */
  | { kind: 'unclear'; reason: string };

/** Effect of a mail; `description` says it in a sentence without any address. */
export type MailOutcome = MailEffect & { description: string };

/**
 * Handles one message. Handling it again changes nothing.
 * @param raw the message (RFC 5322), with or without a `From ` line before it
 * @param envelope.envelopeTo the recipient's address in the envelope, if the mail server passes it
 * @throws if the store fails: the message must be passed again
 */
export async function handleIncomingMail(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  raw: Buffer,
  envelope: { envelopeTo?: string | undefined },
  now: number,
): Promise<MailOutcome> {
  const effect = await applyMail(store, config, secrets, await parseIncomingMail(raw), envelope.envelopeTo, now);
  return { ...effect, description: describe(effect) };
}

async function applyMail(
  store: Store,
  config: Pick<Config, 'bounces'>,
  secrets: SigningSecrets,
  mail: IncomingMail,
  envelopeTo: string | undefined,
  now: number,
): Promise<MailEffect> {
  const { content } = mail;
  if (content.kind === 'no-action') return { kind: 'ignored', reason: content.reason };
  if (content.kind === 'unclear') return content;
  const found = await findTarget(store.db, secrets, mail, envelopeTo);
  if (found.kind !== 'found') return found;
  const { target } = found;
  if (content.kind === 'personal') return applyPersonalMail(store, target, now);
  const bounce =
    content.kind === 'complaint'
      ? { kind: 'complaint' as const, status: null, detail: content.detail }
      : { kind: content.severity, status: content.status, detail: content.detail };
  const result = await recordBounce(store.db, config, secrets, { target, bounce, source: null }, now);
  if (result.kind === 'unproven') {
    return { kind: 'ignored', reason: `a ${bounceName(bounce.kind)} that names no return path of ours` };
  }
  if (result.kind === 'duplicate') {
    return { kind: 'ignored', reason: `this ${bounceName(bounce.kind)} was recorded before` };
  }
  if (result.kind !== 'recorded') return unsubscribeEffect(target, result);
  return {
    kind: 'bounced',
    bounce: bounce.kind,
    subscriberId: target.subscriberId,
    status: bounce.status,
    suppressed: result.suppressed,
  };
}

async function applyPersonalMail(store: Store, target: BounceTarget, now: number): Promise<MailEffect> {
  if (!target.isUnsubscribe) {
    return { kind: 'unclear', reason: 'a person wrote to a return path: it is neither a bounce nor a complaint' };
  }
  return unsubscribeEffect(target, await recordUnsubscribe(store.db, target, { channel: 'mailto' }, now));
}

function unsubscribeEffect(target: BounceTarget, result: UnsubscribeResult): MailEffect {
  if (result.kind === 'erased') return { kind: 'ignored', reason: 'the subscriber no longer exists' };
  if (result.kind === 'already') return { kind: 'ignored', reason: 'the subscription had ended before' };
  return { kind: 'unsubscribed', subscriberId: target.subscriberId, newsletters: result.newsletters };
}

/**
 * The first valid token: in the envelope, the header, then the quoted message. Of a report, that of a return path if
 * there is one.
 */
async function findTarget(
  db: Store['db'],
  secrets: SigningSecrets,
  mail: IncomingMail,
  envelopeTo: string | undefined,
): Promise<{ kind: 'found'; target: BounceTarget } | { kind: 'forged' } | { kind: 'unclear'; reason: string }> {
  const tokens = [envelopeTo ?? '', mail.recipients, mail.quoted].flatMap(findTokens);
  const targets = await readTargetTokens(db, secrets, tokens);
  const returnPath = mail.content.kind === 'personal' ? undefined : targets.find((target) => !target.isUnsubscribe);
  const target = returnPath ?? targets[0];
  if (target !== undefined) return { kind: 'found', target };
  return tokens.length > 0 ? { kind: 'forged' } : { kind: 'unclear', reason: 'it refers to none of our messages' };
}

function describe(effect: MailEffect): string {
  switch (effect.kind) {
    case 'bounced': {
      const status = effect.status === null ? '' : ` (${effect.status})`;
      const suppressed = effect.suppressed === null ? '' : `; the address is suppressed: ${effect.suppressed}`;
      return `${bounceName(effect.bounce)}${status} of subscriber ${effect.subscriberId}${suppressed}`;
    }
    case 'unsubscribed':
      return `subscriber ${effect.subscriberId} unsubscribed from ${effect.newsletters.join(', ')}`;
    case 'ignored':
      return `ignored: ${effect.reason}`;
    case 'forged':
      return 'forged: its token is not ours, so nothing was changed';
    case 'unclear':
      return `not recognised: ${effect.reason}`;
  }
}

function bounceName(kind: BounceKind): string {
  return kind === 'complaint' ? 'complaint' : `${kind} bounce`;
}
