/**
 * Random exchanges of a hostile client with the HTTP server: what it writes on one connection, and how.
 */
import type { Random } from './random.ts';

/** What a client does on one connection. */
export interface HostileExchange {
  kind: string;
  /** Requests in it, as far as they are requests. */
  requests: number;
  /** Written one after the other, each in a turn of the event loop of its own. */
  writes: Buffer[];
  /** After the writes: wait for responses, close the own half first, or leave at once; or never read anything. */
  end: 'wait' | 'half-close' | 'leave' | 'not-reading';
}

type MakeExchange = (random: Random) => Omit<HostileExchange, 'kind'>;

const PATHS = words(`/ /?page=2 /articles/one /sections/world /archive /archive/2026-11 /editions /newsletters /feeds/
  /reporters/mei-tan /reporters/mei-tan?page=2
  /feeds/latest.rss /feeds/latest.atom /feeds/latest.json /feeds/tag/chips.rss /style.css /favicon.svg /favicon.ico
  /feeds/custom.json?section=world&kind=brief /robots.txt /healthz /metrics /media/skyline-5g.jpg
  /media/r/480/skyline-5g.jpg /media/r/1600/skyline-5g.jpg /media/r/jpeg/skyline-5g.jpg /subscribe
  /subscribe.js /api/subscribe /no-such-page /archive/ /hub /sitemap.xml /sitemap-pages.xml /sitemap-2026-11.xml
   /news-sitemap.xml /feed/ /atom.xml /icons/48.png /icons/512.png /apple-touch-icon.png /about
  /search /search?q=chip /search?q=the&section=world&from=2026-11-01&until=2026-11-30 /feeds/custom.atom?q=chip`);
const FORMS = words(`/subscribe /hub /unsubscribe/v1.x /confirm/x /preferences/x /preferences/x/erase /account/erase/x
  /api/subscribe /webhooks/bounces`);
const HOSTILE_PATHS = words(`/%00 /%ff%fe /% /%zz /%2e%2e/%2e%2e/etc/passwd /../../etc/passwd //evil.example/ /\\evil
  /media/..%2f..%2fconfig%2fdaywire.yaml /media/%2e%2e/secret /media/a%00.png /media/.hidden.png /feeds/../var/secret
  /feeds/%c0%af /feeds/tag/%F0%9F%92%A9.rss /feeds/custom.rss?tag=%00&tag=%ff /feeds/latest.rss/../../x
  /media/r/480/..%2f..%2fconfig%2fdaywire.yaml /media/r/480/%2e%2e/%2e%2e/secret.jpg /media/r/480/a%00.jpg
  /media/r/481/skyline-5g.jpg /media/r/%34%38%30/skyline-5g.jpg /media/r/480/%ff.jpg /media/r/__proto__/a.jpg
  /media/r/480/skyline-5g.jpg%00.png /media/r/jpeg/ /media/r//skyline-5g.jpg /media/r/480//etc/passwd.jpg
   /articles/%E0%A4%A /articles/__proto__ /articles/constructor
   /reporters/%ff /reporters/%00 /reporters/__proto__ /reporters/..%2f /reporters/Mei%20Tan /reporters/mei-tan?page=1e9
   /archive/9999-99 /archive/-1 /?page=0 /?page=-1
   /sitemap-2026-11-0.xml /sitemap-9999-99-9.xml /sitemap-%00.xml /sitemap-..%2f.xml /icons/0.png /icons/%34%38.png
   /icons/__proto__.png
  /search?q=%00 /search?q=%ff&q[]=x /search?q=%22%20NEAR(a%20b)%20%2A%20terms:x%20~671:x&after=-1.%00&from=9999-99-99
  /search?q='):*%26!(a|b)\\&section=__proto__&after=9e15.x /feeds/custom.rss?q=%22&q='&section=%00
   /?page=1e9 /?page=99999 /?page[]=2 /?% /editions/%2f/%2f /sections/.. /style.css?v=%0d%0aSet-Cookie:x /;a=b /*
  /{{site}} /<script>`);
