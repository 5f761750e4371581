/**
 * Reads the plainest of requests, a GET or HEAD without a body, from the bytes of a connection. It understands less than HTTP, on purpose: whatever
 * is not beyond doubt is left to Node's own parser, so that the two can never take one message for two different ones.
 */
import type { FeedRequest } from './decide-response.ts';

export interface PlainRequest extends FeedRequest {
  method: 'GET' | 'HEAD';
  /** The request target, as it came: begins with a slash. */
  target: string;
  userAgent?: string | undefined;
}

/** Longer heads are read by Node's parser. */
const LONGEST_HEAD = 4_096;
const REQUEST_LINE = /^(GET|HEAD) (\/[\x21-\x7e]*) HTTP\/1\.1$/;
/** RFC 9112 §5: no line that goes on, no space before the colon, no control character. */
const FIELD_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\x7e\x80-\xff]*)$/;

/** Which field goes where. Once each, or the request is not plain. */
const READ: Record<string, Exclude<keyof PlainRequest, 'method' | 'target'> | 'host'> = {
  host: 'host',
  accept: 'accept',
  'accept-encoding': 'acceptEncoding',
  'if-none-match': 'ifNoneMatch',
  'if-modified-since': 'ifModifiedSince',
  'a-im': 'aIm',
  'user-agent': 'userAgent',
};

/** Fields that tell of a body, of another protocol or of the end of the connection, or ask for what is answered elsewhere. */
const NOT_PLAIN = new Set([
  'content-length',
  'transfer-encoding',
  'trailer',
  'te',
  'expect',
  'upgrade',
  'http2-settings',
  'proxy-connection',
  'keep-alive',
  'access-control-request-method',
]);

export interface Reading {
  request: PlainRequest;
  /** Where the next request begins. */
  end: number;
}

/**
 * @param text what has come, each byte as one character (Latin-1)
 * @returns null where it is not whole, or not plain
 */
export function readPlainRequest(text: string): Reading | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0 || end > LONGEST_HEAD) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const requestLine = REQUEST_LINE.exec(first);
  if (requestLine === null) return null;
  const request = { method: requestLine[1], target: requestLine[2] } as PlainRequest;
  const seen: Partial<Record<string, string>> = {};
  for (const line of lines) {
    const field = FIELD_LINE.exec(line);
    if (field === null) return null;
    const [, name = '', around = ''] = field;
    const value = withoutSpaceAround(around);
    const lower = name.toLowerCase();
    if (NOT_PLAIN.has(lower)) return null;
    if (lower === 'connection' && value.toLowerCase() !== 'keep-alive') return null;
    const key = READ[lower];
    if (key === undefined) continue;
    if (seen[key] !== undefined) return null;
    seen[key] = value;
  }
  // RFC 9112 §3.2: without it, the request is to be refused.
  if (seen.host === undefined) return null;
  const { host: _, ...fields } = seen;
  return { request: Object.assign(request, fields), end: end + 4 };
}

/** By hand: a pattern would look at a long row of spaces once for each of them. */
function withoutSpaceAround(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text, from)) from++;
  while (to > from && isSpace(text, to - 1)) to--;
  return text.slice(from, to);
}

function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}
