/** What JSON-LD in a page says of the article that the page is about (schema.org). Pure. */
import { canonicalLink } from '../../sources/canonical-link.ts';

/** As written; texts may hold HTML. */
export interface LinkedArticle {
  headline: string | null;
  description: string | null;
  publisher: string | null;
  published: string | null;
  image: string | null;
  language: string | null;
}

const ARTICLE_TYPE = /^(?:https?:\/\/schema\.org\/|schema:)?(?:[A-Za-z]*Article|[A-Za-z]*BlogPosting|Report)$/;

/** Objects and lists that are looked at, and how deep they are: a page about one report has some dozens. */
const MAX_NODES = 5_000;
const MAX_DEPTH = 8;
const MAX_TEXT = 10_000;

/**
 * Finds the article in scripts of JSON-LD: the one whose address is that of the page, else the outermost. Scripts that
 * are not JSON are ignored.
 * @param pages addresses of the page
 */
export function readLinkedArticle(scripts: readonly string[], pages: readonly string[]): LinkedArticle | null {
  const objects = scripts.flatMap((script) => findObjects(parse(script)));
  const articles = objects.filter(isArticle);
  const whole = wholeOf(objects);
  const wanted = new Set(pages.map(canonicalLink));
  const isOfPage = (article: JsonObject): boolean =>
    ['mainEntityOfPage', 'url', '@id'].some((key) => {
      const address = addressOf(article[key]);
      return address !== null && wanted.has(canonicalLink(address));
    });
  const article = articles.find(isOfPage) ?? articles[0];
  if (article === undefined) return null;
  return {
    headline: textOf(article.headline) ?? textOf(article.name),
    description: textOf(article.description),
    publisher: nameOf(whole(article.publisher)),
    published: textOf(article.datePublished),
    image: addressOf(whole(article.image)),
    language: nameOf(article.inLanguage),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function parse(script: string): unknown {
  try {
    // Some systems wrap it in a comment of HTML, or in CDATA.
    return JSON.parse(script.replace(/^\s*(?:<!--|\/\/<!\[CDATA\[|<!\[CDATA\[)|(?:-->|\/\/\]\]>|\]\]>)\s*$/g, ''));
  } catch {
    return null;
  }
}

/**
 * Completes references: `{ "@id": "#publisher" }` means the object of the page that has this id (JSON-LD 1.1
 * §3.3). An unknown id may be the address of a picture, unless it names a part of a page.
 */
function wholeOf(objects: readonly JsonObject[]): (value: unknown) => unknown {
  const byId = new Map<unknown, JsonObject>();
  for (const object of objects) {
    if (!isReference(object) && !byId.has(object['@id'])) byId.set(object['@id'], object);
  }
  return (value) =>
    listOf(value).map((one) => {
      if (!isObject(one) || !isReference(one)) return one;
      return byId.get(one['@id']) ?? (one['@id'].includes('#') ? null : one);
    });
}

function isReference(object: JsonObject): object is { '@id': string } {
  return typeof object['@id'] === 'string' && Object.keys(object).every((key) => key === '@id' || key === '@type');
}

/** Breadth first, so that the article itself precedes those that it mentions. */
function findObjects(root: unknown): JsonObject[] {
  const found: JsonObject[] = [];
  let level: unknown[] = [root];
  let nodes = 0;
  for (let depth = 0; depth <= MAX_DEPTH && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const node of level) {
      if (typeof node !== 'object' || node === null) continue;
      if (++nodes > MAX_NODES) return found;
      if (isObject(node)) found.push(node);
      const children = Object.values(node);
      next.push(...children.slice(0, MAX_NODES));
    }
    level = next.length > MAX_NODES ? next.slice(0, MAX_NODES) : next;
  }
  return found;
}

function isArticle(node: JsonObject): boolean {
  return listOf(node['@type']).some((type) => typeof type === 'string' && type.length < 100 && ARTICLE_TYPE.test(type));
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, 20) : [value];
}

function textOf(value: unknown): string | null {
  const text = listOf(value).find((one) => typeof one === 'string' && one.trim() !== '') as string | undefined;
  return text === undefined ? null : text.slice(0, MAX_TEXT);
}

/** `{ "name": "The Example" }`, a list of such, or text. */
function nameOf(value: unknown): string | null {
  return firstOf(
    value,
    (one) => textOf(one) ?? (isObject(one) ? (textOf(one.name) ?? textOf(one.alternateName)) : null),
  );
}

/** Text, or an object with `url`, `contentUrl` or `@id`. */
function addressOf(value: unknown): string | null {
  return firstOf(
    value,
    (one) => textOf(one) ?? (isObject(one) ? (textOf(one.url) ?? textOf(one.contentUrl) ?? textOf(one['@id'])) : null),
  );
}

function firstOf(value: unknown, read: (one: unknown) => string | null): string | null {
  for (const one of listOf(value)) {
    const found = read(one);
    if (found !== null) return found;
  }
  return null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
