/** Lists of tags, `v=DKIM1; k=rsa; p=…`, of DKIM keys (RFC 6376 §3.2) and DMARC records (RFC 9989 §4.7). */
interface TagList {
  /** By name in lower case. White space around values is removed. */
  tags: Map<string, string>;
  /** The first problem, in words; null where there is none. */
  problem: string | null;
}

const MOST_TAGS = 100;

/** Reads as much as is readable. */
export function parseTagList(text: string): TagList {
  const tags = new Map<string, string>();
  let problem: string | null = null;
  // A semicolon may end the list.
  for (const part of text.replace(/;\s*$/, '').split(';', MOST_TAGS)) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (!/^[a-z][a-z0-9_]*$/.test(name)) problem ??= `"${part.trim().slice(0, 40)}" is not a tag such as p=…`;
    else if (tags.has(name)) problem ??= `the tag ${name}= is there twice`;
    else tags.set(name, part.slice(equals + 1).trim());
  }
  return { tags, problem };
}
