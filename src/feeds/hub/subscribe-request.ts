/** The request of a subscriber to the hub (WebSub §5.1). Pure. */
import { sha256 } from '../../lib/sha256.ts';
import { DAY, HOUR, SECOND } from '../../lib/time.ts';
import { isTopicPath } from '../topics.ts';

export interface HubRequest {
  mode: 'subscribe' | 'unsubscribe';
  /** The path of a feed document, which may not exist. */
  topic: string;
  /** As serialised by the URL parser, so that a callback has one spelling. */
  callback: string;
  /** Host of the callback, with its port. */
  host: string;
  secret: string | null;
  /** The lease to grant. */
  leaseSeconds: number;
}

/** `reason` is a sentence for the subscriber's developer. */
export type ParsedHubRequest = { kind: 'valid'; request: HubRequest } | { kind: 'invalid'; reason: string };

/** Longer ones do not fit into an index entry on every database. */
const MAX_CALLBACK_LENGTH = 2_000;
/** §5.1: fewer than 200 bytes. */
const MAX_SECRET_BYTES = 199;
const LEASE = { default: (10 * DAY) / SECOND, min: HOUR / SECOND, max: (30 * DAY) / SECOND };

/** @param topicOf returns the path of the feed document with that URL, or null */
export function parseHubRequest(fields: URLSearchParams, topicOf: (url: string) => string | null): ParsedHubRequest {
  const invalid = (reason: string): ParsedHubRequest => ({ kind: 'invalid', reason });
  const repeated = ['mode', 'topic', 'callback', 'lease_seconds', 'secret'].find(
    (name) => fields.getAll(`hub.${name}`).length > 1,
  );
  if (repeated !== undefined) return invalid(`hub.${repeated} is given more than once.`);
  const mode = fields.get('hub.mode');
  if (mode !== 'subscribe' && mode !== 'unsubscribe') return invalid('hub.mode must be subscribe or unsubscribe.');
  const topic = topicOf(fields.get('hub.topic') ?? '');
  if (topic === null || !isTopicPath(topic)) {
    return invalid('hub.topic must be the URL of a feed of this site, exactly as in its rel=self link.');
  }
  const callback = parseCallback(fields.get('hub.callback') ?? '');
  if (typeof callback === 'string') return invalid(callback);
  const lease = fields.get('hub.lease_seconds') ?? '';
  if (lease !== '' && !/^\d{1,15}$/.test(lease)) return invalid('hub.lease_seconds must be a whole number of seconds.');
  const secret = fields.get('hub.secret') ?? '';
  if (Buffer.byteLength(secret) > MAX_SECRET_BYTES) {
    return invalid(`hub.secret must have fewer than ${MAX_SECRET_BYTES + 1} bytes.`);
  }
  const request = {
    mode,
    topic,
    callback: callback.href,
    host: callback.host,
    secret: secret === '' ? null : secret,
    leaseSeconds: lease === '' ? LEASE.default : Math.min(Math.max(Number(lease), LEASE.min), LEASE.max),
  } as const;
  return { kind: 'valid', request };
}

/** Identifies the subscription of a callback to a topic. */
export function subscriptionKey({ topic, callback }: Pick<HubRequest, 'topic' | 'callback'>): string {
  return sha256(`${topic}\n${callback}`);
}

/** @returns the URL, or what is wrong with it */
function parseCallback(text: string): URL | string {
  // The URL parser removes line ends and tabs and encodes other characters: check what was submitted.
  if (!/^[\x21-\x7e]+$/.test(text)) return 'hub.callback must be a URL of ASCII characters, without spaces.';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return 'hub.callback must be an http or https URL.';
  if (text.length > MAX_CALLBACK_LENGTH || url.href.length > MAX_CALLBACK_LENGTH) {
    return `hub.callback must have at most ${MAX_CALLBACK_LENGTH} characters.`;
  }
  if (url.username !== '' || url.password !== '') return 'hub.callback must not contain a user name or password.';
  if (text.includes('#')) return 'hub.callback must not have a fragment.';
  return url;
}