const METHODS = words('PUT DELETE PATCH OPTIONS TRACE CONNECT get PROPFIND X QUERY G\0T \u00a1');
/** Fields of a header. */
const FIELDS = lines(`Accept-Encoding: gzip, br
Accept-Encoding: *;q=0
Accept-Encoding: gzip;q=2,,;
Accept: text/html
Accept: application/rss+xml;q=0.5,*/*;q=0.1
If-None-Match: *
If-None-Match: "x", W/"y"
If-None-Match: "
If-Modified-Since: Tue, 24 Nov 2026 12:43:00 GMT
If-Modified-Since: never
Range: bytes=0-,-5,99-1
X-Forwarded-For: 198.51.100.1
X-Forwarded-For: ,,unknown,"
X-Forwarded-Host: [
X-Forwarded-Proto: gopher
Forwarded: for=_x;proto=https
Origin: null
Origin: http://127.0.0.1:8080
Accept: application/json
Origin: https://evil.example
Sec-Fetch-Site: cross-site
Cookie: a=b; __proto__=1
Authorization: Bearer \u00ff
Referer: http://[
Connection: keep-alive, Host
Upgrade: websocket~Connection: Upgrade~Sec-WebSocket-Key: x
Upgrade: h2c~Connection: Upgrade
Expect: 100-continue
Expect: everything
__proto__: x
constructor: x
TE: trailers
X-A:
X-B: \t`);
/** Request lines with what follows them. */
const HEADS = lines(`GET / HTTP/1.0
GET /
GET / HTTP/2.0
GET / HTTP/9.9
GET / HTTP/1.1
GET  / HTTP/1.1
GET /\tx HTTP/1.1~Host: a
GET / HTTP/1.1~Host: a~Host: b
GET http://evil.example/ HTTP/1.1~Host: a
GET http:// HTTP/1.1~Host: a
OPTIONS * HTTP/1.1~Host: a
GET * HTTP/1.1~Host: a
CONNECT a:443 HTTP/1.1~Host: a
PRI * HTTP/2.0~~SM~
~~~GET / HTTP/1.1~Host: a
GET / HTTP/1.1~Host: a b
GET / HTTP/1.1~Host:
GET / HTTP/1.1~Host: [::1
GET / HTTP/1.1~Host: a:99999
GET / HTTP/1.1~ Host: a
GET / HTTP/1.1~Host: a~ folded: x
GET / HTTP/1.1~Host: a~Name without colon
GET / HTTP/1.1~Host: a~X: \0`);
/** The end of a header with a body. */
const BAD_BODIES = lines(`Transfer-Encoding: chunked~~zz~x~0~~
Transfer-Encoding: chunked~~ffffffffffffffffff~x
Transfer-Encoding: chunked~~-5~hello~0~~
Transfer-Encoding: chunked~~5;ext="\0"~hello~0~~
Transfer-Encoding: chunked~~5~helloworld~0~~
Transfer-Encoding: chunked~~5~hello~0~Trailer: x~__proto__: y~~
Transfer-Encoding: chunked~~
Transfer-Encoding: chunked~Content-Length: 5~~5~hello~0~~
Transfer-Encoding: gzip, chunked~~0~~
Transfer-Encoding: chunked, chunked~~0~~
Transfer-Encoding: xchunked~~0~~
Content-Length: -1~~
Content-Length: 0x5~~hello
Content-Length: 1e3~~x
Content-Length: 99999999999999999999~~x
Content-Length: 5, 5~~hello
Content-Length: 5~Content-Length: 6~~hello!
Content-Length: 9~~short`);
const TYPES = lines(`application/x-www-form-urlencoded
application/x-www-form-urlencoded; charset=utf-16
application/x-www-form-urlencoded\0
application/json
multipart/form-data; boundary=x
multipart/form-data
text/plain
`);
const VALUES = [
  ...lines(`email=a%40example.com&newsletter=daily-roundup
email=%00%ff&newsletter=%00
email=a%40example.com&newsletter=daily-roundup&elapsed=1e9&consent=%00
email=a%40example.com&newsletter=daily-roundup&atLeast%3Adaily-roundup=%00&tags%3Adaily-roundup=%00
List-Unsubscribe=One-Click
unsubscribe=yes
weekly=yes
pause=yes
hub.mode=subscribe&hub.topic=x&hub.callback=http://127.0.0.1/
%
=
&&&&
{"reports":[]}
--x~Content-Disposition: form-data; name="a"~~b~--x--
--x~~`),
  'email=a&'.repeat(500),
];

