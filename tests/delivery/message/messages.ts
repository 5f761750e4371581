/**
 * Copies of the test edition, with changes to the edition, its newsletter or the configuration.
 */
import { type ParsedMail, simpleParser } from 'mailparser';
import { testEdition } from '../../../scripts/test-edition.ts';
import type { Config } from '../../../src/core/config/config.ts';
import type { Signer } from '../../../src/core/keys.ts';
import { prepareMessages } from '../../../src/delivery/message/edition-message.ts';
import type { OutgoingMessage } from '../../../src/delivery/transport/connection.ts';
import type { EditionSegments } from '../../../src/editions/copies/copy.ts';
import type { Edition } from '../../../src/editions/queries.ts';
import { SECRETS } from '../../support/sample.ts';
import { testConfig } from '../fixture.ts';

export const ADA = {
  subscriberId: 7,
  email: 'Ada@bücher.example',
  tokenVersion: 3,
  expiresAt: null as number | null,
  now: Date.UTC(2026, 11, 31),
};
export const { nonce: NONCE } = testEdition();

export interface Changes {
  edition?: Partial<Edition> & { segments?: EditionSegments };
  title?: string;
  from?: string;
  fromName?: string;
  url?: string;
  replyTo?: string;
  bounces?: string;
  signers?: Signer[];
  delivery?: Partial<Config['delivery']>;
}

export function makerOf(changes: Changes = {}) {
  const config = testConfig(changes);
  const sample = config.newsletters[0]!;
  const newsletter = {
    ...sample,
    title: changes.title ?? sample.title,
    from: { name: changes.fromName ?? sample.from.name, email: changes.from ?? sample.from.email },
    replyTo: changes.replyTo,
  };
  const withBounces = { ...config, bounces: { ...config.bounces, address: changes.bounces } };
  return prepareMessages(
    { ...testEdition(), ...changes.edition },
    newsletter,
    withBounces,
    SECRETS,
    changes.signers ?? [],
  );
}

export function rawOf({ chunks }: OutgoingMessage): Buffer {
  return Buffer.concat(chunks);
}

export async function rawMessage(changes: Changes = {}, recipient = ADA): Promise<Buffer> {
  return rawOf(await makerOf(changes)(recipient));
}

export async function parsed(...args: Parameters<typeof rawMessage>): Promise<ParsedMail> {
  return simpleParser(await rawMessage(...args));
}

/** The header lines, unfolded. */
export function headersOf(raw: Buffer): string[] {
  const head = raw.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  return head.replace(/\r\n[ \t]/g, ' ').split('\r\n');
}

/** An edition whose copies link to the preferences, too. */
export function withBothLinks(): Pick<Edition, 'html' | 'text'> {
  const { html, text } = testEdition();
  return {
    html: html.replace('<a', `<a href="%%${NONCE}:preferences%%">Preferences</a> <a`),
    text: text.replace('Unsubscribe', `Preferences: %%${NONCE}:preferences%%\nUnsubscribe`),
  };
}
