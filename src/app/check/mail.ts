/**
 * Checks how mail leaves, and how bounces return: DKIM keys, and the logins to the SMTP server and the mailbox.
 */

import type { Config } from '../../core/config/config.ts';
import { type Finding, firstLine, ok, problem, warning } from '../../core/finding.ts';
import type { Signer } from '../../core/keys.ts';
import { verifyMailbox } from '../../delivery/bounces/mailbox.ts';
import { loadSigners, signersOf } from '../../delivery/message/dkim.ts';
import { openTransport } from '../../delivery/transport/open-transport.ts';
import { wireAddress } from '../../lib/address.ts';

export function checkSigning(config: Config): Finding[] {
  let signers: Signer[];
  try {
    signers = loadSigners(config);
  } catch (error) {
    return [problem(`delivery.dkim: ${firstLine(error)}`)];
  }
  if (config.delivery.transport === 'file') return [];
  return config.newsletters.map(({ id, from }) => {
    const domain = wireAddress(from.email).replace(/^.*@/, '').toLowerCase();
    const names = signersOf(signers, domain).map((one) => `${one.selector}._domainkey.${one.domain}`);
    return names.length > 0
      ? ok(`newsletters ${id}: mail from ${domain} is signed by ${names.join(' and ')}, which must be in the DNS`)
      : warning(
          `newsletters ${id}: no key of delivery.dkim signs mail from ${domain}: unless your mail server signs it, ` +
            'large mailbox providers reject it and ignore its one-click unsubscribe',
        );
  });
}

export async function checkBounces({ bounces, secrets, delivery, newsletters }: Config): Promise<Finding[]> {
  if (delivery.transport === 'file' || newsletters.length === 0) return [];
  const { address } = bounces;
  if (address === undefined) {
    // Its reports do not need our return path.
    if (delivery.provider !== 'none') return [];
    return [
      warning('bounces.address is not set: bounces go to the sender, and invalid addresses are never suppressed'),
    ];
  }
  const { imapUrl, webhookSecret } = secrets;
  if (imapUrl === undefined) {
    const condition = webhookSecret === undefined ? ', if your mail server pipes its mail into "daywire bounce"' : '';
    return [ok(`bounces: ${address}${condition}`)];
  }
  try {
    await verifyMailbox(imapUrl);
    return [ok(`bounces: ${address}, and its mailbox can be read`)];
  } catch (error) {
    return [problem(`bounces: ${firstLine(error)}`)];
  }
}

export async function checkTransport(config: Config): Promise<Finding[]> {
  if (config.newsletters.length === 0) return [];
  try {
    await openTransport(config).verify();
    const { transport } = config.delivery;
    return [
      ok(
        transport === 'file'
          ? 'delivery: messages are written to files'
          : 'delivery: the SMTP server accepts the login',
      ),
    ];
  } catch (error) {
    return [problem(`delivery: ${firstLine(error)}`)];
  }
}
