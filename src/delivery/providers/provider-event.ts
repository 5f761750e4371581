/** What the webhooks of mail providers report, in one form for all of them. */
import type { BounceKind } from '../../core/store/tables.ts';

/** What happened to one message. */
export interface ProviderEvent {
  /** The same when the event is reported again; unique for its mail provider. At most 200 characters. */
  id: string;
  kind: BounceKind | 'delivered' | 'unsubscribe';
  /** The token that was put into the message, as the mail provider returns it; null without one. */
  token: string | null;
  /** The recipient's address; null if it is not reported. */
  email: string | null;
  /** RFC 3463, such as 5.1.1; null without one. */
  status: string | null;
  /** What the server said. */
  detail: string;
  /** Epoch milliseconds. */
  at: number;
}

export interface ProviderRequest {
  headers: Pick<Headers, 'get'>;
  /** Byte for byte. */
  body: Uint8Array;
  /** When it was received, epoch milliseconds. */
  now: number;
}

export type ProviderCheck =
  /** `nonce`: may be used once, since the signature covers it and not the body; null if the body is signed. */
  | { kind: 'events'; events: ProviderEvent[]; nonce: string | null }
  /** Not signed by the mail provider: 401. */
  | { kind: 'unsigned'; reason: string }
  /** Signed, but malformed: 400. */
  | { kind: 'malformed'; reason: string };