const KINDS: Record<string, MakeExchange> = {
  usual: (random) => waiting([closing(get(random))]),
  split: (random) => {
    const request = Buffer.from(random.chance(0.5) ? closing(get(random)) : closing(post(random)), 'latin1');
    if (random.chance(0.3)) return { ...waiting([]), writes: [...request].map((byte) => Buffer.of(byte)) };
    const at = random.int(1, request.length - 1);
    return { ...waiting([]), writes: [request.subarray(0, at), request.subarray(at)] };
  },
  pipeline: (random) => {
    const count = random.chance(0.1) ? random.int(50, 200) : random.int(2, 20);
    const plain = random.chance(0.5);
    const one = (): string => (plain ? `GET ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\n\r\n` : get(random));
    const requests = Array.from({ length: count }, () => (random.chance(0.9) ? one() : post(random)));
    const end = random.pick(['wait', 'half-close', 'leave', 'not-reading'] as const);
    return { requests: count, writes: [Buffer.from(requests.join(''), 'latin1')], end };
  },
  'half-close': (random) => ({ ...waiting([random.chance(0.5) ? get(random) : post(random)]), end: 'half-close' }),
  leave: (random) => {
    const request = Buffer.from(random.chance(0.5) ? get(random) : post(random), 'latin1');
    return { requests: 1, writes: [request.subarray(0, random.int(1, request.length))], end: 'leave' };
  },
  'not reading': (random) => ({ ...waiting([get(random)]), end: 'not-reading' }),
  'large header': (random) => {
    const fields = random.pick([
      () => `X-Large: ${'x'.repeat(random.int(8_000, 100_000))}\r\n`,
      () => 'X-Many: x\r\n'.repeat(random.int(500, 4_000)),
      () => `${'N'.repeat(random.int(8_000, 40_000))}: x\r\n`,
      () => `Cookie: ${'a=b; '.repeat(random.int(1_000, 4_000))}\r\n`,
      () => `If-None-Match: ${'"x", '.repeat(random.int(1_000, 3_000))}"y"\r\n`,
      () => `X-Forwarded-For: ${'198.51.100.1, '.repeat(random.int(500, 1_000))}\r\n`,
    ])();
    return waiting([`GET ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`]);
  },
  'long path': (random) => {
    const unit = random.pick(['x', '%41', '/a', '%2f', '?a', '&tag=x', '../', '%F0%9F%92%A9']);
    return waiting([`GET /${unit.repeat(random.int(100, 20_000))} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
  },
  'hostile path': (random) => {
    const junk = random.bytes(random.int(1, 12)).toString('latin1');
    const path = random.pick([...HOSTILE_PATHS, `/${junk}`, `/feeds/${junk}`, `/articles/${encodeURIComponent(junk)}`]);
    return waiting([`${random.pick(['GET', 'GET', 'POST'])} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
  },
  'bad method': (random) =>
    waiting([`${random.pick(METHODS)} ${random.pick(PATHS)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]),
  'bad head': (random) => waiting([`${random.pick(HEADS)}\r\n\r\n`]),
  'bad body': (random) =>
    waiting([`POST ${random.pick(FORMS)} HTTP/1.1\r\nHost: a\r\n${type(random)}${random.pick(BAD_BODIES)}`]),
  form: (random) => waiting([closing(post(random))]),
  'endless body': (random) => {
    const chunk = `2000\r\n${'y'.repeat(8_192)}\r\n`;
    const head = `POST ${random.pick(FORMS)} HTTP/1.1\r\nHost: a\r\n${type(random)}Transfer-Encoding: chunked\r\n\r\n`;
    const writes = [head, ...Array.from({ length: random.int(1, 400) }, () => chunk)];
    return { ...waiting(writes), end: random.pick(['wait', 'half-close', 'leave'] as const) };
  },
  garbage: (random) => ({
    requests: 1,
    writes: [random.chance(0.3) ? CLIENT_HELLO : random.bytes(random.int(1, 2_000))],
    end: random.pick(['wait', 'half-close', 'leave'] as const),
  }),
};

/** The beginning of a TLS connection. */
const CLIENT_HELLO = Buffer.from('16030100c8010000c40303', 'hex');

/** @returns a random exchange, of one request in most cases */
export function randomExchange(random: Random): HostileExchange {
  const kind = random.pick(Object.keys(KINDS));
  return { kind, ...(KINDS[kind] as MakeExchange)(random) };
}

function waiting(texts: string[]): Omit<HostileExchange, 'kind'> {
  return { requests: 1, writes: texts.map((text) => Buffer.from(text, 'latin1')), end: 'wait' };
}

function get(random: Random): string {
  const path = random.chance(0.8) ? random.pick(PATHS) : random.pick(HOSTILE_PATHS);
  return `${random.pick(['GET', 'GET', 'GET', 'HEAD'])} ${path} HTTP/1.1\r\nHost: a\r\n${fields(random)}\r\n`;
}

function post(random: Random): string {
  const body = random.chance(0.8) ? random.pick(VALUES) : random.bytes(random.int(0, 300)).toString('latin1');
  const length = `Content-Length: ${body.length}\r\n`;
  return `POST ${random.pick(FORMS)} HTTP/1.1\r\nHost: a\r\n${type(random)}${fields(random)}${length}\r\n${body}`;
}

/** The same request, after which the server closes the connection. */
function closing(request: string): string {
  return request.replace('\r\n', '\r\nConnection: close\r\n');
}

function fields(random: Random): string {
  return Array.from({ length: random.int(0, 4) }, () => `${random.pick(FIELDS)}\r\n`).join('');
}

function type(random: Random): string {
  return `Content-Type: ${random.pick(TYPES)}\r\n`;
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

/** Line by line; ~ is the end of a line of the protocol. */
function lines(text: string): string[] {
  return text.split('\n').map((line) => line.replaceAll('~', '\r\n'));
}
