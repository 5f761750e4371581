/**
 * What a subscriber asks of the hub (WebSub §5.1), read from the form that it posted. Pure.
 */
import { createHash } from 'node:crypto';
import { isTopicPath } from '../feeds/topics.ts';
import { DAY, HOUR, SECOND } from '../lib/time.ts';

export interface HubRequest {
  mode: 'subscribe' | 'unsubscribe';
  /** The path of a feed document; whether there is one is for the store to say. */
  topic: string;
  /** As a URL parser writes it, so that one callback has one spelling. */
  callback: string;
  /** Of the callback, with its port. */
  host: string;
  secret: string | null;
  /** What will be granted. */
  leaseSeconds: number;
}

/** `reason` is a sentence for the subscriber's developer. */
export type ReadRequest = { kind: 'good'; request: HubRequest } | { kind: 'bad'; reason: string };

/** An index takes no longer ones on every database, and no honest one is. */
const LONGEST_CALLBACK = 2_000;
/** §5.1: less than 200 bytes. */
const LONGEST_SECRET = 199;
const LEASE = { usual: (10 * DAY) / SECOND, least: HOUR / SECOND, most: (30 * DAY) / SECOND };

/** @param topicOf the path of the feed document with that address, or null */
export function readHubRequest(fields: URLSearchParams, topicOf: (address: string) => string | null): ReadRequest {
  const twice = ['mode', 'topic', 'callback', 'lease_seconds', 'secret'].find(
    (name) => fields.getAll(`hub.${name}`).length > 1,
  );
  if (twice !== undefined) return bad(`hub.${twice} stands twice.`);
  const mode = fields.get('hub.mode');
  if (mode !== 'subscribe' && mode !== 'unsubscribe') return bad('hub.mode must be subscribe or unsubscribe.');
  const topic = topicOf(fields.get('hub.topic') ?? '');
  if (topic === null || !isTopicPath(topic)) {
    return bad('hub.topic must be the address of a feed here, exactly as its rel=self link says it.');
  }
  const callback = readCallback(fields.get('hub.callback') ?? '');
  if (typeof callback === 'string') return bad(callback);
  const lease = fields.get('hub.lease_seconds') ?? '';
  if (lease !== '' && !/^\d{1,15}$/.test(lease)) return bad('hub.lease_seconds must be a whole number of seconds.');
  const secret = fields.get('hub.secret') ?? '';
  if (Buffer.byteLength(secret) > LONGEST_SECRET)
    return bad(`hub.secret must have less than ${LONGEST_SECRET + 1} bytes.`);
  const leaseSeconds = lease === '' ? LEASE.usual : Math.min(Math.max(Number(lease), LEASE.least), LEASE.most);
  return {
    kind: 'good',
    request: {
      mode,
      topic,
      callback: callback.href,
      host: callback.host,
      secret: secret === '' ? null : secret,
      leaseSeconds,
    },
  };
}

/** Names a topic and callback: there is one subscription of both. */
export function subscriptionKey({ topic, callback }: Pick<HubRequest, 'topic' | 'callback'>): string {
  return createHash('sha256').update(`${topic}\n${callback}`).digest('hex');
}

/** The URL, or what is wrong with it. */
function readCallback(text: string): URL | string {
  // The parser would drop line ends and tabs, and encode the rest: what is checked must be what was sent.
  if (!/^[\x21-\x7e]+$/.test(text)) return 'hub.callback must be a URL of ASCII characters, without blanks.';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return 'hub.callback must be an http or https URL.';
  if (text.length > LONGEST_CALLBACK || url.href.length > LONGEST_CALLBACK) {
    return `hub.callback must have at most ${LONGEST_CALLBACK} characters.`;
  }
  if (url.username !== '' || url.password !== '') return 'hub.callback must hold no user name or password.';
  if (text.includes('#')) return 'hub.callback must have no fragment.';
  return url;
}

function bad(reason: string): ReadRequest {
  return { kind: 'bad', reason };
}
